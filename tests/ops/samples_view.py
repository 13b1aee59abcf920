"""Samples of views, copies of views, and what joins, cuts and moves elements."""
from __future__ import annotations

import numpy as np

from .samples import B, C, F, P, S, Z

ORDER = np.array([2, 0, 1])


def both(name: str, *args: object, **kwargs: object) -> list[object]:
    """A view and its copying twin, of real and complex numbers."""
    rows = [S(name, F(2, 3, 4), *args, **kwargs), S(name, C(2, 3, 4), *args, **kwargs)]
    return [*rows, S("torch." + name.rpartition(".")[2] + "_copy", F(2, 3, 4), *args, **kwargs)]


SAMPLES = [
    S("Tensor.view", F(2, 3, 4), 6, 4), S("Tensor.view", F(2, 3, 4), -1, 2),
    S("Tensor.view", C(2, 3), (3, 2)), S("Tensor.view", F(), 1), S("Tensor.view", Z(0, 3), 3, 0),
    S("torch.reshape", F(2, 3, 4), (4, -1)), S("torch.reshape", C(6), (2, 3)),
    S("Tensor.reshape", F(2, 3, 4), 3, 8), S("Tensor.view_as", F(2, 3), F(6)),
    S("Tensor.reshape_as", F(2, 3), F(3, 2)), S("flatten", F(2, 3, 4), 1), S("flatten", F()),
    S("ravel", F(2, 3)), S("unflatten", F(2, 6), 1, (2, 3)), S("unflatten", F(2, 6), -1, (-1, 2)),
    S("squeeze", F(1, 3, 1)), S("squeeze", F(1, 3, 1), 0), S("squeeze", F(1, 3, 1), 1),
    S("squeeze", F(1, 3, 1), (0, 2)), S("torch.squeeze_copy", F(1, 3, 1)),
    *both("unsqueeze", 1), *both("transpose", 0, 2), *both("torch.permute", (2, 0, 1)),
    S("unsqueeze", F(3), -1), S("Tensor.permute", F(2, 3, 4), 1, 2, 0),
    S("transpose", F(3, 3), 0, 1),
    S("swapaxes", F(2, 3), 0, 1), S("swapdims", F(2, 3), 0, 1), S("t", F(2, 3)), S("t", F(3)),
    S("torch.t_copy", F(2, 3)), S("movedim", F(2, 3, 4), 0, 2),
    S("movedim", F(2, 3), (0, 1), (1, 0)),
    S("torch.broadcast_to", F(3, 1), (2, 3, 4)), S("Tensor.expand", F(3, 1), 2, -1, 4),
    S("Tensor.expand_as", F(3, 1), F(3, 4)), S("torch.expand_copy", F(3, 1), (2, 3, 4)),
    S("torch.broadcast_tensors", F(3, 1), F(4)), S("torch.atleast_1d", F(), F(2)),
    S("torch.atleast_2d", F(3)), S("torch.atleast_3d", F(3), F(2, 3)),
    *both("select", 1, 2), *both("select", -1, -1), S("narrow", F(4, 3), 0, 1, 2),
    S("narrow", C(4, 3), 1, -2, 2), S("narrow_copy", F(4, 3), 0, 1, 2),
    *both("diagonal", 1, 0, 2), S("diagonal", F(3, 3)), S("linalg.diagonal", F(2, 3, 3), offset=-1),
    S("Tensor.unfold", F(5), 0, 3, 1), S("Tensor.unfold", F(3, 6), 1, 2, 3),
    S("torch.unfold_copy", F(5), 0, 3, 1), S("as_strided", F(3, 4), (2, 3), (1, 2), 1),
    S("as_strided", F(5), (3, 3), (1, 1)), S("torch.as_strided_copy", F(3, 4), (2, 3), (4, 1), 1),
    S("torch.slice_copy", F(5, 3), 0, 1, 5, 2), S("torch.view_copy", F(2, 3), (3, 2)),
    S("torch.alias_copy", F(2, 3)), S("torch.split_copy", F(5, 2), 2),
    S("torch.split_with_sizes_copy", F(5, 2), (2, 3)), S("torch.unbind_copy", F(2, 3), 1),
    S("torch.split", F(5, 2), 2), S("torch.split", F(5, 2), [1, 4]),
    S("Tensor.split", F(2, 4), 3, 1),
    S("split_with_sizes", F(5, 2), (2, 3)), S("chunk", F(5, 2), 3), S("chunk", C(2, 4), 2, 1),
    S("unsafe_split", F(4), 2), S("tensor_split", F(7), 3), S("tensor_split", F(7, 2), (1, 4)),
    S("hsplit", F(4, 6), 3), S("vsplit", F(4, 6), (1, 3)), S("dsplit", F(2, 3, 4), 2),
    S("unbind", F(2, 3)), S("unbind", F(2, 3), -1), S("torch.meshgrid", F(2), F(3), indexing="ij"),
    S("torch.meshgrid", F(2), F(3), F(2), indexing="xy"),
    # complex numbers and their parts
    S("angle", C(5)), S("angle", F(5)), S("real", C(2, 3)), S("imag", C(2, 3)),
    S("conj", C(2, 3)), S("conj_physical", C(2, 3)), S("conj_physical", F(3)),
    S("resolve_conj", C(3)), S("resolve_neg", C(3)), S("isreal", C(3)), S("isreal", F(3)),
    S("torch.complex", F(3), F(3)), S("torch.complex", F(2, 1), F(3)), S("torch.polar", P(3), F(3)),
    S("torch.view_as_real", C(2, 3)), S("torch.view_as_complex", F(3, 2)),
    S("torch.view_as_complex_copy", F(3, 2)), S("torch.view_as_real_copy", C(3)),
    S("adjoint", C(2, 3)), S("adjoint", F(2, 3, 4)), S("sgn", C(4)), S("sgn", F(4)),
    # joined
    S("torch.cat", [F(2, 3), F(1, 3)]), S("torch.cat", [F(2, 3), F(2, 1), F(2, 2)], 1),
    S("torch.cat", [C(2), F(3)]), S("torch.cat", [F(0), F(2, 2)]), S("torch.cat", [Z(2), F(3)]),
    S("torch.stack", [F(2, 3), F(2, 3)], 1), S("torch.stack", [F(), F()], -1),
    S("torch.hstack", [F(2), F(3)]), S("torch.hstack", [F(2, 1), F(2, 2)]),
    S("torch.vstack", [F(3), F(3)]), S("torch.dstack", [F(2, 3), F(2, 3)]),
    S("torch.column_stack", [F(3), F(3, 2)]), S("torch.block_diag", F(2, 3), F(2), F()),
    S("torch.cartesian_prod", F(2), F(3)), S("torch.cartesian_prod", F(3)),
    S("combinations", F(4)), S("combinations", F(3), 2, True), S("combinations", F(4), 3),
    # moved and repeated
    S("torch.flip", F(2, 3), (0, 1)), S("torch.flip", C(3), (0,)), S("Tensor.flip", F(2, 3), 1),
    S("fliplr", F(2, 3)), S("flipud", F(2, 3)), S("rot90", F(2, 3)),
    S("rot90", F(2, 3, 2), 3, (1, 2)),
    S("roll", F(5), 2), S("roll", F(3, 4), (1, -1), (0, 1)), S("roll", C(3, 4), -5),
    S("Tensor.repeat", F(2, 3), 2, 1, 2), S("Tensor.repeat", F(3), 0),
    S("torch.tile", F(2, 3), (2,)),
    S("Tensor.tile", F(3), 2, 2), S("repeat_interleave", F(3), 2),
    S("repeat_interleave", F(3, 2), ORDER, 0), S("repeat_interleave", F(2, 3), 2, 1),
    S("torch.pixel_shuffle", F(2, 8, 2, 3), 2), S("torch.pixel_unshuffle", F(1, 2, 4, 6), 2),
    S("torch.channel_shuffle", F(1, 6, 2, 2), 3),
    S("select_scatter", F(3, 4), F(3), 1, -1), S("slice_scatter", F(5, 2), F(2, 2), 0, 1, 5, 2),
    S("diagonal_scatter", F(3, 3), F(2), 1),
    S("as_strided_scatter", F(3, 4), F(2, 2), (2, 2), (1, 4),
      alone="those of the two arguments are exchanged"),
    # triangles and diagonals
    S("tril", F(3, 4)), S("tril", F(2, 3, 3), -1), S("tril", C(3, 3), 1), S("tril", B(3, 3)),
    S("triu", F(3, 4)), S("triu", F(2, 3, 3), 1), S("triu", C(3, 3), -1),
    S("diag_embed", F(2, 3)), S("diag_embed", C(3), 1), S("diag_embed", F(2, 3), -1, 0, 2),
    S("diagflat", F(2, 2)), S("diagflat", F(3), -1), S("diag", F(3)), S("diag", F(3, 4), 1),
    S("diag", C(3, 3)), S("trace", F(3, 4)), S("trace", C(3, 3)), S("trace", Z(3, 3)),
]

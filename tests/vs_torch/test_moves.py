"""Concatenation, rearrangement, padding and triangles agree with PyTorch."""
import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.filterwarnings("ignore")
import torch.nn.functional as F  # noqa: E402, N812

from flambeau.ops import combining as com  # noqa: E402
from flambeau.ops import padding as pads  # noqa: E402
from flambeau.ops import rearranging as rea  # noqa: E402
from flambeau.ops import triangular as tri  # noqa: E402

from .nodes import check, leaf, raises_alike  # noqa: E402

JOINS = [
    (com.cat, torch.cat, [(2, 3), (1, 3)], ()), (com.cat, torch.cat, [(2, 3), (2, 1)], (-1,)),
    (com.cat, torch.cat, [(2, 3), (0,), (1, 3)], ()), (com.stack, torch.stack, [(2, 3)] * 3, (1,)),
    (com.stack, torch.stack, [(), ()], (-1,)), (com.hstack, torch.hstack, [(2,), (3,)], ()),
    (com.hstack, torch.hstack, [(2, 3), (2, 1)], ()),
    (com.vstack, torch.vstack, [(3,), (2, 3)], ()),
    (com.dstack, torch.dstack, [(3,), (3,)], ()), (com.vstack, torch.vstack, [(), ()], ()),
    (com.column_stack, torch.column_stack, [(3,), (3, 2)], ()),
]


@pytest.mark.parametrize("ours,theirs,shapes,args", JOINS)
def test_joins(ours, theirs, shapes, args):
    check(ours, theirs, [leaf(*s) for s in shapes], *args)


@pytest.mark.filterwarnings("ignore")
def test_grids():
    check(com.block_diag, torch.block_diag, leaf(2, 3), leaf(2), leaf(), leaf(1, 2))
    for indexing in ("ij", "xy"):
        check(com.meshgrid, torch.meshgrid, leaf(2), leaf(3), leaf(4), indexing=indexing)
    check(com.cartesian_prod, torch.cartesian_prod, leaf(2), leaf(3), leaf(2))
    check(com.combinations, torch.combinations, leaf(4), 3)
    check(com.combinations, torch.combinations, leaf(4), 2, True)
    check(com.cat, torch.cat, [torch.ones(2).int(), torch.ones(2).half()])
    check(com.cat, torch.cat, [torch.ones(2).int(), torch.ones(2, dtype=torch.int64)])


CASES = [
    (rea.flip, torch.flip, (2, 3, 4), ((0, -1),)), (rea.fliplr, torch.fliplr, (2, 3), ()),
    (rea.flipud, torch.flipud, (2, 3), ()), (rea.rot90, torch.rot90, (2, 3, 4), (1, (0, 2))),
    (rea.rot90, torch.rot90, (2, 3), (-1,)), (rea.rot90, torch.rot90, (2, 3), (2,)),
    (rea.roll, torch.roll, (2, 3), (2,)), (rea.roll, torch.roll, (4, 3), ((1, -5), (0, 1))),
    (rea.roll, torch.roll, (4, 3), (-1, 0)), (rea.repeat, torch.Tensor.repeat, (2, 3), (2, 1, 3)),
    (rea.repeat, torch.Tensor.repeat, (2, 3), ((0, 2),)), (rea.tile, torch.tile, (2, 3), ((2,),)),
    (rea.tile, torch.tile, (2,), ((2, 3),)),
    (rea.repeat_interleave, torch.repeat_interleave, (2, 3), (2,)),
    (rea.repeat_interleave, torch.repeat_interleave, (2, 3), (2, 1)),
    (rea.repeat_interleave, torch.repeat_interleave, (2, 3), (torch.tensor([1, 0, 3]), 1)),
    (rea.pixel_shuffle, F.pixel_shuffle, (2, 8, 2, 3), (2,)),
    (rea.pixel_unshuffle, F.pixel_unshuffle, (2, 2, 4, 6), (2,)),
    (rea.channel_shuffle, F.channel_shuffle, (2, 6, 2, 3), (3,)),
    (tri.tril, torch.tril, (2, 3, 4), (1,)), (tri.triu, torch.triu, (4, 3), (-1,)),
    (tri.diag, torch.diag, (3,), (1,)), (tri.diag, torch.diag, (3, 4), (-1,)),
    (tri.diag_embed, torch.diag_embed, (2, 3), (1, 0, 2)), (tri.trace, torch.trace, (3, 4), ()),
    (tri.diag_embed, torch.diag_embed, (2, 3), (-2,)), (tri.diagflat, torch.diagflat, (2, 2), (1,)),
    (pads.pad, F.pad, (2, 3), ((1, 2),)),
    (pads.pad, F.pad, (2, 3), ((1, -1, -1, 3), "constant", 2.5)),
    (pads.pad, F.pad, (2, 3, 4), ((3, 2), "reflect")),
    (pads.pad, F.pad, (2, 3, 4, 5), ((1, 2, 2, 0), "reflect")),
    (pads.pad, F.pad, (2, 3, 4), ((5, 2), "replicate")),
    (pads.pad, F.pad, (2, 3, 4, 5), ((1, 2, 2, -1), "replicate")),
    (pads.pad, F.pad, (2, 3, 4), ((3, 4), "circular")),
    (pads.pad, F.pad, (2, 3, 4, 5), ((1, 2, 0, 3), "circular")),
    (pads.pad, F.pad, (2, 3, 4, 5, 3), ((1, 2, 0, 3, 1, 1), "reflect")),
]


@pytest.mark.parametrize("ours,theirs,shape,args", CASES)
def test_moves(ours, theirs, shape, args):
    check(ours, theirs, leaf(*shape), *args)


def test_scatters():
    x = leaf(3, 4)
    check(rea.select_scatter, torch.select_scatter, x, leaf(3), 1, -1)
    check(rea.slice_scatter, torch.slice_scatter, x, leaf(2, 4), 0, 0, 3, 2)
    check(rea.diagonal_scatter, torch.diagonal_scatter, x, leaf(3), 1)
    y = x.detach()                            # PyTorch's gradient of the base is wrong
    check(rea.as_strided_scatter, torch.as_strided_scatter, y, leaf(2, 2), (2, 2), (4, 2), 1)
    check(rea.repeat_interleave, torch.repeat_interleave, torch.tensor([2, 0, 1]))
    check(tri.trace, torch.trace, torch.ones(3, 3, dtype=torch.int32))


z = torch.zeros
ERRORS = [
    (com.cat, torch.cat, []), (com.cat, torch.cat, [z(2, 3), z(3, 2)]),
    (com.cat, torch.cat, [z(2, 3), z(3)]), (com.cat, torch.cat, [z(()), z(3)]),
    (com.cat, torch.cat, [z(2, 3), z(2, 3)], 3), (com.stack, torch.stack, []),
    (com.stack, torch.stack, [z(2, 3), z(3, 2)]), (com.hstack, torch.hstack, [z(2, 3), z(3, 2)]),
    (com.block_diag, torch.block_diag, z(2, 3, 4)), (com.cat, torch.cat, 5),
    (com.cartesian_prod, torch.cartesian_prod, z(2, 2)), (rea.flip, torch.flip, z(2, 2), (0, 0)),
    (rea.flip, torch.flip, z(2, 2), (2,)), (rea.fliplr, torch.fliplr, z(2)),
    (rea.rot90, torch.rot90, z(2)), (rea.rot90, torch.rot90, z(2, 2), 1, (0, 0)),
    (rea.rot90, torch.rot90, z(2, 2), 1, (0, 3)), (rea.roll, torch.roll, z(2, 2), (1, 2), (0,)),
    (rea.roll, torch.roll, z(2, 2), (1, 2)), (rea.repeat, torch.Tensor.repeat, z(2, 2), 2),
    (rea.repeat, torch.Tensor.repeat, z(2, 2), -2, 1),
    (rea.repeat_interleave, torch.repeat_interleave, z(3), torch.tensor([1, 2])),
    (rea.repeat_interleave, torch.repeat_interleave, z(3), -1),
    (rea.repeat_interleave, torch.repeat_interleave, z(3), torch.tensor([1, -2, 1])),
    (pads.pad, F.pad, z(2), (1,)), (pads.pad, F.pad, z(2), (1, 1, 1, 1)),
    (pads.pad, F.pad, z(2, 3, 4), (4, 0), "reflect"), (pads.pad, F.pad, z(2, 3), (1, 1), "foo"),
    (pads.pad, F.pad, z(2, 3, 4), (5, 0), "circular"), (pads.pad, F.pad, z(2), (-2, -1)),
    (pads.pad, F.pad, z(2, 3, 4), (1, 1, 1, 1, 1, 1), "reflect"),
    (pads.pad, F.pad, z(2, 3, 4), (1, 1), "reflect", 1.0),
    (rea.pixel_shuffle, F.pixel_shuffle, z(1, 6, 2, 2), 2), (tri.tril, torch.tril, z(3)),
    (rea.pixel_unshuffle, F.pixel_unshuffle, z(1, 6, 3, 2), 2), (tri.trace, torch.trace, z(3)),
    (rea.channel_shuffle, F.channel_shuffle, z(1, 6, 3, 2), 4), (tri.diag, torch.diag, z(3, 3, 3)),
    (rea.pixel_shuffle, F.pixel_shuffle, z(6, 2), 2),
    (tri.diag_embed, torch.diag_embed, z(3), 0, 0, 0),
    (rea.select_scatter, torch.select_scatter, z(3, 3), z(2), 0, 1),
]


@pytest.mark.parametrize("ours,theirs,args", [(o, t, a) for o, t, *a in ERRORS])
def test_errors(ours, theirs, args):
    got, want = raises_alike(ours, theirs, *args)
    assert got == want

"""Views of nodes and of layouts agree with PyTorch."""
import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.filterwarnings("ignore")

from flambeau.core import layout as lay  # noqa: E402
from flambeau.ops import movement, splitting, view  # noqa: E402, F401

from .nodes import check, leaf, raises_alike  # noqa: E402

CASES = [
    (view.view, torch.Tensor.view, (2, 3, 4), (6, -1)),
    (view.view, torch.Tensor.view, (2, 3, 4), ((4, 6),)),
    (view.reshape, torch.reshape, (2, 3, 4), ((-1,),)),
    (view.flatten, torch.flatten, (2, 3, 4), (1,)),
    (view.flatten, torch.flatten, (), ()),
    (view.ravel, torch.ravel, (2, 3), ()),
    (view.unflatten, torch.unflatten, (2, 12), (1, (3, -1))),
    (view.squeeze, torch.Tensor.squeeze, (1, 3, 1), ()),
    (view.squeeze, torch.Tensor.squeeze, (1, 3, 1), (-1,)),
    (view.squeeze, torch.Tensor.squeeze, (1, 3, 1), ((0, 2),)),
    (view.squeeze, torch.Tensor.squeeze, (1, 3, 1), (1,)),
    (view.unsqueeze, torch.unsqueeze, (2, 3), (-1,)),
    (view.expand, torch.Tensor.expand, (3, 1), (2, -1, 4)),
    (view.broadcast_to, torch.broadcast_to, (3, 1), ((3, 2),)),
    (view.permute, torch.permute, (2, 3, 4), ((2, 0, -2),)),
    (view.transpose, torch.transpose, (2, 3, 4), (0, -1)),
    (view.t, torch.t, (2, 3), ()),
    (view.movedim, torch.movedim, (2, 3, 4), ((0, 1), (2, 0))),
    (view.movedim, torch.movedim, (2, 3, 4), (0, -1)),
    (view.select, torch.select, (2, 3, 4), (1, -1)),
    (view.narrow, torch.narrow, (5, 3), (0, 1, 3)),
    (view.narrow, torch.narrow, (5, 3), (0, -2, 2)),
    (view.diagonal, torch.diagonal, (4, 3, 4), (1, 0, 2)),
    (view.diagonal, torch.diagonal, (4, 3), (-1,)),
    (view.linalg_diagonal, torch.linalg.diagonal, (4, 3, 2), ()),
    (view.unfold, torch.Tensor.unfold, (7, 3), (0, 3, 2)),
    (view.unfold, torch.Tensor.unfold, (7, 3), (0, 3, 4)),
    (view.as_strided, torch.as_strided, (12,), ((3, 2), (2, 1), 1)),
    (view.as_strided, torch.as_strided, (12,), ((3, 4), (1, 1), 2)),
    (view.atleast_1d, torch.atleast_1d, (), ()),
    (view.atleast_2d, torch.atleast_2d, (3,), ()),
    (view.atleast_3d, torch.atleast_3d, (3, 2), ()),
    (view.atleast_3d, torch.atleast_3d, (3,), ()),
    (splitting.split, torch.split, (7, 2), (3,)),
    (splitting.split, torch.split, (7, 2), ([3, 4],)),
    (splitting.chunk, torch.chunk, (7, 2), (3,)),
    (splitting.chunk, torch.chunk, (4, 2), (3,)),
    (splitting.tensor_split, torch.tensor_split, (7, 2), (3,)),
    (splitting.tensor_split, torch.tensor_split, (7, 2), ((1, 5, 9),)),
    (splitting.unbind, torch.unbind, (2, 3), (1,)),
    (splitting.hsplit, torch.hsplit, (4, 6), (3,)),
    (splitting.vsplit, torch.vsplit, (4, 6), ((1, 2),)),
    (splitting.dsplit, torch.dsplit, (2, 2, 6), (2,)),
]


@pytest.mark.parametrize("ours,theirs,shape,args", CASES)
def test_nodes_and_layouts(ours, theirs, shape, args):
    x = leaf(*shape)
    check(ours, theirs, x, *args)
    base = torch.zeros(shape)
    want = theirs(base, *args)
    found = ours(lay.contiguous(shape), *args)
    pairs = zip(found, want) if isinstance(found, tuple) else [(found, want)]
    for got, view_ in pairs:
        assert got.shape == tuple(view_.shape)
        assert got.stride == view_.stride()
        assert got.offset == view_.storage_offset()


def test_layout_that_needs_a_copy():
    at = view.transpose(lay.contiguous((2, 3)), 0, 1)
    assert view.reshape(at, (6,)) is None
    with pytest.raises(RuntimeError, match="view size is not compatible"):
        view.view(at, 6)


ERRORS = [
    (view.view, torch.Tensor.view, (2, 3), (4,)),
    (view.view, torch.Tensor.view, (2, 3), (-1, -1)),
    (view.reshape, torch.reshape, (2, 3), ((-1, 4),)),
    (view.flatten, torch.flatten, (2, 3), (1, 0)),
    (view.unflatten, torch.unflatten, (2, 12), (1, (5, 2))),
    (view.unsqueeze, torch.unsqueeze, (2, 3), (4,)),
    (view.expand, torch.Tensor.expand, (3, 2), (3, 4)),
    (view.permute, torch.permute, (2, 3), ((0, 0),)),
    (view.permute, torch.permute, (2, 3), ((0,),)),
    (view.t, torch.t, (2, 3, 4), ()),
    (view.movedim, torch.movedim, (2, 3, 4), ((0, 1), (2,))),
    (view.movedim, torch.movedim, (2, 3, 4), ((0, 0), (2, 1))),
    (view.select, torch.select, (2, 3), (0, 2)),
    (view.select, torch.select, (), (0, 0)),
    (view.narrow, torch.narrow, (5, 3), (0, 3, 3)),
    (view.narrow, torch.narrow, (5, 3), (0, 6, 0)),
    (view.diagonal, torch.diagonal, (2, 3), (0, 1, 1)),
    (view.unfold, torch.Tensor.unfold, (2, 3), (0, 3, 1)),
    (view.unfold, torch.Tensor.unfold, (2, 3), (0, 2, 0)),
    (splitting.split, torch.split, (7,), (-1,)),
    (splitting.split, torch.split, (7,), ([3, 3],)),
    (splitting.chunk, torch.chunk, (7,), (0,)),
    (splitting.tensor_split, torch.tensor_split, (7,), (0,)),
    (splitting.unbind, torch.unbind, (), ()),
    (splitting.hsplit, torch.hsplit, (4, 6), (4,)),
    (splitting.vsplit, torch.vsplit, (4,), (2,)),
]


@pytest.mark.parametrize("ours,theirs,shape,args", ERRORS)
def test_errors(ours, theirs, shape, args):
    got, want = raises_alike(ours, theirs, torch.zeros(shape), *args)
    assert got == want

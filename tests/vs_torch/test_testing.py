"""assert_close and pytrees against PyTorch's."""

from __future__ import annotations

from collections import OrderedDict, defaultdict, deque, namedtuple
from typing import Any

import pytest

import flambeau
from flambeau.utils import _pytree as ours

torch = pytest.importorskip("torch")
from torch.utils import _pytree as theirs  # noqa: E402

Pair = namedtuple("Pair", "a b")
NAN = float("nan")

CASES: dict[str, Any] = {
    "equal": lambda t: (t.ones(2), t.ones(2)), "far": lambda t: (t.ones(2), t.ones(2) + 1),
    "near": lambda t: (t.ones(2), t.ones(2) + 1e-6),
    "edge": lambda t: (t.full((2,), 1 + 1.2e-5), t.ones(2)),
    "dtype": lambda t: (t.ones(2), t.ones(2).double()),
    "shape": lambda t: (t.ones(2), t.ones(3)),
    "int": lambda t: (t.tensor([1, 2]), t.tensor([1, 3])),
    "bool": lambda t: (t.tensor([True]), t.tensor([False])),
    "nan": lambda t: (t.tensor(NAN), t.tensor(NAN)),
    "inf": lambda t: (t.tensor(float("inf")), t.ones(())),
    "numbers": lambda t: (1.0, 1.0 + 1e-9), "numbers far": lambda t: (1, 2),
    "number types": lambda t: (1, 1.0), "lists": lambda t: ([t.ones(1), 2], [t.ones(1), 2]),
    "list lengths": lambda t: ([1], [1, 2]),
    "dicts": lambda t: ({"a": t.ones(1)}, {"b": t.ones(1)}),
    "deep": lambda t: ({"a": [t.ones(1)]}, {"a": [t.zeros(1)]}),
    "half": lambda t: (t.ones(2).half(), (t.ones(2) + 1e-3).half()),
    "bfloat16": lambda t: (t.ones(2).bfloat16(), (t.ones(2) + 1e-2).bfloat16()),
    "complex": lambda t: (t.tensor([1 + 1j]), t.tensor([1 + 2j])), "none": lambda t: (None, None),
    "none and number": lambda t: (None, 1), "scalar": lambda t: (t.tensor(1.0), t.tensor(2.0)),
    "matrix": lambda t: (t.eye(3), t.eye(3) + t.tensor([[0, 0, 0], [0, 0, 2.0], [0, 0, 1]])),
    "negative ints": lambda t: (t.tensor([-5]), t.tensor([5])), "strings": lambda t: ("a", "a"),
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("how", [{}, {"rtol": 0.2, "atol": 0.1}, {"equal_nan": True},
                                 {"check_dtype": False}])
def test_verdicts(name: str, how: dict[str, Any]) -> None:
    found = []
    for t in (torch, flambeau):
        a, b = CASES[name](t)
        try:
            t.testing.assert_close(a, b, **how)
            found.append(("fine", ""))
        except (AssertionError, TypeError) as error:
            found.append((type(error).__name__, str(error).splitlines()[0].split("(")[0]))
    assert found[0][0] == found[1][0]
    if found[0][0] == "AssertionError" and "mappings" not in found[0][1]:
        assert found[0][1].split(":")[0][:30] == found[1][1].split(":")[0][:30]


TREES = [
    1, None, [], (), {}, [1, 2], (1, [2, (3,)]), {"b": 1, "a": [2]}, Pair(1, [2]),
    OrderedDict(x=1, y=(2, 3)), deque([1, 2], maxlen=3), defaultdict(list, {"k": [1]}),
    {"n": None, "t": Pair((1,), {})},
]


@pytest.mark.parametrize("tree", TREES, ids=str)
def test_pytrees(tree: Any) -> None:
    leaves, spec = ours.tree_flatten(tree)
    expected, expected_spec = theirs.tree_flatten(tree)
    assert leaves == expected
    assert spec.num_leaves == expected_spec.num_leaves
    again = ours.tree_unflatten(leaves, spec)
    assert again == tree
    assert type(again) is type(tree)
    for module in (ours, theirs):
        assert module.tree_map(lambda x: (x, 1), tree) == ours.tree_map(lambda x: (x, 1), tree)
    a = [(ours.keystr(k), v) for k, v in ours.tree_flatten_with_path(tree)[0]]
    assert a == [(theirs.keystr(k), v) for k, v in theirs.tree_flatten_with_path(tree)[0]]


def test_pytree_functions() -> None:
    for m in (ours, theirs):
        assert m.tree_map_only(int, lambda x: x + 1, [1, "a", (2.0, 3)]) == [2, "a", (2.0, 4)]
        assert m.tree_map(lambda a, b: a + b, [1, (2,)], [10, (20,)]) == [11, (22,)]
        assert m.tree_any(lambda x: x > 2, [1, 3])
        assert not m.tree_all(lambda x: x > 2, [1, 3])
        assert m.tree_all_only(int, lambda x: x > 0, [1, "s"])
        assert m.tree_leaves([1, [2]], is_leaf=lambda x: x == [2]) == [1, [2]]
        assert m._broadcast_to_and_flatten(0, m.tree_flatten([1, [2, 3]])[1]) == [0, 0, 0]
        with pytest.raises(ValueError, match=r"leaves|elements"):
            m.tree_unflatten([1], m.tree_flatten([1, 2])[1])

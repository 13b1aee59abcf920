"""Attention large enough to be one kernel agrees with PyTorch, forward and gradients."""
from __future__ import annotations

import math
import random
from typing import Any

import numpy as np
import pytest

theirs = pytest.importorskip("torch")
pytestmark = pytest.mark.filterwarnings("ignore")

import flambeau as ours  # noqa: E402
from flambeau.graph import attend  # noqa: E402

TOLERANCE = {"float32": 2e-4, "float64": 1e-10, "bfloat16": 6e-2, "float16": 1e-2}


def random_case(seed: int) -> dict[str, Any]:
    rng = random.Random(seed)
    rows = rng.choice([16, 17, 31, 33, 40, 64, 100])
    causal = rng.random() < 0.4
    return {
        "batch": rng.choice([1, 2, 3, 8]), "heads": rng.choice([2, 4]), "rows": rows,
        "columns": rng.choice([rows, 16, 19, 50, 90]), "wide": rng.choice([8, 16, 20]),
        "value": rng.choice([16, 24]), "dtype": rng.choice(["float32"] * 4 + list(TOLERANCE)),
        "causal": causal, "seed": seed,
        "mask": None if causal else rng.choice([None, "bool", "float", "keys", "all"]),
        "grouped": rng.random() < 0.2, "by_hand": rng.random() < 0.3,
    }


def mask_of(case: dict[str, Any], rng: np.random.RandomState) -> np.ndarray | None:
    rows, columns = case["rows"], case["columns"]
    if case["mask"] == "keys":
        mask = rng.rand(case["batch"], 1, 1, columns) > 0.2
        mask[..., 0] = True
        return mask
    if case["mask"] == "all":
        return rng.rand(case["batch"], case["heads"], rows, columns) > 0.3
    if case["mask"] is None:
        return None
    mask = rng.rand(rows, columns) > 0.3
    mask[rows // 2] = False                              # nothing to attend to
    return mask if case["mask"] == "bool" else np.where(mask, rng.randn(rows, columns), -np.inf)


def attention(torch: Any, case: dict[str, Any], q: Any, k: Any, v: Any, mask: Any) -> Any:
    if not case["by_hand"] or case["grouped"]:
        more = {"enable_gqa": True} if case["grouped"] else {}
        return torch.nn.functional.scaled_dot_product_attention(
            q, k, v, attn_mask=mask, is_causal=case["causal"], **more)
    scores = (q @ k.transpose(-2, -1)) / math.sqrt(case["wide"])
    if case["causal"]:
        mask = torch.ones(case["rows"], case["columns"]).tril().bool()
    if mask is not None:
        scores = scores.masked_fill(~mask, -math.inf) if mask.dtype is torch.bool else scores + mask
    return torch.softmax(scores, -1) @ v


def run(torch: Any, case: dict[str, Any]) -> list[np.ndarray]:
    rng = np.random.RandomState(case["seed"])
    batch, heads, rows = case["batch"], case["heads"], case["rows"]
    fewer = heads // 2 if case["grouped"] else heads
    kind = getattr(torch, case["dtype"])
    shapes = [(heads, rows, case["wide"]), (fewer, case["columns"], case["wide"]),
              (fewer, case["columns"], case["value"])]
    q, k, v = (torch.from_numpy(rng.randn(batch, *s)).to(kind).requires_grad_() for s in shapes)
    g = torch.from_numpy(rng.randn(batch, heads, rows, case["value"])).to(kind)
    mask = mask_of(case, rng)
    given = None if mask is None else torch.from_numpy(mask)
    if mask is not None and mask.dtype != bool:
        given = given.to(kind)
    out = attention(torch, case, q, k, v, given)
    (out * g).sum().backward()
    return [x.detach().to(torch.float64).numpy() for x in (out, q.grad, k.grad, v.grad)]


@pytest.mark.parametrize("seed", range(24))
def test_random_attention(seed: int) -> None:
    case = random_case(seed)
    tolerance = TOLERANCE[case["dtype"]]
    for found, wanted in zip(run(ours, case), run(theirs, case)):
        size = np.abs(wanted[np.isfinite(wanted)]).max(initial=1)
        np.testing.assert_allclose(found, wanted, tolerance, tolerance * size, err_msg=str(case))


def test_they_are_one_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    built = []
    original = attend.build
    monkeypatch.setattr(attend, "build", lambda *a: built.append(a[1]) or original(*a))
    q = ours.randn(2, 2, 40, 24, requires_grad=True)
    (ours.nn.functional.scaled_dot_product_attention(q, q, q, is_causal=True) ** 2).sum().backward()
    q.grad.numpy()
    assert built

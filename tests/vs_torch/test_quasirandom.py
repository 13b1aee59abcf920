"""SobolEngine draws PyTorch's points, scrambled ones too."""
from __future__ import annotations

import pytest

import flambeau
from flambeau import quasirandom

pytest.importorskip("torch")
pytest.importorskip("scipy")
import torch


@pytest.mark.parametrize("dimension", [1, 3, 20])
@pytest.mark.parametrize("scramble", [False, True])
def test_the_same_points(dimension: int, scramble: bool) -> None:
    ours = quasirandom.SobolEngine(dimension, scramble, seed=3)
    theirs = torch.quasirandom.SobolEngine(dimension, scramble, seed=3)
    assert ours.draw(5).tolist() == theirs.draw(5).tolist()
    assert ours.fast_forward(6).draw(9).tolist() == theirs.fast_forward(6).draw(9).tolist()
    assert ours.reset().draw_base2(4).tolist() == theirs.reset().draw_base2(4).tolist()
    with pytest.raises(ValueError, match="power of 2"):
        ours.draw(1)
        ours.draw_base2(4)


def test_wrong_dimensions_are_refused() -> None:
    with pytest.raises(ValueError, match="21201"):
        quasirandom.SobolEngine(0)
    assert flambeau.quasirandom is quasirandom

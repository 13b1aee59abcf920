"""torch.nn.attention.flex_attention: attention whose scores a function changes or masks.

In: query (B, H, L, E), key and value (B, H, S, E), `score_mod(score, b, h, q, k)` and a BlockMask
of `mask_mod(b, h, q, k)`. Out: (B, H, L, E). The functions are called once, with index tensors that
broadcast over all scores: as they act on single numbers, that is the same.
"""
from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

from ... import api as torch
from ...tensor.tensor import Tensor

_DEFAULT_SPARSE_BLOCK_SIZE = 128
_ModMask = Callable[[Any, Any, Any, Any], Any]
_ModScore = Callable[[Any, Any, Any, Any, Any], Any]


class AuxRequest(NamedTuple):
    """What else is wanted: the log-sum-exp, the greatest scores."""

    lse: bool = False
    max_scores: bool = False


class AuxOutput(NamedTuple):
    """What else was wanted."""

    lse: Any = None
    max_scores: Any = None


def _identity(score: Any, batch: Any, head: Any, token_q: Any, token_kv: Any) -> Any:
    return score


def noop_mask(batch: Any, head: Any, token_q: Any, token_kv: Any) -> Any:
    """Everything may be looked at."""
    return token_q.new_ones((), dtype=torch.bool)


def _indices(b: int, h: int, q: int, k: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Index tensors that broadcast to (B, H, L, S)."""
    return (torch.arange(b).reshape(b, 1, 1, 1), torch.arange(h).reshape(1, h, 1, 1),
            torch.arange(q).reshape(1, 1, q, 1), torch.arange(k).reshape(1, 1, 1, k))


def create_mask(mod_fn: Any, B: int | None, H: int | None, Q_LEN: int,  # noqa: N803
                KV_LEN: int, device: Any = None) -> Tensor:  # noqa: N803
    """The bools of a mask function, (B or 1, H or 1, Q_LEN, KV_LEN)."""
    b, h = B or 1, H or 1
    found = mod_fn(*_indices(b, h, Q_LEN, KV_LEN))
    return torch.broadcast_to(found, (b, h, Q_LEN, KV_LEN))


class BlockMask:
    """A mask function with the sizes that it is for."""

    def __init__(self, mask_mod: _ModMask, shape: tuple[int, int, int, int],
                 block_size: tuple[int, int]) -> None:
        self.mask_mod = mask_mod
        self.shape = shape
        self.seq_lengths = shape[2:]
        self.BLOCK_SIZE = block_size
        self._dense: Tensor | None = None

    def dense(self) -> Tensor:
        """The bools, made once."""
        if self._dense is None:
            self._dense = create_mask(self.mask_mod, *self.shape)
        return self._dense

    def to_dense(self) -> Tensor:
        """Which blocks have something to look at, as ints."""
        b, h, q, k = self.shape
        bq, bk = self.BLOCK_SIZE
        full = torch.zeros(b, h, -(-q // bq) * bq, -(-k // bk) * bk, dtype=torch.bool)
        full[:, :, :q, :k] = self.dense()
        blocks = full.reshape(b, h, full.shape[2] // bq, bq, full.shape[3] // bk, bk)
        return blocks.any(dim=5).any(dim=3).to(torch.int32)

    def sparsity(self) -> float:
        """How many percent of the blocks are empty."""
        return 100.0 * (1.0 - self.to_dense().to(torch.float32).mean().item())

    def to(self, device: Any) -> BlockMask:
        return self

    def __repr__(self) -> str:
        return f"BlockMask(shape={self.shape}, sparsity={self.sparsity():.2f}%)"


def create_block_mask(mask_mod: _ModMask, B: int | None, H: int | None,  # noqa: N803
                      Q_LEN: int, KV_LEN: int, device: Any = None,  # noqa: N803
                      BLOCK_SIZE: Any = _DEFAULT_SPARSE_BLOCK_SIZE,  # noqa: N803
                      _compile: bool = False) -> BlockMask:
    """The mask of a function for given sizes."""
    size = (BLOCK_SIZE, BLOCK_SIZE) if isinstance(BLOCK_SIZE, int) else tuple(BLOCK_SIZE)
    return BlockMask(mask_mod, (B or 1, H or 1, Q_LEN, KV_LEN), size)


def and_masks(*mask_mods: _ModMask) -> _ModMask:
    """Where all of the masks allow."""
    def both(b: Any, h: Any, q: Any, k: Any) -> Any:
        found = mask_mods[0](b, h, q, k)
        for mod in mask_mods[1:]:
            found = found & mod(b, h, q, k)
        return found

    return both


def or_masks(*mask_mods: _ModMask) -> _ModMask:
    """Where one of the masks allows."""
    def either(b: Any, h: Any, q: Any, k: Any) -> Any:
        found = mask_mods[0](b, h, q, k)
        for mod in mask_mods[1:]:
            found = found | mod(b, h, q, k)
        return found

    return either


def flex_attention(query: Tensor, key: Tensor, value: Tensor, score_mod: _ModScore | None = None,
                   block_mask: BlockMask | None = None, scale: float | None = None,
                   enable_gqa: bool = False, return_lse: bool = False, kernel_options: Any = None,
                   *, return_aux: AuxRequest | None = None) -> Any:
    """softmax(score_mod(query key^T scale)) value, over what the mask allows; 0 for empty rows."""
    b, h, q = query.shape[:3]
    if enable_gqa and key.shape[1] != h:
        key = key.repeat_interleave(h // key.shape[1], 1)
        value = value.repeat_interleave(h // value.shape[1], 1)
    elif key.shape[1] != h:
        raise ValueError(f"Expect query and key/value to have the same number of heads but got "
                         f"Hq={h} and Hkv={key.shape[1]}. Try setting enable_gqa=True for GQA.")
    k = key.shape[2]
    factor = 1.0 / math.sqrt(query.shape[-1]) if scale is None else scale
    scores = torch.matmul(query, key.transpose(-2, -1)).float() * factor
    if score_mod is not None:
        scores = score_mod(scores, *_indices(b, h, q, k))
    if block_mask is not None:
        allowed = block_mask.dense()[:, :, :q, :k]
        scores = torch.where(allowed, scores, float("-inf"))
    lse = torch.logsumexp(scores, -1)
    safe = torch.where(torch.isinf(lse), 0.0, lse)
    weights = torch.exp(scores - safe.unsqueeze(-1))
    out = torch.matmul(weights.to(query.dtype), value)
    if return_aux is not None:
        most = torch.amax(scores, -1) if return_aux.max_scores else None
        return out, AuxOutput(lse if return_aux.lse else None, most)
    return (out, lse) if return_lse else out


__all__ = ["AuxOutput", "AuxRequest", "BlockMask", "and_masks", "create_block_mask",
           "create_mask", "flex_attention", "noop_mask", "or_masks"]

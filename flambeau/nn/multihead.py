"""multi_head_attention_forward: what MultiheadAttention computes, as a function of its parameters.

In: queries, keys and values (L, N, E), the layer's parameters and masks. Out: the attended values
and, if wanted, the weights.
"""
from __future__ import annotations

import math
import warnings
from typing import Any

from ..tensor.dropout import dropout
from ..tensor.names import PUBLIC
from .base import Tensor, torch

_TABLE = PUBLIC.setdefault("nn.functional", {})


def _none_or_dtype(input: Any) -> Any:
    """The mask's dtype, or None."""
    if input is None:
        return None
    if isinstance(input, Tensor):
        return input.dtype
    raise RuntimeError("input to _none_or_dtype() must be None or torch.Tensor")


def _canonical_mask(mask: Any, mask_name: str, other_type: Any, other_name: str, target_type: Any,
                    check_other: bool = True) -> Any:
    """A mask as numbers to add: a bool mask becomes -inf where it is True."""
    if mask is None:
        return None
    is_float = mask.is_floating_point()
    if mask.dtype is not torch.bool and not is_float:
        raise AssertionError(f"only bool and floating types of {mask_name} are supported")
    if check_other and other_type is not None and mask.dtype != other_type:
        warnings.warn(f"Support for mismatched {mask_name} and {other_name} is deprecated. Use "
                      "same type for both instead.", stacklevel=3)
    if is_float:
        return mask
    return torch.zeros_like(mask, dtype=target_type).masked_fill_(mask, float("-inf"))


def _mha_shape_check(query: Tensor, key: Tensor, value: Tensor, key_padding_mask: Any,
                     attn_mask: Any, num_heads: int) -> bool:
    """Whether the input is batched; AssertionError if ranks do not go together."""
    rank = query.dim()
    if rank not in (2, 3):
        raise AssertionError("query should be unbatched 2D or batched 3D tensor but received "
                             f"{rank}-D query tensor")
    kind = "batched (3-D)" if rank == 3 else "unbatched (2-D)"
    if key.dim() != rank or value.dim() != rank:
        raise AssertionError(f"For {kind} `query`, expected `key` and `value` to be {rank}-D but "
                             f"found {key.dim()}-D and {value.dim()}-D tensors respectively")
    if key_padding_mask is not None and key_padding_mask.dim() != rank - 1:
        raise AssertionError(f"For {kind} `query`, expected `key_padding_mask` to be `None` or "
                             f"{rank - 1}-D but found {key_padding_mask.dim()}-D tensor instead")
    if attn_mask is not None:
        if attn_mask.dim() not in (2, 3):
            raise AssertionError(f"For {kind} `query`, expected `attn_mask` to be `None`, 2-D or "
                                 f"3-D but found {attn_mask.dim()}-D tensor instead")
        expected = (num_heads, query.shape[0], key.shape[0])
        if rank == 2 and attn_mask.dim() == 3 and tuple(attn_mask.shape) != expected:
            raise AssertionError(f"Expected `attn_mask` shape to be {expected} but got "
                                 f"{attn_mask.shape}")
    return rank == 3


def _in_projection_packed(q: Tensor, k: Tensor, v: Tensor, w: Tensor, b: Any = None) -> Any:
    """Queries, keys and values by one weight (3 E, E); one product where inputs are the same."""
    linear = _TABLE["linear"]
    width = q.size(-1)
    if k is v and q is k:
        return linear(q, w, b).chunk(3, -1)
    b_q, b_kv = (None, None) if b is None else b.split([width, width * 2])
    w_q, w_kv = w.split([width, width * 2])
    if k is v:
        return (linear(q, w_q, b_q), *linear(k, w_kv, b_kv).chunk(2, -1))
    w_k, w_v = w_kv.chunk(2)
    b_k, b_v = (None, None) if b_kv is None else b_kv.chunk(2)
    return linear(q, w_q, b_q), linear(k, w_k, b_k), linear(v, w_v, b_v)


def _in_projection(q: Tensor, k: Tensor, v: Tensor, w_q: Tensor, w_k: Tensor, w_v: Tensor,
                   b_q: Any = None, b_k: Any = None, b_v: Any = None) -> Any:
    """Queries, keys and values by three weights."""
    linear = _TABLE["linear"]
    return linear(q, w_q, b_q), linear(k, w_k, b_k), linear(v, w_v, b_v)


def _checked_mask(mask: Any, length: int, source: int, heads: int) -> Any:
    """attn_mask as (1 or N * heads, L, S)."""
    if mask.dim() == 2:
        expected: tuple[int, ...] = (length, source)
        if tuple(mask.shape) != expected:
            raise RuntimeError(f"The shape of the 2D attn_mask is {mask.shape}, but should be "
                               f"{expected}.")
        return mask.unsqueeze(0)
    if mask.dim() != 3:
        raise RuntimeError(f"attn_mask's dimension {mask.dim()} is not supported")
    expected = (heads, length, source)
    if tuple(mask.shape) != expected:
        raise RuntimeError(f"The shape of the 3D attn_mask is {mask.shape}, but should be "
                           f"{expected}.")
    return mask


def _heads(x: Tensor, count: int, width: int, static: Any, name: str) -> Tensor:
    """(L, N, E) as (N * heads, L, head); a static tensor must have that shape already."""
    if static is None:
        return x.reshape(x.shape[0], count, width).transpose(0, 1)
    if static.size(0) != count:
        raise AssertionError(f"expecting {name}.size(0) of {count}, but got {static.size(0)}")
    if static.size(2) != width:
        raise AssertionError(f"expecting {name}.size(2) of {width}, but got {static.size(2)}")
    return static


def _one_more(mask: Any) -> Any:
    """A mask with a column for an appended key, which everyone may look at."""
    return None if mask is None else _TABLE["pad"](mask, (0, 1))


def _project(query: Tensor, key: Tensor, value: Tensor, packed: Any, bias: Any, separate: bool,
             weights: tuple[Any, Any, Any]) -> Any:
    """The three projections, with one weight or three."""
    if not separate:
        if key.shape != value.shape:
            raise AssertionError(f"key shape {key.shape} does not match value shape {value.shape}")
        if packed is None:
            raise AssertionError("use_separate_proj_weight is False but in_proj_weight is None")
        return _in_projection_packed(query, key, value, packed, bias)
    if key.shape[:2] != value.shape[:2]:
        raise AssertionError(f"key's sequence and batch dims {key.shape[:2]} do not match value's "
                             f"{value.shape[:2]}")
    for name, weight in zip(("q", "k", "v"), weights):
        if weight is None:
            raise AssertionError(f"use_separate_proj_weight is True but {name}_proj_weight is "
                                 "None")
    biases = (None, None, None) if bias is None else bias.chunk(3)
    return _in_projection(query, key, value, *weights, *biases)


def multi_head_attention_forward(
        query: Tensor, key: Tensor, value: Tensor, embed_dim_to_check: int, num_heads: int,
        in_proj_weight: Any, in_proj_bias: Any, bias_k: Any, bias_v: Any, add_zero_attn: bool,
        dropout_p: float, out_proj_weight: Tensor, out_proj_bias: Any, training: bool = True,
        key_padding_mask: Any = None, need_weights: bool = True, attn_mask: Any = None,
        use_separate_proj_weight: bool = False, q_proj_weight: Any = None,
        k_proj_weight: Any = None, v_proj_weight: Any = None, static_k: Any = None,
        static_v: Any = None, average_attn_weights: bool = True,
        is_causal: bool = False) -> tuple[Tensor, Any]:
    """Attention of several heads: output (L, N, E), weights (N, [heads,] L, S) or None.

    key_padding_mask (N, S) and attn_mask (L, S) or (N * heads, L, S) are True or -inf where not to
    look. `is_causal` promises that attn_mask is the causal one.
    """
    batched = _mha_shape_check(query, key, value, key_padding_mask, attn_mask, num_heads)
    if not batched:
        same = {id(x): x.unsqueeze(1) for x in (query, key, value)}
        query, key, value = (same[id(x)] for x in (query, key, value))
        if key_padding_mask is not None:
            key_padding_mask = key_padding_mask.unsqueeze(0)
    length, batch, width = query.shape
    padding = _canonical_mask(key_padding_mask, "key_padding_mask", _none_or_dtype(attn_mask),
                              "attn_mask", query.dtype)
    if is_causal and attn_mask is None:
        raise RuntimeError("Need attn_mask if specifying the is_causal hint. You may use the "
                           "Transformer module method `generate_square_subsequent_mask` to create "
                           "this mask.")
    if is_causal and padding is None and not need_weights:
        attn_mask = None                        # the attention itself knows what causal means
    else:
        attn_mask = _canonical_mask(attn_mask, "attn_mask", None, "", query.dtype, False)
        is_causal = is_causal and padding is None
    if width != embed_dim_to_check:
        raise AssertionError(f"was expecting embedding dimension of {embed_dim_to_check}, but got "
                             f"{width}")
    head = width // num_heads
    if head * num_heads != width:
        raise AssertionError(f"embed_dim {width} not divisible by num_heads {num_heads}")
    q, k, v = _project(query, key, value, in_proj_weight, in_proj_bias, use_separate_proj_weight,
                       (q_proj_weight, k_proj_weight, v_proj_weight))
    rows = batch * num_heads
    if attn_mask is not None:
        attn_mask = _checked_mask(attn_mask, length, key.shape[0], rows)
    if bias_k is not None and bias_v is not None:
        if static_k is not None:
            raise AssertionError("bias cannot be added to static key.")
        if static_v is not None:
            raise AssertionError("bias cannot be added to static value.")
        k = torch.cat([k, bias_k.repeat(1, batch, 1)])
        v = torch.cat([v, bias_v.repeat(1, batch, 1)])
        attn_mask, padding = _one_more(attn_mask), _one_more(padding)
    elif bias_k is not None or bias_v is not None:
        raise AssertionError("bias_k and bias_v must be set together")
    q = _heads(q, rows, head, None, "q")
    k = _heads(k, rows, head, static_k, "static_k")
    v = _heads(v, rows, head, static_v, "static_v")
    if add_zero_attn:
        zeros = torch.zeros((rows, 1, head), dtype=k.dtype, device=k.device)
        k, v = torch.cat([k, zeros], dim=1), torch.cat([v, zeros], dim=1)
        attn_mask, padding = _one_more(attn_mask), _one_more(padding)
    source = k.size(1)
    if padding is not None:
        padding = _per_head(padding, batch, num_heads, source)
        attn_mask = padding if attn_mask is None else attn_mask + padding
    attend = _with_weights if need_weights else _without_weights
    output, weights = attend(q, k, v, attn_mask, dropout_p if training else 0.0, is_causal,
                             batch, num_heads)
    output = _TABLE["linear"](output, out_proj_weight, out_proj_bias)
    output = output.view(length, batch, output.size(1))
    if weights is not None and average_attn_weights:
        weights = weights.mean(dim=1)
    if not batched:
        output = output.squeeze(1)
        weights = None if weights is None else weights.squeeze(0)
    return output, weights


def _per_head(padding: Tensor, batch: int, heads: int, source: int) -> Tensor:
    """(N, S) as (N * heads, 1, S)."""
    if tuple(padding.shape) != (batch, source):
        raise AssertionError(f"expected key_padding_mask.shape[0] to be {batch} and "
                             f"key_padding_mask.shape[1] to be {source}, but got "
                             f"{padding.shape[0]} and {padding.shape[1]}")
    spread = padding.view(batch, 1, 1, source).expand(-1, heads, -1, -1)
    return spread.reshape(batch * heads, 1, source)


def _with_weights(q: Tensor, k: Tensor, v: Tensor, mask: Any, p: float, is_causal: bool,
                  batch: int, heads: int) -> tuple[Tensor, Any]:
    """softmax(q kᵀ / sqrt(d) + mask) v, step by step: the weights are wanted."""
    if is_causal and mask is None:
        raise AssertionError("FIXME: is_causal not implemented for need_weights")
    _rows, length, head = q.shape
    scores = torch.bmm(q * math.sqrt(1.0 / float(head)), k.transpose(-2, -1))
    weights = torch.softmax(scores if mask is None else scores + mask, dim=-1)
    if p > 0.0:
        weights = dropout(weights, p=p)
    output = torch.bmm(weights, v).transpose(0, 1).reshape(length * batch, heads * head)
    return output, weights.view(batch, heads, length, k.size(1))


def _without_weights(q: Tensor, k: Tensor, v: Tensor, mask: Any, p: float, is_causal: bool,
                     batch: int, heads: int) -> tuple[Tensor, Any]:
    """The same as one operation."""
    _, length, head = q.shape
    if mask is not None:
        if mask.size(0) == 1 and mask.dim() == 3:
            mask = mask.unsqueeze(0)
        else:
            mask = mask.view(batch, heads, -1, k.size(1))
    q, k, v = (x.reshape(batch, heads, x.size(1), head) for x in (q, k, v))
    output = _TABLE["scaled_dot_product_attention"](q, k, v, mask, p, is_causal)
    return output.permute(2, 0, 1, 3).reshape(batch * length, heads * head), None

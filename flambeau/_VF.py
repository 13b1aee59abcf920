"""`torch._VF`: layers as functions with every argument in its place, also found in `torch.*`.

In: tensors, and numbers for what `nn.functional` calls by name (reductions: 0 none, 1 mean, 2 sum).
Out: tensors. `nn.functional` does the work.
"""
from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from .nn import functional
from .nn.modules.recurrence import run, step
from .tensor.names import PUBLIC
from .tensor.tensor import Tensor

F: Any = functional                           # its names come from the table
_REDUCTIONS = ("none", "mean", "sum")


def __getattr__(name: str) -> Any:
    """Other functions of `torch` are here too."""
    try:
        return PUBLIC["torch"][name]
    except KeyError:
        raise AttributeError(f"module 'torch._VF' has no attribute '{name}'") from None


# ---------------------------------------------------------------- normalisation


def batch_norm(input: Tensor, weight: Any, bias: Any, running_mean: Any, running_var: Any,
               training: bool, momentum: float, eps: float, cudnn_enabled: bool) -> Tensor:
    """F.batch_norm with every argument in its place."""
    return F.batch_norm(input, running_mean, running_var, weight, bias, training, momentum, eps)


def instance_norm(input: Tensor, weight: Any, bias: Any, running_mean: Any, running_var: Any,
                  use_input_stats: bool, momentum: float, eps: float, cudnn_enabled: bool,
                  ) -> Tensor:
    """F.instance_norm with every argument in its place."""
    return F.instance_norm(input, running_mean, running_var, weight, bias, use_input_stats,
                           momentum, eps)


# ---------------------------------------------------------------- losses


def binary_cross_entropy_with_logits(input: Tensor, target: Tensor, weight: Any = None,
                                     pos_weight: Any = None, reduction: int = 1) -> Tensor:
    """The loss of F, the reduction as a number."""
    return F.binary_cross_entropy_with_logits(input, target, weight, pos_weight=pos_weight,
                                              reduction=_REDUCTIONS[reduction])


def ctc_loss(log_probs: Tensor, targets: Tensor, input_lengths: Any, target_lengths: Any,
             blank: int = 0, reduction: int = 1, zero_infinity: bool = False) -> Tensor:
    """The loss of F, the reduction as a number."""
    return F.ctc_loss(log_probs, targets, input_lengths, target_lengths, blank,
                      _REDUCTIONS[reduction], zero_infinity)


def kl_div(input: Tensor, target: Tensor, reduction: int = 1, *, log_target: bool = False,
           ) -> Tensor:
    """The loss of F, the reduction as a number."""
    return F.kl_div(input, target, reduction=_REDUCTIONS[reduction], log_target=log_target)


def poisson_nll_loss(input: Tensor, target: Tensor, log_input: bool, full: bool, eps: float,
                     reduction: int) -> Tensor:
    """The loss of F, the reduction as a number."""
    return F.poisson_nll_loss(input, target, log_input, full, eps=eps,
                              reduction=_REDUCTIONS[reduction])


# ---------------------------------------------------------------- others


def rrelu(input: Tensor, lower: float = 1.0 / 8, upper: float = 1.0 / 3, training: bool = False,
          generator: Any = None) -> Tensor:
    """leaky_relu with a slope drawn for each element."""
    return F.rrelu(input, lower, upper, training)


def rrelu_(input: Tensor, lower: float = 1.0 / 8, upper: float = 1.0 / 3, training: bool = False,
           generator: Any = None) -> Tensor:
    """rrelu in place."""
    return F.rrelu_(input, lower, upper, training)


def affine_grid_generator(theta: Tensor, size: Sequence[int], align_corners: bool) -> Tensor:
    """F.affine_grid under its old name."""
    return F.affine_grid(theta, size, align_corners)


def conv_tbc(input: Tensor, weight: Tensor, bias: Tensor, pad: int = 0) -> Tensor:
    """conv1d of (time, batch, channels) with a weight (width, channels, channels out)."""
    if input.dim() != 3:
        raise RuntimeError("Input must have 3 dims: time, batch, in_channel")
    if weight.dim() != 3:
        raise RuntimeError("Weight tensor must have 3 dims: kernel_width, in_channels, "
                           "out_channels.")
    if bias.dim() != 1:
        raise RuntimeError("Bias must be 1-D")
    found = F.conv1d(input.permute(1, 2, 0), weight.permute(2, 1, 0), bias, padding=pad)
    return found.permute(2, 0, 1)


def is_distributed(input: Tensor) -> bool:
    """Whether a tensor is spread over processes: none is."""
    return False


def cond(pred: Any, true_fn: Callable[..., Any], false_fn: Callable[..., Any],
         operands: Sequence[Any] = ()) -> Any:
    """true_fn(*operands) if pred holds, else false_fn(*operands)."""
    if not isinstance(pred, (bool, int, float, Tensor)):
        raise RuntimeError(f"Expected pred to be bool or tensor, but got {pred}.")
    if isinstance(pred, Tensor) and pred.numel() != 1:
        raise RuntimeError("Expected pred to be bool or single-element tensor, but got "
                           f"{pred}.")
    if not callable(true_fn) or not callable(false_fn):
        raise RuntimeError("Expect both branches to be callable.")
    return true_fn(*operands) if pred else false_fn(*operands)


# ---------------------------------------------------------------- recurrent layers


def _grouped(params: Sequence[Tensor], has_biases: bool, count: int) -> list[list[Tensor]]:
    """The weights of each layer and direction."""
    size = len(params) // count
    return [list(params[k * size:(k + 1) * size]) for k in range(count)]


def _layers(mode: str) -> Callable[..., tuple[Tensor, ...]]:
    lstm_ = mode == "LSTM"

    def call(input: Tensor, second: Any, third: Any, fourth: Any, *rest: Any) -> tuple[Any, ...]:
        """(input, hx, params, biases?, layers, dropout, train, both ways?, batch first?), or
        packed: (data, batch_sizes, hx, params, biases?, layers, dropout, train, both ways?)."""
        packed = isinstance(second, Tensor) and isinstance(fourth, (list, tuple))
        if packed:
            hx, params = third, fourth
            has_biases, layers, dropout, train, bidirectional = rest
            sizes, batch_first = second.tolist(), False
        else:
            hx, params, has_biases = second, third, fourth
            layers, dropout, train, bidirectional, batch_first = rest
            sizes = None
        x = input.transpose(0, 1) if batch_first else input
        first = tuple(hx) if lstm_ else (hx,)
        weights = _grouped(params, has_biases, layers * (2 if bidirectional else 1))
        out, last = run(mode, x, sizes, first, weights, has_biases, dropout, train, bidirectional)
        return (out.transpose(0, 1) if batch_first else out, *last)

    call.__name__ = call.__qualname__ = mode.lower()
    return call


lstm, gru = _layers("LSTM"), _layers("GRU")
rnn_tanh, rnn_relu = _layers("RNN_TANH"), _layers("RNN_RELU")


def _cell(mode: str) -> Callable[..., Any]:
    def call(input: Tensor, hx: Any, w_ih: Tensor, w_hh: Tensor, b_ih: Any = None,
             b_hh: Any = None) -> Any:
        state = tuple(hx) if mode == "LSTM" else (hx,)
        found = step(mode, F.linear(input, w_ih, b_ih), state, w_hh, b_hh)
        return found if mode == "LSTM" else found[0]

    call.__name__ = call.__qualname__ = f"{mode.lower()}_cell"
    call.__doc__ = f"One step of {mode}: the next state."
    return call


lstm_cell, gru_cell = _cell("LSTM"), _cell("GRU")
rnn_tanh_cell, rnn_relu_cell = _cell("RNN_TANH"), _cell("RNN_RELU")

"""Recurrent layers: RNN, LSTM, GRU and their single steps as cells."""
from __future__ import annotations

import math
import numbers
import warnings
from typing import Any

from .. import functional as F
from .. import init
from ..base import Tensor, torch
from ..utils.rnn import PackedSequence
from . import recurrence
from .module import Module
from .utils import new_parameter

__all__ = ["RNNBase", "RNN", "LSTM", "GRU", "RNNCellBase", "RNNCell", "LSTMCell", "GRUCell"]

_GATES = {"LSTM": 4, "GRU": 3, "RNN_TANH": 1, "RNN_RELU": 1}


def _apply_permutation(tensor: Tensor, permutation: Tensor, dim: int = 1) -> Tensor:
    return tensor.index_select(dim, permutation)


def _check_options(input_size: Any, hidden_size: Any, num_layers: Any, bias: Any,
                   batch_first: Any, dropout: Any, proj_size: Any) -> None:
    if (not isinstance(dropout, numbers.Number) or isinstance(dropout, bool)
            or not 0 <= dropout <= 1):  # type: ignore[operator]
        raise ValueError("dropout should be a number in range [0, 1] representing the probability "
                         "of an element being zeroed")
    if dropout > 0 and num_layers == 1:  # type: ignore[operator]
        warnings.warn("dropout option adds dropout after all but last recurrent layer, so "
                      "non-zero dropout expects num_layers greater than 1, but got "
                      f"dropout={dropout} and num_layers={num_layers}", stacklevel=3)
    for name, value, kind in (("bias", bias, bool), ("batch_first", batch_first, bool),
                              ("input_size", input_size, int), ("hidden_size", hidden_size, int)):
        if not isinstance(value, kind):
            raise TypeError(f"{name} should be of type {kind.__name__}, got: "
                            f"{type(value).__name__}")
    for name, value in (("input_size", input_size), ("hidden_size", hidden_size),
                        ("num_layers", num_layers)):
        if value <= 0:
            raise ValueError(f"{name} must be greater than zero")
    if proj_size < 0:
        raise ValueError("proj_size should be a positive integer or zero to disable projections")
    if proj_size >= hidden_size:
        raise ValueError("proj_size has to be smaller than hidden_size")


class RNNBase(Module):
    """What RNN, LSTM and GRU share: weights, checks and the walk over layers.

    Parameters of layer k (with `_reverse` for the backward direction): weight_ih_lk (gates *
    hidden, input), weight_hh_lk (gates * hidden, hidden), bias_ih_lk, bias_hh_lk, and weight_hr_lk
    (proj, hidden) if projected.
    """

    __constants__ = ["mode", "input_size", "hidden_size", "num_layers", "bias", "batch_first",
                     "dropout", "bidirectional", "proj_size"]

    def __init__(self, mode: str, input_size: int, hidden_size: int, num_layers: int = 1,
                 bias: bool = True, batch_first: bool = False, dropout: float = 0.0,
                 bidirectional: bool = False, proj_size: int = 0, device: Any = None,
                 dtype: Any = None) -> None:
        super().__init__()
        _check_options(input_size, hidden_size, num_layers, bias, batch_first, dropout, proj_size)
        if mode not in _GATES:
            raise ValueError("Unrecognized RNN mode: " + mode)
        self.mode = mode
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        self.bias = bias
        self.batch_first = batch_first
        self.dropout = float(dropout)
        self.bidirectional = bidirectional
        self.proj_size = proj_size
        self._all_weights: list[list[str]] = []
        self._make_weights(device, dtype)
        self.reset_parameters()

    def _make_weights(self, device: Any, dtype: Any) -> None:
        directions = 2 if self.bidirectional else 1
        gates = _GATES[self.mode] * self.hidden_size
        hidden = self.proj_size or self.hidden_size
        for layer in range(self.num_layers):
            width = self.input_size if layer == 0 else hidden * directions
            for suffix in ("", "_reverse")[:directions]:
                end = f"l{layer}{suffix}"
                shapes: dict[str, Any] = {f"weight_ih_{end}": (gates, width),
                                          f"weight_hh_{end}": (gates, hidden)}
                if self.bias:
                    shapes[f"bias_ih_{end}"] = gates
                    shapes[f"bias_hh_{end}"] = gates
                if self.proj_size:
                    shapes[f"weight_hr_{end}"] = (self.proj_size, self.hidden_size)
                for name, shape in shapes.items():
                    setattr(self, name, new_parameter(shape, device, dtype))
                self._all_weights.append(list(shapes))

    @property
    def _flat_weights_names(self) -> list[str]:
        return [name for names in self._all_weights for name in names]

    @property
    def _flat_weights(self) -> list[Any]:
        return [getattr(self, name, None) for name in self._flat_weights_names]

    @property
    def all_weights(self) -> list[list[Any]]:
        """The parameters of every layer and direction."""
        return [[getattr(self, name) for name in names] for names in self._all_weights]

    def flatten_parameters(self) -> None:
        """Nothing to do: the compiler lays weights out as a program needs them."""

    def reset_parameters(self) -> None:
        """Draw new starting values from U(-k, k), k = 1 / sqrt(hidden_size)."""
        bound = 1.0 / math.sqrt(self.hidden_size) if self.hidden_size > 0 else 0
        for weight in self.parameters():
            init.uniform_(weight, -bound, bound)

    # ------------------------------------------------------------ checks

    def check_input(self, input: Tensor, batch_sizes: Any) -> None:
        """Dtype, rank and width of the input."""
        weight = getattr(self, self._all_weights[0][0])
        if input.dtype != weight.dtype and not _autocast():
            raise ValueError(f"RNN input dtype ({input.dtype}) does not match weight dtype "
                             f"({weight.dtype}). Convert input: input.to({weight.dtype}), or "
                             f"convert model: model.to({input.dtype})")
        dims = 2 if batch_sizes is not None else 3
        if input.dim() != dims:
            raise RuntimeError(f"input must have {dims} dimensions, got {input.dim()}")
        if self.input_size != input.size(-1):
            raise RuntimeError("input.size(-1) must be equal to input_size. Expected "
                               f"{self.input_size}, got {input.size(-1)}")

    def _state_size(self, input: Tensor, batch_sizes: Any, width: int) -> tuple[int, int, int]:
        if batch_sizes is not None:
            batch = int(batch_sizes[0])
        else:
            batch = input.size(0) if self.batch_first else input.size(1)
        return self.num_layers * (2 if self.bidirectional else 1), batch, width

    def get_expected_hidden_size(self, input: Tensor, batch_sizes: Any) -> tuple[int, int, int]:
        """(layers * directions, N, hidden or projection)."""
        return self._state_size(input, batch_sizes, self.proj_size or self.hidden_size)

    def check_hidden_size(self, hx: Tensor, expected_hidden_size: tuple[int, int, int],
                          msg: str = "Expected hidden size {}, got {}") -> None:
        """RuntimeError unless a state has the size it must have."""
        if tuple(hx.size()) != expected_hidden_size:
            raise RuntimeError(msg.format(expected_hidden_size, list(hx.size())))

    def check_forward_args(self, input: Tensor, hidden: Any, batch_sizes: Any) -> None:
        """Input and first state fit this layer."""
        self.check_input(input, batch_sizes)
        self.check_hidden_size(hidden, self.get_expected_hidden_size(input, batch_sizes))

    def permute_hidden(self, hx: Any, permutation: Any) -> Any:
        """The state with its batch in another order."""
        return hx if permutation is None else _apply_permutation(hx, permutation)

    # ------------------------------------------------------------ the walk

    def _zeros(self, input: Tensor, batch_sizes: Any) -> Any:
        size = self.get_expected_hidden_size(input, batch_sizes)
        return torch.zeros(*size, dtype=input.dtype, device=input.device)

    def _run(self, input: Tensor, hx: Any, batch_sizes: Any) -> tuple[Tensor, Any]:
        """Both checked and batched; the state is a tensor, or a tuple for LSTM."""
        self.check_forward_args(input, hx, batch_sizes)
        first = hx if isinstance(hx, tuple) else (hx,)
        swap = self.batch_first and batch_sizes is None
        sizes = None if batch_sizes is None else batch_sizes.tolist()
        output, last = recurrence.run(
            self.mode, input.transpose(0, 1) if swap else input, sizes, first, self.all_weights,
            self.bias, self.dropout, self.training, self.bidirectional)
        output = output.transpose(0, 1) if swap else output
        return output, last if isinstance(hx, tuple) else last[0]

    def _packed(self, packed: PackedSequence, hx: Any) -> tuple[PackedSequence, Any]:
        input, batch_sizes, sorted_indices, unsorted_indices = packed
        if hx is None:
            hx = self._zeros(input, batch_sizes)
        else:
            hx = self.permute_hidden(hx, sorted_indices)
        output, last = self._run(input, hx, batch_sizes)
        out = PackedSequence(output, batch_sizes, sorted_indices, unsorted_indices)
        return out, self.permute_hidden(last, unsorted_indices)

    def _check_rank(self, input: Tensor, hx: Any) -> None:
        """Unbatched states go with unbatched inputs."""
        name = type(self).__name__
        if input.dim() not in (2, 3):
            raise ValueError(f"{name}: Expected input to be 2D or 3D, got {input.dim()}D tensor "
                             "instead")
        if hx is not None and hx.dim() != input.dim():
            kind = "batched 3-D" if input.dim() == 3 else "unbatched 2-D"
            raise RuntimeError(f"For {kind} input, hx should also be {input.dim()}-D but got "
                               f"{hx.dim()}-D tensor")

    def forward(self, input: Any, hx: Any = None) -> Any:
        if isinstance(input, PackedSequence):
            return self._packed(input, hx)
        self._check_rank(input, hx)
        if input.dim() == 3:
            return self._run(input, self._zeros(input, None) if hx is None else hx, None)
        batch_dim = 0 if self.batch_first else 1
        input = input.unsqueeze(batch_dim)
        hx = self._zeros(input, None) if hx is None else _each(hx, lambda h: h.unsqueeze(1))
        output, last = self._run(input, hx, None)
        return output.squeeze(batch_dim), _each(last, lambda h: h.squeeze(1))

    def extra_repr(self) -> str:
        text = f"{self.input_size}, {self.hidden_size}"
        if self.proj_size != 0:
            text += f", proj_size={self.proj_size}"
        if self.num_layers != 1:
            text += f", num_layers={self.num_layers}"
        if self.bias is not True:
            text += f", bias={self.bias}"
        if self.batch_first is not False:
            text += f", batch_first={self.batch_first}"
        if self.dropout != 0:
            text += f", dropout={self.dropout}"
        if self.bidirectional is not False:
            text += f", bidirectional={self.bidirectional}"
        return text

    def __setstate__(self, state: dict[str, Any]) -> None:
        # PyTorch pickles these lists; here they are read from the parameters.
        state = {k: v for k, v in state.items()
                 if k not in ("_flat_weights", "_flat_weights_names", "_flat_weight_refs")}
        if "all_weights" in state:
            state["_all_weights"] = state.pop("all_weights")
        super().__setstate__(state)
        self.__dict__.setdefault("proj_size", 0)


def _autocast() -> bool:
    """Whether autocast chooses dtypes at present."""
    enabled = getattr(torch, "is_autocast_enabled", None)
    return enabled is not None and bool(enabled())


def _each(state: Any, fn: Any) -> Any:
    return tuple(fn(s) for s in state) if isinstance(state, tuple) else fn(state)


class RNN(RNNBase):
    """h_t = tanh(W_ih x_t + b_ih + W_hh h_(t-1) + b_hh), or relu."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if "proj_size" in kwargs:
            raise ValueError("proj_size argument is only supported for LSTM, not RNN or GRU")
        if len(args) > 3:
            nonlinearity = args[3]
            args = args[:3] + args[4:]
        else:
            nonlinearity = kwargs.pop("nonlinearity", "tanh")
        if nonlinearity not in ("tanh", "relu"):
            raise ValueError(f"Unknown nonlinearity '{nonlinearity}'. Select from 'tanh' or "
                             "'relu'.")
        super().__init__("RNN_" + nonlinearity.upper(), *args, **kwargs)
        self.nonlinearity = nonlinearity


class LSTM(RNNBase):
    """Long short-term memory (Hochreiter and Schmidhuber 1997), gates in the order i, f, g, o."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__("LSTM", *args, **kwargs)

    def get_expected_cell_size(self, input: Tensor, batch_sizes: Any) -> tuple[int, int, int]:
        """(layers * directions, N, hidden)."""
        return self._state_size(input, batch_sizes, self.hidden_size)

    def check_forward_args(self, input: Tensor, hidden: Any, batch_sizes: Any) -> None:
        self.check_input(input, batch_sizes)
        self.check_hidden_size(hidden[0], self.get_expected_hidden_size(input, batch_sizes),
                               "Expected hidden[0] size {}, got {}")
        self.check_hidden_size(hidden[1], self.get_expected_cell_size(input, batch_sizes),
                               "Expected hidden[1] size {}, got {}")

    def permute_hidden(self, hx: Any, permutation: Any) -> Any:
        if permutation is None:
            return hx
        return tuple(_apply_permutation(s, permutation) for s in hx)

    def _zeros(self, input: Tensor, batch_sizes: Any) -> Any:
        size = self.get_expected_cell_size(input, batch_sizes)
        cell = torch.zeros(*size, dtype=input.dtype, device=input.device)
        return super()._zeros(input, batch_sizes), cell

    def _check_rank(self, input: Tensor, hx: Any) -> None:
        if input.dim() not in (2, 3):
            raise ValueError(f"LSTM: Expected input to be 2D or 3D, got {input.dim()}D instead")
        if hx is not None and (hx[0].dim() != input.dim() or hx[1].dim() != input.dim()):
            kind = "batched 3-D" if input.dim() == 3 else "unbatched 2-D"
            raise RuntimeError(f"For {kind} input, hx and cx should also be {input.dim()}-D but "
                               f"got ({hx[0].dim()}-D, {hx[1].dim()}-D) tensors")

    def forward(self, input: Any, hx: Any = None) -> Any:
        return super().forward(input, tuple(hx) if isinstance(hx, list) else hx)


class GRU(RNNBase):
    """Gated recurrent unit (Cho et al. 2014), gates in the order r, z, n."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if "proj_size" in kwargs:
            raise ValueError("proj_size argument is only supported for LSTM, not RNN or GRU")
        super().__init__("GRU", *args, **kwargs)


# ---------------------------------------------------------------- cells


class RNNCellBase(Module):
    """One step of one layer."""

    __constants__ = ["input_size", "hidden_size", "bias"]

    def __init__(self, input_size: int, hidden_size: int, bias: bool, num_chunks: int,
                 device: Any = None, dtype: Any = None) -> None:
        super().__init__()
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.bias = bias
        gates = num_chunks * hidden_size
        self.weight_ih = new_parameter((gates, input_size), device, dtype)
        self.weight_hh = new_parameter((gates, hidden_size), device, dtype)
        if bias:
            self.bias_ih = new_parameter(gates, device, dtype)
            self.bias_hh = new_parameter(gates, device, dtype)
        else:
            self.register_parameter("bias_ih", None)
            self.register_parameter("bias_hh", None)
        self.reset_parameters()

    def extra_repr(self) -> str:
        text = f"{self.input_size}, {self.hidden_size}"
        if self.bias is not True:
            text += f", bias={self.bias}"
        if getattr(self, "nonlinearity", "tanh") != "tanh":
            text += f", nonlinearity={self.nonlinearity}"
        return text

    def reset_parameters(self) -> None:
        """Draw new starting values from U(-k, k), k = 1 / sqrt(hidden_size)."""
        bound = 1.0 / math.sqrt(self.hidden_size) if self.hidden_size > 0 else 0
        for weight in self.parameters():
            init.uniform_(weight, -bound, bound)

    def _step(self, mode: str, input: Tensor, state: tuple[Any, ...]) -> tuple[Tensor, ...]:
        """One step of a batch (N, input) or of one row (input)."""
        single = input.dim() == 1
        if single:
            input = input.unsqueeze(0)
            state = tuple(s.unsqueeze(0) for s in state)
        if not state:
            zeros = torch.zeros(input.size(0), self.hidden_size, dtype=input.dtype,
                                device=input.device)
            state = (zeros, zeros) if mode == "LSTM" else (zeros,)
        self._check_sizes(input, state)
        x = F.linear(input, self.weight_ih, self.bias_ih)
        state = recurrence.step(mode, x, state, self.weight_hh, self.bias_hh)
        return tuple(s.squeeze(0) for s in state) if single else state

    def _check_sizes(self, input: Tensor, state: tuple[Any, ...]) -> None:
        if input.size(1) != self.input_size:
            raise RuntimeError("input has inconsistent input_size: got "
                               f"{input.size(1)} expected {self.input_size}")
        for i, s in enumerate(state):
            if input.size(0) != s.size(0):
                raise RuntimeError(f"Input batch size {input.size(0)} doesn't match hidden{i} "
                                   f"batch size {s.size(0)}")
            if s.size(1) != self.hidden_size:
                raise RuntimeError(f"hidden{i} has inconsistent hidden_size: got {s.size(1)}, "
                                   f"expected {self.hidden_size}")

    def _check_rank(self, input: Tensor, state: tuple[Any, ...], what: str) -> None:
        name = type(self).__name__
        if input.dim() not in (1, 2):
            raise ValueError(f"{name}: Expected input to be 1D or 2D, got {input.dim()}D instead")
        for i, s in enumerate(state):
            if s.dim() not in (1, 2):
                raise ValueError(f"{name}: Expected {what.format(i)} to be 1D or 2D, got "
                                 f"{s.dim()}D instead")


class RNNCell(RNNCellBase):
    """h' = tanh(W_ih x + b_ih + W_hh h + b_hh), or relu."""

    __constants__ = ["input_size", "hidden_size", "bias", "nonlinearity"]

    def __init__(self, input_size: int, hidden_size: int, bias: bool = True,
                 nonlinearity: str = "tanh", device: Any = None, dtype: Any = None) -> None:
        super().__init__(input_size, hidden_size, bias, 1, device, dtype)
        self.nonlinearity = nonlinearity

    def forward(self, input: Tensor, hx: Any = None) -> Tensor:
        state = () if hx is None else (hx,)
        self._check_rank(input, state, "hidden")
        if self.nonlinearity not in ("tanh", "relu"):
            raise RuntimeError(f"Unknown nonlinearity: {self.nonlinearity}")
        return self._step("RNN_" + self.nonlinearity.upper(), input, state)[0]


class LSTMCell(RNNCellBase):
    """One step of LSTM: (h', c')."""

    def __init__(self, input_size: int, hidden_size: int, bias: bool = True, device: Any = None,
                 dtype: Any = None) -> None:
        super().__init__(input_size, hidden_size, bias, 4, device, dtype)

    def forward(self, input: Tensor, hx: Any = None) -> Any:
        state = () if hx is None else tuple(hx)
        self._check_rank(input, state, "hx[{}]")
        return self._step("LSTM", input, state)


class GRUCell(RNNCellBase):
    """One step of GRU: h'."""

    def __init__(self, input_size: int, hidden_size: int, bias: bool = True, device: Any = None,
                 dtype: Any = None) -> None:
        super().__init__(input_size, hidden_size, bias, 3, device, dtype)

    def forward(self, input: Tensor, hx: Any = None) -> Tensor:
        state = () if hx is None else (hx,)
        self._check_rank(input, state, "hidden")
        return self._step("GRU", input, state)[0]

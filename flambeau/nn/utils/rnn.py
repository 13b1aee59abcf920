"""Batches of sequences of different lengths: padded, or packed step after step.

In: padded batches or lists of sequences. Out: PackedSequence, whose data holds the first step of
all sequences (longest first), then the second step of those that have one, and so on.
"""
from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple, TypeVar

from ..base import Tensor, torch

__all__ = ["PackedSequence", "invert_permutation", "pack_padded_sequence", "pad_packed_sequence",
           "pad_sequence", "unpad_sequence", "pack_sequence", "unpack_sequence"]

_T = TypeVar("_T")
_R = TypeVar("_R")


class PackedSequence_(NamedTuple):  # noqa: N801 - PyTorch's name
    """The fields of a PackedSequence."""

    data: Tensor
    batch_sizes: Tensor
    sorted_indices: Any
    unsorted_indices: Any


def bind(optional: _T | None, fn: Callable[[_T], _R]) -> _R | None:
    """fn(optional), or None."""
    return None if optional is None else fn(optional)


class PackedSequence(PackedSequence_):
    """Data (sum of lengths, *), the batch size of every step, and the order of the sequences."""

    def __new__(cls, data: Any, batch_sizes: Any = None, sorted_indices: Any = None,
                unsorted_indices: Any = None) -> Any:
        if unsorted_indices is None:
            unsorted_indices = invert_permutation(sorted_indices)
        if batch_sizes is None:
            if not isinstance(data, (list, tuple)) or len(data) != 2:
                raise AssertionError("Expected data to be a list or tuple of length 2")
            data, batch_sizes = data
        elif batch_sizes.device.type != "cpu":
            raise ValueError("batch_sizes should always be on CPU. Instances of PackedSequence "
                             "should never be created manually. They should be instantiated by "
                             "functions like pack_sequence and pack_padded_sequences in "
                             "nn.utils.rnn. https://pytorch.org/docs/stable/nn.html"
                             "#torch.nn.utils.rnn.pack_sequence")
        return super().__new__(cls, data, batch_sizes, sorted_indices, unsorted_indices)

    def to(self, *args: Any, **kwargs: Any) -> PackedSequence:
        """Data of another dtype or device; itself if nothing changes."""
        data = self.data.to(*args, **kwargs)
        if data is self.data:
            return self
        # The order of the sequences keeps its dtype and follows to the device.
        move = {k: v for k, v in kwargs.items() if k in ("non_blocking", "copy")}
        order = bind(self.sorted_indices, lambda t: t.to(data.device, **move))
        back = bind(self.unsorted_indices, lambda t: t.to(data.device, **move))
        return type(self)(data, self.batch_sizes, order, back)

    def pin_memory(self) -> PackedSequence:
        """Data in page-locked memory."""
        return type(self)(self.data.pin_memory(), self.batch_sizes,
                          bind(self.sorted_indices, lambda t: t.pin_memory()),
                          bind(self.unsorted_indices, lambda t: t.pin_memory()))

    def cuda(self, *args: Any, **kwargs: Any) -> PackedSequence:
        """Data on a CUDA device."""
        return self.to(*args, **{"device": "cuda", **kwargs})

    def cpu(self, *args: Any, **kwargs: Any) -> PackedSequence:
        """Data on the CPU."""
        return self.to(*args, **{"device": "cpu", **kwargs})

    def double(self) -> PackedSequence:
        """Data as float64."""
        return self.to(dtype=torch.double)

    def float(self) -> PackedSequence:
        """Data as float32."""
        return self.to(dtype=torch.float)

    def half(self) -> PackedSequence:
        """Data as float16."""
        return self.to(dtype=torch.half)

    def long(self) -> PackedSequence:
        """Data as int64."""
        return self.to(dtype=torch.long)

    def int(self) -> PackedSequence:
        """Data as int32."""
        return self.to(dtype=torch.int)

    def short(self) -> PackedSequence:
        """Data as int16."""
        return self.to(dtype=torch.short)

    def char(self) -> PackedSequence:
        """Data as int8."""
        return self.to(dtype=torch.int8)

    def byte(self) -> PackedSequence:
        """Data as uint8."""
        return self.to(dtype=torch.uint8)

    @property
    def is_cuda(self) -> bool:
        """Whether the data is on a CUDA device."""
        return bool(self.data.is_cuda)

    def is_pinned(self) -> bool:
        """Whether the data is in page-locked memory."""
        return bool(self.data.is_pinned())


def invert_permutation(permutation: Any) -> Any:
    """The permutation that undoes this one, or None."""
    if permutation is None:
        return None
    return torch.empty_like(permutation).scatter_(
        0, permutation, torch.arange(0, permutation.numel(), device=permutation.device))


def pack_padded_sequence(input: Tensor, lengths: Any, batch_first: bool = False,
                         enforce_sorted: bool = True) -> PackedSequence:
    """Pack a padded batch (T, N, *), or (N, T, *) with `batch_first`, of sequences of `lengths`."""
    lengths = torch.as_tensor(lengths, dtype=torch.int64, device="cpu")
    order = None
    if not enforce_sorted:
        lengths, order = torch.sort(lengths, descending=True)
        input = input.index_select(0 if batch_first else 1, order)
    steps = input.transpose(0, 1) if batch_first else input
    sizes: list[int] = lengths.tolist()
    _check_lengths(sizes, steps)
    parts = []
    batch_sizes: list[int] = []
    start = 0
    # A run of steps with the same sequences alive is one slice.
    for alive in range(len(sizes), 0, -1):
        end = sizes[alive - 1]
        if end > start:
            parts.append(steps[start:end, :alive].reshape(-1, *steps.shape[2:]))
            batch_sizes += [alive] * (end - start)
            start = end
    return PackedSequence(torch.cat(parts), torch.tensor(batch_sizes, dtype=torch.int64), order)


def _check_lengths(sizes: list[int], steps: Tensor) -> None:
    if len(sizes) != steps.size(1):
        raise RuntimeError(f"Expected `len(lengths)` to be equal to batch_size, but got "
                           f"{len(sizes)} (batch_size={steps.size(1)})")
    if sizes[-1] <= 0:
        raise RuntimeError("Length of all samples has to be greater than 0, but found an element "
                           "in 'lengths' that is <= 0")
    if any(a < b for a, b in zip(sizes, sizes[1:])):
        raise RuntimeError("`lengths` array must be sorted in decreasing order when "
                           "`enforce_sorted` is True. You can pass `enforce_sorted=False` to "
                           "pack_padded_sequence and/or pack_sequence to sidestep this "
                           "requirement if you do not need ONNX exportability.")
    if sizes[0] > steps.size(0):
        raise RuntimeError(f"start (0) + length ({sizes[0]}) exceeds dimension size "
                           f"({steps.size(0)}).")


def _lengths_of(batch_sizes: list[int]) -> list[int]:
    """How many steps each sequence has, longest first."""
    return [sum(size > row for size in batch_sizes) for row in range(batch_sizes[0])]


def pad_packed_sequence(sequence: PackedSequence, batch_first: bool = False,
                        padding_value: float = 0.0,
                        total_length: int | None = None) -> tuple[Tensor, Tensor]:
    """A packed batch as (T, N, *) (or (N, T, *)), shorter sequences padded, and the lengths."""
    sizes: list[int] = sequence.batch_sizes.tolist()
    longest = len(sizes)
    if total_length is not None:
        if total_length < longest:
            raise ValueError("Expected total_length to be at least the length of the longest "
                             f"sequence in input, but got total_length={total_length} and max "
                             f"sequence length being {longest}")
        longest = total_length
    lengths = _lengths_of(sizes)
    # Row r of step t lies at starts[t] + r; places beyond a sequence's end read a row of padding.
    starts = [0]
    for size in sizes:
        starts.append(starts[-1] + size)
    total = starts[-1]
    place = [[starts[t] + row if t < n else total for row, n in enumerate(lengths)]
             for t in range(longest)]
    tail = sequence.data.shape[1:]
    filler = sequence.data.new_full((1, *tail), padding_value)
    rows = torch.tensor(place, dtype=torch.int64, device=sequence.data.device).flatten()
    padded = torch.cat([sequence.data, filler]).index_select(0, rows)
    padded = padded.reshape(longest, len(lengths), *tail)
    if batch_first:
        padded = padded.transpose(0, 1)
    length = torch.tensor(lengths, dtype=torch.int64)
    back = sequence.unsorted_indices
    if back is None:
        return padded, length
    return padded.index_select(0 if batch_first else 1, back), length[back.cpu()]


def pad_sequence(sequences: Any, batch_first: bool = False, padding_value: float = 0.0,
                 padding_side: str = "right") -> Tensor:
    """Sequences (L, *) of different L stacked into (T, N, *) or (N, T, *), padded at the end."""
    if isinstance(sequences, Tensor):
        sequences = sequences.unbind(0)
    elif not isinstance(sequences, Iterable):
        raise RuntimeError("pad_sequence: Expected iterable for input sequences, but got arg of "
                           f"type: {type(sequences)}")
    sequences = tuple(sequences)
    if not sequences:
        raise RuntimeError("received an empty list of sequences")
    if padding_side not in ("left", "right"):
        raise RuntimeError(f"Expected padding_side to be one of left or right, but got "
                           f"{padding_side}.")
    longest = max(s.size(0) for s in sequences)
    rows = []
    for s in sequences:
        missing = longest - s.size(0)
        if missing:
            filler = s.new_full((missing, *s.shape[1:]), padding_value)
            s = torch.cat([filler, s] if padding_side == "left" else [s, filler])
        rows.append(s)
    return torch.stack(rows, 0 if batch_first else 1)


def unpad_sequence(padded_sequences: Tensor, lengths: Tensor,
                   batch_first: bool = False) -> list[Tensor]:
    """The sequences of a padded batch, each of its own length."""
    batch = padded_sequences if batch_first else padded_sequences.transpose(0, 1)
    return [seq[:length] for seq, length in zip(batch, lengths.tolist())]


def pack_sequence(sequences: list[Tensor], enforce_sorted: bool = True) -> PackedSequence:
    """Pack sequences (L, *) of different L."""
    lengths = torch.as_tensor([s.size(0) for s in sequences])
    return pack_padded_sequence(pad_sequence(sequences), lengths, enforce_sorted=enforce_sorted)


def unpack_sequence(packed_sequences: PackedSequence) -> list[Tensor]:
    """The sequences of a packed batch."""
    padded, lengths = pad_packed_sequence(packed_sequences, batch_first=True)
    return unpad_sequence(padded, lengths, batch_first=True)

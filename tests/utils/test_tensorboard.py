"""SummaryWriter's files: frames and checksums, and what TensorBoard reads in them."""
from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import flambeau as torch
from flambeau.utils.tensorboard import SummaryWriter, summary
from flambeau.utils.tensorboard import _records as records


def messages(path: Path) -> list[bytes]:
    """The messages of a file, their checksums looked at."""
    data, at, found = path.read_bytes(), 0, []
    while at < len(data):
        head = data[at : at + 8]
        (size,) = struct.unpack("<Q", head)
        body = data[at + 12 : at + 12 + size]
        assert data[at + 8 : at + 12] == records.masked(head)
        assert data[at + 12 + size : at + 16 + size] == records.masked(body)
        found.append(body)
        at += 16 + size
    return found


def fields(message: bytes) -> dict[int, list[Any]]:
    """The fields of a message by number, undecoded."""
    found: dict[int, list[Any]] = {}
    at = 0

    def varint() -> int:
        nonlocal at
        value = shift = 0
        while True:
            byte = message[at]
            at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    while at < len(message):
        key = varint()
        kind = key & 7
        if kind == 0:
            value: Any = varint()
        else:
            size = {1: 8, 5: 4}.get(kind) or varint()
            value = message[at : at + size]
            at += size
        found.setdefault(key >> 3, []).append(value)
    return found


def only_file(folder: Path) -> Path:
    (path,) = folder.glob("events.out.tfevents.*")
    return path


def test_checksums_are_the_published_ones() -> None:
    assert records.crc32c(b"123456789") == 0xE3069283
    assert records.crc32c(bytes(32)) == 0x8A9136AA                  # RFC 3720, B.4


def test_scalars(tmp_path: Path) -> None:
    with SummaryWriter(tmp_path) as writer:
        for step in range(3):
            writer.add_scalar("loss", torch.tensor(1.5) * step, step)
        writer.add_scalar("fine", 0.1, 300, walltime=12.5, new_style=True, double_precision=True)
    first, *rest = messages(only_file(tmp_path))
    assert fields(first)[3] == [b"brain.Event:2"]
    for step, message in enumerate(rest[:3]):
        event = fields(message)
        value = fields(fields(event[5][0])[1][0])
        assert event[2] == [step]
        assert value[1] == [b"loss"]
        assert struct.unpack("<f", value[2][0]) == (1.5 * step,)
    event = fields(rest[3])
    assert event[2] == [300]
    assert struct.unpack("<d", event[1][0]) == (12.5,)


def test_a_writer_opens_again_after_close(tmp_path: Path) -> None:
    writer = SummaryWriter(tmp_path)
    writer.close()
    writer.add_scalar("a", 1)
    writer.flush()
    writer.close()
    assert len(list(tmp_path.glob("events*"))) == 2


def test_histograms_count_everything() -> None:
    values = np.random.default_rng(0).standard_normal(500)
    for more in ({}, {"bins": 7}, {"max_bins": 20}):
        made = fields(fields(fields(summary.histogram("h", values, **more))[1][0])[5][0])
        limits, counts = (np.frombuffer(made[i][0], "<f8") for i in (6, 7))
        assert len(limits) == len(counts)
        assert counts.sum() == 500
        assert (np.diff(limits) > 0).all()
        assert limits[0] <= values.min()
        assert limits[-1] >= values.max()


@pytest.mark.parametrize(("shape", "formats", "size"), [
    ((3, 4, 5), "CHW", (4, 5)), ((4, 5), "HW", (4, 5)), ((4, 5, 3), "HWC", (4, 5)),
    ((10, 3, 4, 5), "NCHW", (8, 40)),
])
def test_pictures(shape: tuple[int, ...], formats: str, size: tuple[int, int]) -> None:
    image = fields(fields(fields(summary.image("i", torch.rand(*shape), formats))[1][0])[4][0])
    assert (image[1][0], image[2][0]) == size
    assert image[3] == [3]
    assert image[4][0].startswith(b"\x89PNG")


def test_what_is_refused_says_so(tmp_path: Path) -> None:
    with SummaryWriter(tmp_path) as writer:
        with pytest.raises(NotImplementedError, match="TorchScript"):
            writer.add_graph(torch.nn.Linear(1, 1), torch.ones(1))
        with pytest.raises(ValueError, match="int, float, str, bool"):
            writer.add_hparams({"a": [1]}, {"m": 1})
        with pytest.raises(AssertionError, match="input_format"):
            writer.add_image("a", torch.ones(2, 2), dataformats="CHW")


def test_tensorboard_reads_it(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    pytest.importorskip("google.protobuf")
    from tensorboard.compat.proto.event_pb2 import Event

    with SummaryWriter(tmp_path) as writer:
        writer.add_scalar("s", 2.5, 7)
        writer.add_histogram("h", torch.arange(10.0), 7)
        writer.add_image("i", torch.zeros(3, 2, 2, dtype=torch.uint8))
        writer.add_text("t", "**hello**", -1)
        writer.add_audio("a", torch.zeros(1, 100))
        writer.add_hparams({"lr": 0.1, "on": True, "kind": "x"}, {"best": 3}, run_name="r")
        writer.add_scalars("many", {"a": 1, "b": 2}, 3)
    read = [Event.FromString(m) for m in messages(only_file(tmp_path))]
    values = {v.tag: v for event in read for v in event.summary.value}
    assert values["s"].simple_value == 2.5
    assert values["h"].histo.num == 10
    assert sum(values["h"].histo.bucket) == 10
    assert values["t/text_summary"].tensor.string_val[0] == b"**hello**"
    assert values["t/text_summary"].metadata.plugin_data.plugin_name == "text"
    assert values["a"].audio.length_frames == 100
    assert {event.step for event in read} >= {7, -1}
    run = [Event.FromString(m) for m in messages(only_file(tmp_path / "r"))]
    names = [v.tag for event in run for v in event.summary.value]
    assert names == ["_hparams_/experiment", "_hparams_/session_start_info",
                     "_hparams_/session_end_info", "best"]
    from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData

    parts = [HParamsPluginData.FromString(v.metadata.plugin_data.content)
             for event in run for v in event.summary.value if v.metadata.plugin_data.content]
    assert {i.name for i in parts[0].experiment.hparam_infos} == {"lr", "on", "kind"}
    assert parts[1].session_start_info.hparams["lr"].number_value == 0.1
    assert parts[1].session_start_info.hparams["on"].bool_value is True
    assert only_file(tmp_path / "many_a").stat().st_size > 0

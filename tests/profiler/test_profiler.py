"""torch.profiler: ranges, steps, kernels with their rates and lines, the trace file, the table."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

import flambeau as torch
from flambeau import nn
from flambeau.autograd.profiler_util import FunctionEvent, set_inside
from flambeau.core import watch
from flambeau.profiler import (
    ProfilerActivity, profile, record_function, schedule, tensorboard_trace_handler,
)


def work() -> float:
    return (torch.ones(64, 64) @ torch.ones(64, 64) + 1).relu().sum().item()


def kernels(events: Any) -> list[FunctionEvent]:
    return [e for e in events if e.kind == "kernel"]


def test_kernels_have_rates_and_the_users_line() -> None:
    with profile(activities=[ProfilerActivity.CPU]) as prof, record_function("mine"):
        work()
    names = {e.name for e in prof.events()}
    assert {"mine", "flambeau::plan", "flambeau::run", "flambeau::record"} <= names
    found = kernels(prof.events())
    assert found and all("test_profiler.py" in e.line and e.duration_us > 0 for e in found)
    product = max(found, key=lambda e: e.flops)
    assert product.flops >= 2 * 64**3 and product.bytes > 0 and product.share > 0
    assert not watch.WATCHERS


def test_a_range_holds_its_kernels() -> None:
    with profile() as prof, record_function("outer"):
        work()
    (outer,) = [e for e in prof.events() if e.name == "outer"]
    for e in kernels(prof.events()):
        assert outer.start_us <= e.start_us
        assert e.time_range.end <= outer.time_range.end + 1
    assert 0 <= outer.self_cpu_time_total < outer.cpu_time_total


def test_self_time_leaves_out_what_is_inside() -> None:
    events = [FunctionEvent("out", 0, 100, 1), FunctionEvent("in", 10, 30, 1),
              FunctionEvent("deep", 15, 5, 1), FunctionEvent("in", 50, 20, 1),
              FunctionEvent("other", 0, 100, 2)]
    set_inside(events)
    assert [e.self_cpu_time_total for e in events] == [50, 25, 5, 20, 100]


def test_backward_and_the_optimizer_are_ranges() -> None:
    net = nn.Linear(4, 2)
    opt = torch.optim.SGD(net.parameters(), lr=0.1)
    with profile() as prof:
        net(torch.ones(3, 4)).sum().backward()
        opt.step()
    names = {e.name for e in prof.events()}
    assert {"backward", "Optimizer.step#SGD.step"} <= names


def test_table_and_averages() -> None:
    with profile() as prof:
        for _ in range(3):
            with record_function("turn"):
                work()
    averages = prof.key_averages()
    (turn,) = [e for e in averages if e.key == "turn"]
    assert turn.count == 3
    assert turn.cpu_time == pytest.approx(turn.cpu_time_total / 3)
    table = averages.table(sort_by="cpu_time_total", row_limit=4, header="what it took")
    lines = table.splitlines()
    assert lines[0] == "what it took"
    assert all(word in lines[2] for word in ("Name", "# of Calls", "GFLOP/s", "of limit", "Line"))
    assert "Self CPU time total" in lines[-1]
    assert len(lines) == 10
    with pytest.raises(AttributeError):
        averages.table(sort_by="nonsense")
    lined = prof.key_averages(group_by_stack_n=1)
    assert len(lined) >= len(averages)
    assert str(prof.events())


def test_chrome_trace(tmp_path: Path) -> None:
    with profile(profile_memory=True) as prof:
        kept = torch.ones(1000) * 2
        kept.sum().item()
    prof.add_metadata("who", "me")
    prof.add_metadata_json("what", "[1, 2]")
    plain, packed = tmp_path / "trace.json", tmp_path / "trace.json.gz"
    prof.export_chrome_trace(str(plain))
    prof.export_chrome_trace(str(packed))
    trace = json.loads(plain.read_text())
    assert trace == json.loads(gzip.decompress(packed.read_bytes()))
    assert trace["who"] == "me" and trace["what"] == [1, 2]
    events = trace["traceEvents"]
    run = [e for e in events if e.get("cat") == "kernel"]
    assert run and {"flops", "bytes", "GFLOP/s", "GB/s", "of limit", "line"} == set(run[0]["args"])
    assert {e["args"]["name"] for e in events if e["ph"] == "M"} >= {"kernels", "flambeau"}
    assert any(e["ph"] == "C" and e["args"]["Total Allocated"] > 0 for e in events)
    prof.export_memory_timeline(str(tmp_path / "memory.json"))
    times, sizes = json.loads((tmp_path / "memory.json").read_text())
    assert len(times) == len(sizes) > 0
    prof.export_stacks(str(tmp_path / "stacks"), "self_cpu_time_total")
    assert "test_profiler.py" in (tmp_path / "stacks").read_text()


def test_schedule_and_steps(tmp_path: Path) -> None:
    ready = []
    with profile(schedule=schedule(wait=1, warmup=1, active=2, repeat=2),
                 on_trace_ready=lambda p: ready.append(p.key_averages())) as prof:
        for _ in range(10):
            work()
            prof.step()
    assert len(ready) == 2
    steps = [[e.key for e in found if e.key.startswith("ProfilerStep")] for found in ready]
    assert steps == [["ProfilerStep#2", "ProfilerStep#3"], ["ProfilerStep#6", "ProfilerStep#7"]]
    with profile(on_trace_ready=tensorboard_trace_handler(str(tmp_path), "me")):
        work()
    (made,) = tmp_path.iterdir()
    assert made.name.startswith("me.") and json.loads(made.read_text())["traceEvents"]


def test_old_profiler() -> None:
    with torch.autograd.profiler.profile(use_cuda=False, profile_memory=True) as prof:
        work()
    assert "flambeau::run" in prof.key_averages().table(sort_by="self_cpu_time_total")
    assert prof.total_average().count == len(prof.function_events)
    with torch.autograd.profiler.profile(enabled=False) as off:
        work()
    assert not off.function_events


def test_an_error_inside_stops_the_profile() -> None:
    with pytest.raises(ZeroDivisionError), profile():
        _ = 1 / 0
    assert not watch.WATCHERS and not torch.autograd.profiler._profiler_enabled()


def test_profiles_inside_one_another() -> None:
    with profile() as outer:
        with profile() as inner:
            work()
        work()
    assert len(kernels(outer.events())) == 2 * len(kernels(inner.events())) > 0


def test_results_are_the_same_when_watched() -> None:
    x = torch.randn(33, 17)
    plain = (x.softmax(-1) @ x.T).sum(0)
    plain.tolist()
    with profile():
        watched = (x.softmax(-1) @ x.T).sum(0)
        assert watched.tolist() == plain.tolist()

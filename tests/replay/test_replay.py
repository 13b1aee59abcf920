"""`torch.compile` gives what the function itself gives, bit for bit, whatever changes in between.

Every test runs one program twice, as it is and compiled, through the same calls, and compares
everything that can be seen: results, parameters, gradients, optimizer state, random numbers.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

import flambeau as torch
from flambeau.graph.realize import realize
from flambeau.replay import explain

nn, F = torch.nn, torch.nn.functional


def bits(x: Any) -> Any:
    """A value in a form in which equal means the same bits."""
    if isinstance(x, torch.Tensor):
        raw = x.detach().to(torch.float64 if x.is_floating_point() else x.dtype).contiguous()
        return (tuple(x.shape), str(x.dtype), x.requires_grad, x.stride(), x._version,
                raw.numpy().tobytes())
    if isinstance(x, (list, tuple)):
        return [bits(v) for v in x]
    if isinstance(x, dict):
        return {str(k): bits(v) for k, v in x.items()}
    return repr(x)


def settle(result: Any) -> None:
    """Compute all results in one program, as a compiled call does: which programs a computation is
    cut into decides how its sums round."""
    leaves = torch.utils._pytree.tree_leaves(result)
    realize([n for t in leaves if isinstance(t, torch.Tensor)
             for n in [t._storage.value] if n.value is None and n.src])


def both(make: Callable[[], Any], calls: int = 8) -> tuple[Any, Any]:
    """Run `make()` -> (function, state, before) plainly and compiled; compare after each call.

    `state()` gives what to compare, `before(i)` changes things before call i and gives arguments.
    """
    runs = []
    for compiled in (False, True):
        torch.manual_seed(3)
        fn, state, before = make()
        call = torch.compile(fn) if compiled else fn
        seen = []
        for i in range(calls):
            args, kwargs = before(i)
            try:
                result = call(*args, **kwargs)
                settle(result)
                out = bits(result)
            except Exception as error:
                out = f"{type(error).__name__}: {error}"
            seen.append((out, bits(state()), bits(torch.rand(2))))
        runs.append((seen, call))
    for i, (plain, replayed) in enumerate(zip(runs[0][0], runs[1][0])):
        assert plain == replayed, f"call {i}"
    return runs[1][1], runs[1][1]._replayed


def net(seed: int = 0, dropout: float = 0.0) -> Any:
    torch.manual_seed(seed)
    layers = [nn.Linear(6, 16), nn.ReLU(), nn.Dropout(dropout), nn.Linear(16, 3)]
    return nn.Sequential(*layers)


def data(i: int, n: int = 5) -> tuple[Any, Any]:
    r = np.random.RandomState(i)
    return (torch.tensor(r.randn(n, 6).astype("float32")), torch.tensor(r.randint(0, 3, n)))


def nothing(i: int) -> tuple[tuple[Any, ...], dict[str, Any]]:
    return (), {}


def training(optimizer: Callable[[Any], Any], to_none: bool = True, dropout: float = 0.0,
             model: Any = None) -> Callable[[], Any]:
    def make() -> Any:
        m = net(dropout=dropout) if model is None else model()
        opt = optimizer(m.parameters())

        def step(x: Any, y: Any) -> Any:
            opt.zero_grad(set_to_none=to_none)
            loss = F.cross_entropy(m(x), y)
            loss.backward()
            opt.step()
            return loss

        def state() -> Any:
            own = [v for s in opt.state.values() for v in s.values()]
            return [*m.parameters(), *m.buffers(), *[p.grad for p in m.parameters()], own]
        return step, state, lambda i: (data(i), {})
    return make


# ---------------------------------------------------------------- forward


def test_inference_of_a_module_with_changing_shapes() -> None:
    def make() -> Any:
        m = net().eval()

        def run(x: Any) -> Any:
            with torch.no_grad():
                return m(x), m(x).argmax(-1)
        return run, list, lambda i: (data(i, 5 if i % 3 else 7)[:1], {})
    _, replayed = both(make, 12)
    assert replayed.replays >= 4 and len(replayed.entries) == 2


def test_kept_results_are_not_written_over() -> None:
    m = net().eval()
    run = torch.compile(torch.no_grad()(lambda x: m(x)))
    kept = []
    for i in range(8):
        x = data(i)[0]
        kept.append((run(x), m(x).detach().clone()))
    assert run._replayed.replays >= 4
    for got, want in kept:
        assert bits(got.clone()) == bits(want)


def test_optimized_module() -> None:
    m = net().eval()
    c = torch.compile(m)
    assert list(c.state_dict()) == ["_orig_mod." + k for k in m.state_dict()]
    with torch.no_grad():
        for i in range(8):
            x = data(i)[0]
            assert bits(c(x)) == bits(m(x))
    assert c._replayed.replays >= 4
    assert "replayed" in explain(c)


def test_results_that_are_views_and_containers() -> None:
    def make() -> Any:
        def run(x: Any, *, scale: float = 1.0) -> Any:
            y = x * scale
            return {"view": y[1:].t(), "pair": (y, y.sum(0)), "n": 3, "same": x}
        return run, list, lambda i: (data(i)[:1], {"scale": 2.0 if i < 6 else 3.0})
    _, replayed = both(make, 14)
    assert replayed.replays >= 5


def test_result_is_the_argument() -> None:
    run = torch.compile(lambda x, y: (x, x + y))
    for i in range(8):
        x, y = data(i)[0], data(i + 1)[0]
        assert run(x, y)[0] is x
    assert run._replayed.replays >= 4


# ---------------------------------------------------------------- training


OPTIMIZERS = {
    "sgd": lambda p: torch.optim.SGD(p, 0.1),
    "momentum": lambda p: torch.optim.SGD(p, 0.1, momentum=0.9, nesterov=True, weight_decay=1e-3),
    "adam": lambda p: torch.optim.Adam(p, 1e-2),
    "amsgrad": lambda p: torch.optim.Adam(p, 1e-2, amsgrad=True, weight_decay=1e-2),
    "adamw": lambda p: torch.optim.AdamW(p, 1e-2),
    "rmsprop": lambda p: torch.optim.RMSprop(p, 1e-2, momentum=0.5, centered=True),
    "adagrad": lambda p: torch.optim.Adagrad(p, 1e-2, lr_decay=0.1),
    "radam": lambda p: torch.optim.RAdam(p, 1e-2),
    "nadam": lambda p: torch.optim.NAdam(p, 1e-2),
    "adamax": lambda p: torch.optim.Adamax(p, 1e-2),
    "adadelta": lambda p: torch.optim.Adadelta(p, 1e-1),
    "asgd": lambda p: torch.optim.ASGD(p, 1e-2),
    "rprop": lambda p: torch.optim.Rprop(p, 1e-2),
}


@pytest.mark.parametrize("name", sorted(OPTIMIZERS))
@pytest.mark.parametrize("to_none", [True, False])
def test_training_step(name: str, to_none: bool) -> None:
    _, replayed = both(training(OPTIMIZERS[name], to_none), 12)
    assert replayed.replays >= (1 if name == "radam" else 5), explain(replayed)


def test_dropout_takes_the_same_random_numbers() -> None:
    _, replayed = both(training(OPTIMIZERS["adam"], dropout=0.5), 10)
    assert replayed.replays >= 5


def test_batch_norm_updates_its_buffers() -> None:
    def model() -> Any:
        torch.manual_seed(1)
        return nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 3))
    _, replayed = both(training(OPTIMIZERS["sgd"], model=model), 10)
    assert replayed.replays >= 5


def test_learning_rate_schedule_outside() -> None:
    def make() -> Any:
        step, state, before = training(OPTIMIZERS["adam"])()
        opt = next(c.cell_contents for c in step.__closure__
                   if isinstance(c.cell_contents, torch.optim.Optimizer))
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(opt, 20)

        def then(i: int) -> Any:
            if i > 1:
                schedule.step()
            return before(i)
        return step, lambda: [state(), schedule.get_last_lr()], then
    _, replayed = both(make, 14)
    assert replayed.replays >= 5, explain(replayed)


def test_schedule_inside_and_counters_are_not_replayed() -> None:
    def make() -> Any:
        m = net()
        opt = torch.optim.SGD(m.parameters(), 0.5)
        schedule = torch.optim.lr_scheduler.StepLR(opt, 2, 0.5)
        count = {"n": 0}

        def step(x: Any, y: Any) -> Any:
            opt.zero_grad()
            F.cross_entropy(m(x), y).backward()
            opt.step()
            schedule.step()
            count["n"] += 1
            return count["n"]
        return step, lambda: [*m.parameters(), count["n"]], lambda i: (data(i), {})
    _, replayed = both(make, 12)
    assert not replayed.replays
    assert "changes Python state" in explain(replayed)


def test_gradients_accumulate_over_calls() -> None:
    def make() -> Any:
        m = net()

        def step(x: Any, y: Any) -> Any:
            loss = F.cross_entropy(m(x), y)
            loss.backward()
            return loss.detach()

        def before(i: int) -> Any:
            if i % 4 == 3:
                m.zero_grad(set_to_none=i % 8 == 3)
            return data(i), {}
        return step, lambda: [[p.grad for p in m.parameters()]], before
    _, replayed = both(make, 20)
    assert replayed.replays >= 6, explain(replayed)


def test_gradients_and_parameters_changed_from_outside() -> None:
    def make() -> Any:
        step, state, before = training(OPTIMIZERS["adam"])()
        m = next(c.cell_contents for c in step.__closure__
                 if isinstance(c.cell_contents, nn.Module))
        kept: list[Any] = []

        def then(i: int) -> Any:
            if i > 5:
                kept.append(m[0].weight.grad)
                kept.append(m[0].weight.detach().clone())
            if i == 7:
                m[0].weight.data = m[0].weight.data * 2
            if i == 9:
                with torch.no_grad():
                    m[0].bias.add_(1.0)
            if i == 11:
                m[3].bias.requires_grad_(False)
            if i == 13:
                m.load_state_dict({k: v * 0.5 for k, v in m.state_dict().items()})
            if i == 15:
                m[3].weight.grad = None
            return before(i)
        return step, lambda: [state(), kept], then
    _, replayed = both(make, 22)
    assert replayed.replays >= 6, explain(replayed)


def test_optimizer_state_and_options_changed_from_outside() -> None:
    def make() -> Any:
        step, state, before = training(OPTIMIZERS["adam"])()
        opt = next(c.cell_contents for c in step.__closure__
                   if isinstance(c.cell_contents, torch.optim.Optimizer))

        def then(i: int) -> Any:
            if i == 6:
                opt.load_state_dict(opt.state_dict())
            if i == 10:
                opt.param_groups[0]["betas"] = (0.5, 0.9)
            if i == 14:
                next(iter(opt.state.values()))["step"].fill_(1.0)
            if i == 16:
                next(iter(opt.state.values()))["step"].item()
            return before(i)
        return step, state, then
    both(make, 20)


def test_train_and_eval() -> None:
    def make() -> Any:
        m = net(dropout=0.5)

        def before(i: int) -> Any:
            m.train(i % 6 < 3)
            return data(i)[:1], {}
        return torch.no_grad()(lambda x: m(x)), list, before
    _, replayed = both(make, 24)
    assert replayed.replays >= 10


# ---------------------------------------------------------------- what changes in between


LIMIT = 2.0
DROP = nn.Dropout(0.5)
LAYER = nn.Linear(6, 3)


def test_state_that_changes_between_calls() -> None:
    global LIMIT

    class Box:
        factor = 3.0

        def __init__(self) -> None:
            self.shift = 1
            self.items = [1.0, 2.0]
            self.table = {"a": 1.0}

    def make() -> Any:
        box = Box()
        scale = 1.0

        def run(x: Any, flag: bool) -> Any:
            y = x * scale * box.factor + box.shift * box.items[1] + box.table["a"]
            if flag:
                y = y.clamp(max=LIMIT)
            return y

        def before(i: int) -> Any:
            global LIMIT
            nonlocal scale
            LIMIT = 2.0 if i < 20 else 1.0
            scale = 1.0 if i < 4 else 2.0
            box.shift = 1 if i < 8 else 1.0
            box.items[1] = 2.0 if i < 12 else 4.0
            box.table["a"] = 1.0 if i < 16 else -0.0
            Box.factor = 3.0 if i < 24 else 5.0
            return (data(i)[0].round().to(torch.int64), i % 2 == 0), {}
        return run, list, before
    _, replayed = both(make, 36)
    assert replayed.replays >= 3


def test_modules_in_globals() -> None:
    def make() -> Any:
        DROP.train()

        def before(i: int) -> Any:
            DROP.train(i < 6)
            DROP.p = 0.5 if i < 3 else 0.25
            if i == 9:
                with torch.no_grad():
                    LAYER.weight.fill_(0.5)
            return data(i)[:1], {}
        return torch.no_grad()(lambda x: LAYER(DROP(x))), list, before
    with torch.no_grad():
        LAYER.weight.fill_(0.25)
        LAYER.bias.fill_(1.0)
    step, _, before = make()
    compiled = torch.compile(step)
    for i in range(18):
        args, _ = before(i)
        torch.manual_seed(i)
        want = bits(step(*args))
        torch.manual_seed(i)
        assert bits(compiled(*args)) == want, i
    assert compiled._replayed.replays >= 6, explain(compiled)


def test_modules_inside_functions_that_flambeau_made() -> None:
    drop = nn.Dropout(0.5)
    inner = torch.no_grad()(drop.forward)
    compiled = torch.compile(lambda x: inner(x))
    for i in range(14):
        drop.train(i < 7)
        x = data(i)[0]
        torch.manual_seed(i)
        want = bits(inner(x))
        torch.manual_seed(i)
        assert bits(compiled(x)) == want, i


def test_metaclasses_and_version_counts() -> None:
    class Meta(type):
        factor = 1.0

    class Scale(metaclass=Meta):
        pass

    weight = torch.ones(6)
    for fn in (lambda x: x * Scale.factor, lambda x: x * weight._version):
        compiled = torch.compile(fn)
        for i in range(12):
            Meta.factor = 1.0 + i // 6
            if i == 8:
                weight.add_(1)
            x = data(i)[0]
            assert bits(compiled(x)) == bits(fn(x)), i


def test_names_that_appear_between_calls() -> None:
    class Box:
        factor = 3.0

    def make() -> Any:
        box = Box()
        space = {"box": box, "Any": Any}
        exec("def run(x):\n    return max(x.shape) * x * box.factor", space)

        def before(i: int) -> Any:
            if i == 6:
                box.factor = 4.0  # type: ignore[misc]
            if i == 12:
                space["max"] = min
            return data(i)[:1], {}
        return space["run"], list, before
    _, replayed = both(make, 18)
    assert replayed.replays >= 6, explain(replayed)


def test_a_method_replaced() -> None:
    class Net(nn.Module):
        def forward(self, x: Any) -> Any:
            return self.inner(x) + 1

        def inner(self, x: Any) -> Any:
            return x * 2

    def make() -> Any:
        m = Net()

        def before(i: int) -> Any:
            if i == 5:
                m.inner = lambda x: x * 3
            return data(i)[:1], {}
        return m, list, before
    both(make, 10)


def test_in_place_writes_to_arguments_and_captured_tensors() -> None:
    def make() -> Any:
        cache = torch.zeros(4, 6)

        def run(x: Any, at: int) -> Any:
            cache[at] = x[0]
            x.mul_(2)
            return cache.sum() + x.sum()
        held: list[Any] = []

        def before(i: int) -> Any:
            held[:] = [data(i)[0]]
            return (held[0], i % 2), {}
        return run, lambda: [cache, held], before
    _, replayed = both(make, 14)
    assert replayed.replays >= 4


def test_arrays_shared_with_numpy() -> None:
    array = np.zeros((5, 6), np.float32)
    x = torch.from_numpy(array)
    w = torch.ones(6, 3)
    run = torch.compile(lambda: (x @ w, x.sum()))
    for i in range(10):
        array[:] = i
        out, total = run()
        assert float(total) == 30.0 * i and float(out[0, 0]) == 6.0 * i
    assert run._replayed.replays >= 5


def test_batches_of_a_data_set() -> None:
    def make() -> Any:
        whole = torch.arange(240.0).reshape(40, 6)

        def run(x: Any) -> Any:
            return (x * 2).sum(0)
        return run, list, lambda i: ((whole[i:i + 5],), {})
    _, replayed = both(make, 10)
    assert replayed.replays >= 5, explain(replayed)


def test_tensors_that_share_memory() -> None:
    def make() -> Any:
        def run(x: Any, y: Any) -> Any:
            x.add_(1)
            return x + y

        def before(i: int) -> Any:
            x = data(i)[0]
            return (x, x if i % 3 == 0 else x[:] if i % 3 == 1 else data(i + 1)[0]), {}
        return run, list, before
    both(make, 18)


def test_index_out_of_range_in_a_later_call() -> None:
    def make() -> Any:
        table = torch.arange(12.0).reshape(4, 3)

        def before(i: int) -> Any:
            return (torch.tensor([0, 1, 9 if i == 6 else i % 4]),), {}
        return lambda index: table[index], list, before
    _, replayed = both(make, 10)
    assert replayed.replays >= 3


def test_size_that_follows_from_values() -> None:
    def make() -> Any:
        return (lambda x: (torch.bincount(x), x[x > 1]), list,
                lambda i: ((torch.tensor([0, 1, i // 4]),), {}))
    both(make, 14)


# ---------------------------------------------------------------- what cannot be replayed


def test_looking_at_values() -> None:
    def make() -> Any:
        def run(x: Any) -> Any:
            if x.sum() > 0:
                return x + 1, float(x[0, 0])
            return x - 1, x.max().item()
        return run, list, lambda i: (data(i)[:1], {})
    _, replayed = both(make)
    assert not replayed.replays
    assert "looked at" in explain(replayed)


def test_printing(capsys: Any) -> None:
    def run(x: Any) -> Any:
        print("called")
        return x + 1
    compiled = torch.compile(run)
    for i in range(6):
        compiled(data(i)[0])
    assert capsys.readouterr().out.count("called") == 6


def test_clock_random_and_iterators() -> None:
    import itertools
    import random
    import time
    numbers = itertools.count()
    generator = random.Random(0)
    for fn in (lambda x: x + time.perf_counter(), lambda x: x + random.random(),
               lambda x: x + next(numbers), lambda x: x + generator.random(),
               lambda x: x + float(np.random.rand())):
        compiled = torch.compile(fn)
        x = torch.zeros(2, dtype=torch.float64)
        values = [float(compiled(x)[0]) for _ in range(8)]
        assert len(set(values)) == 8, explain(compiled)


def test_attributes_read_by_names_made_at_run_time() -> None:
    import dataclasses
    import operator

    @dataclass
    class Options:
        first: float = 1.0
        second: float = 2.0

    def total(first: float, second: float) -> float:
        return first + second

    options = Options()
    for fn in (lambda x: x * total(**dataclasses.asdict(options)),
               lambda x: x * sum(getattr(options, k + "t") for k in ("firs",)),
               lambda x: x * operator.attrgetter("fir" + "st")(options),
               lambda x: x * options.__dict__["first"]):
        compiled = torch.compile(fn)
        for i in range(12):
            options.first = 1.0 if i < 6 else 3.0
            x = data(i)[0]
            assert bits(compiled(x)) == bits(fn(x)), i


def test_hooks() -> None:
    def make() -> Any:
        m = net()
        calls: list[int] = []

        def step(x: Any, y: Any) -> Any:
            for p in m.parameters():
                p.grad = None
            F.cross_entropy(m(x), y).backward()
            return [p.grad for p in m.parameters()]

        def before(i: int) -> Any:
            if i == 5:
                m[0].weight.register_hook(lambda g: g * 2)
            if i == 11:
                m[0].register_forward_hook(lambda mod, args, out: out + 1)
            if i == 17:
                m[3].register_forward_hook(lambda mod, args, out: calls.append(1))
            return data(i), {}
        return step, lambda: [len(calls)], before
    _, replayed = both(make, 22)
    assert replayed.replays >= 5, explain(replayed)


def test_objects_that_run_code_when_looked_at() -> None:
    class Proxy:
        armed = False

        def __getattribute__(self, name: str) -> Any:
            if name == "__dict__" and type(self).armed:
                raise KeyError(name)
            return super().__getattribute__(name)

        def __getattr__(self, name: str) -> Any:
            raise ValueError(name)

    proxy = Proxy()
    run = torch.compile(lambda x: x + (proxy is not None))
    for i in range(10):
        Proxy.armed = i > 5
        x = data(i)[0]
        assert bits(run(x)) == bits(x + 1)


def test_key_value_cache_is_written_in_place() -> None:
    def make() -> Any:
        cache = torch.zeros(64, 64)
        held: list[Any] = []

        def run(x: Any) -> Any:
            cache[3] = x[0, :1]
            return cache[:4].sum()

        def before(i: int) -> Any:
            if i % 3 == 2:
                held.append(cache + 0 if i % 2 else cache.clone())
            return data(i)[:1], {}
        return run, lambda: [cache, held], before
    _, replayed = both(make, 16)
    assert replayed.replays >= 8


def test_exceptions_inside() -> None:
    def make() -> Any:
        mode = {"fail": False}

        def run(x: Any) -> Any:
            y = x + 1
            if mode["fail"]:
                raise ValueError("no")
            return y

        def before(i: int) -> Any:
            mode["fail"] = i in (2, 6, 7)
            return data(i)[:1], {}
        return run, list, before
    _, replayed = both(make, 12)
    assert replayed.replays >= 3


def test_nested_compile() -> None:
    inner = torch.compile(lambda x: x * 2)
    outer = torch.compile(lambda x: inner(x) + 1)
    for i in range(8):
        x = data(i)[0]
        assert bits(outer(x)) == bits(x * 2 + 1)
    assert outer._replayed.replays >= 4


@dataclass
class Batch:
    x: Any
    scale: float


def test_arguments_of_all_kinds() -> None:
    def make() -> Any:
        def run(pair: Any, *rest: Any, named: Any, batch: Any) -> Any:
            return pair[0] + named["y"] * rest[0] + batch.x * batch.scale

        def before(i: int) -> Any:
            x, y = data(i)[0], data(i + 1)[0]
            return ([x, None], 2), {"named": {"y": y}, "batch": Batch(x, 1.0 + i // 6)}
        return run, list, before
    both(make, 14)


def test_settings_change() -> None:
    def make() -> Any:
        m = net()

        def run(x: Any) -> Any:
            return m(x).sum() + torch.ones(2).sum()
        call = run

        def before(i: int) -> Any:
            torch.set_grad_enabled(i % 2 == 0)
            return data(i)[:1], {}
        return call, list, before
    try:
        both(make, 12)
    finally:
        torch.set_grad_enabled(True)


def test_autocast_inside_and_outside() -> None:
    m = net().eval()
    run = torch.compile(torch.no_grad()(lambda x: m(x)))
    for i in range(16):
        x = data(i)[0]
        with torch.autocast("cpu", enabled=i % 2 == 0), torch.no_grad():
            assert bits(run(x)) == bits(m(x))
    assert run._replayed.replays >= 8


def test_threads() -> None:
    m = net().eval()
    run = torch.compile(torch.no_grad()(lambda x: m(x)))
    wrong: list[int] = []

    def work(k: int) -> None:
        for i in range(20):
            x = data(100 * k + i)[0]
            with torch.no_grad():
                if bits(run(x)) != bits(m(x)):
                    wrong.append(i)

    threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not wrong


def test_gradient_through_a_compiled_forward() -> None:
    def make() -> Any:
        m = net()

        def before(i: int) -> Any:
            for p in m.parameters():
                p.grad = None
            return data(i), {}

        def outside(x: Any, y: Any) -> Any:
            loss = F.cross_entropy(compiled(x), y)
            loss.backward()
            return loss.detach()
        compiled = torch.compile(m)
        return outside, lambda: [[p.grad for p in m.parameters()]], before
    both(make, 8)


def test_own_random_generator_and_seeding() -> None:
    def make() -> Any:
        gen = torch.Generator().manual_seed(5)

        def run(x: Any) -> Any:
            return x + torch.rand(5, 6, generator=gen) + torch.randn(5, 6) + torch.randperm(6)
        return run, lambda: [torch.rand(1, generator=gen)], lambda i: (data(i)[:1], {})
    _, replayed = both(make, 10)
    assert replayed.replays >= 5, explain(replayed)


def test_reset_forgets() -> None:
    run = torch.compile(lambda x: x + 1)
    for i in range(6):
        run(data(i)[0])
    assert run._replayed.entries
    torch.compiler.reset()
    assert not run._replayed.entries


def test_stances() -> None:
    run = torch.compile(lambda x: x + 1)
    x = data(0)[0]
    with torch.compiler.set_stance("fail_on_recompile"), pytest.raises(RuntimeError, match="again"):
        run(x)
    with torch.compiler.set_stance("force_eager"):
        assert bits(run(x)) == bits(x + 1)
    assert not run._replayed.calls - 1
    for _ in range(5):
        run(x)
    with torch.compiler.set_stance("fail_on_recompile"):
        assert bits(run(x)) == bits(x + 1)
        with pytest.raises(RuntimeError, match="again"):
            run(data(0, 9)[0])
    with torch.compiler.set_stance("eager_on_recompile"):
        assert bits(run(data(0, 9)[0])) == bits(data(0, 9)[0] + 1)
    assert len(run._replayed.entries) == 1
    with pytest.raises(RuntimeError, match="invalid"):
        torch.compiler.set_stance("other")

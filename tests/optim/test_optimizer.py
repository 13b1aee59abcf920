"""Optimizers: groups, state, closures, hooks, errors, and one program a step."""
from __future__ import annotations

import copy
import gc

import pytest

import flambeau as torch
from flambeau import nn, optim
from flambeau.graph.realize import statistics

ALL = ["ASGD", "Adadelta", "Adafactor", "Adagrad", "Adam", "AdamW", "Adamax", "NAdam", "RAdam",
       "RMSprop", "Rprop", "SGD", "Muon", "LBFGS", "SparseAdam"]


def _problem():
    torch.manual_seed(0)
    p = nn.Parameter(torch.tensor([[1.0, -2.0], [3.0, 0.5]]))
    return p, lambda: ((p - 0.25) ** 2).sum()


@pytest.mark.parametrize("name", ALL)
def test_every_optimizer_descends(name):
    p, loss = _problem()
    opt = getattr(optim, name)([p], lr=0.05)
    start = loss().item()

    def closure():
        opt.zero_grad()
        value = loss()
        value.backward()
        return value

    for _ in range(8):
        opt.step(closure)
    assert loss().item() < start
    assert opt.state[p] or name == "SGD"        # without momentum SGD remembers nothing


def test_sgd_by_hand():
    p = nn.Parameter(torch.tensor([1.0]))
    opt = optim.SGD([p], lr=0.5, momentum=0.5)
    for _ in range(2):
        p.grad = torch.tensor([1.0])
        opt.step()
    assert p.item() == pytest.approx(1 - 0.5 * 1 - 0.5 * 1.5)
    assert opt.state[p]["momentum_buffer"].item() == pytest.approx(1.5)


def test_adam_by_hand():
    p = nn.Parameter(torch.tensor([1.0]))
    opt = optim.Adam([p], lr=0.1)
    p.grad = torch.tensor([4.0])
    opt.step()
    # The first step is lr in the direction of the gradient's sign.
    assert p.item() == pytest.approx(0.9, abs=1e-6)
    state = opt.state[p]
    assert list(state) == ["step", "exp_avg", "exp_avg_sq"]
    assert state["step"].item() == 1 and state["step"].dtype is torch.float32
    assert state["exp_avg"].item() == pytest.approx(0.4)
    assert state["exp_avg_sq"].item() == pytest.approx(0.016)


def test_a_step_is_one_program_and_compiles_once():
    p, loss = _problem()
    opt = optim.Adam([p], lr=0.1)
    schedule = optim.lr_scheduler.ExponentialLR(opt, 0.9)
    for i in range(8):
        if i == 3:
            runs, compiled = statistics.runs, statistics.compiled
        opt.zero_grad()
        value = loss()
        value.backward()
        opt.step()
        value.item()
        schedule.step()
    assert statistics.runs - runs == 5
    assert statistics.compiled == compiled


def test_groups_and_their_errors():
    a, b = nn.Parameter(torch.ones(1)), nn.Parameter(torch.ones(1))
    opt = optim.SGD([{"params": [a], "lr": 0.1}, {"params": b}], lr=1.0)
    assert [g["lr"] for g in opt.param_groups] == [0.1, 1.0]
    with pytest.raises(ValueError, match="some parameters appear in more than one"):
        opt.add_param_group({"params": [a]})
    with pytest.raises(TypeError, match="params argument given to the optimizer should be"):
        optim.SGD(a, lr=1.0)
    with pytest.raises(ValueError, match="optimizer got an empty parameter list"):
        optim.Adam([])
    with pytest.raises(ValueError, match="can't optimize a non-leaf Tensor"):
        optim.Adam([a * 2])
    with pytest.raises(TypeError, match="ordered collections"):
        optim.Adam([{"params": {a}}])
    with pytest.raises(ValueError, match="Invalid learning rate: -1"):
        optim.Adam([a], lr=-1)
    with pytest.raises(ValueError, match=r"Invalid beta parameter at index 0: 1\.5"):
        optim.Adam([a], betas=(1.5, 0.9))
    with pytest.raises(ValueError, match="Nesterov momentum requires"):
        optim.SGD([a], lr=1.0, nesterov=True)
    named = optim.SGD([("x", a), ("y", b)], lr=1.0)
    assert named.param_groups[0]["param_names"] == ["x", "y"]


def test_state_dict_round_trip_goes_on_alike():
    def run(opt, p, loss, steps):
        for _ in range(steps):
            opt.zero_grad()
            loss().backward()
            opt.step()
        return p.tolist()

    p, loss = _problem()
    one = optim.AdamW([p], lr=0.1)
    run(one, p, loss, 3)
    q, other = _problem()
    q.data.copy_(p.data)
    two = optim.AdamW([q], lr=0.7)
    two.load_state_dict(copy.deepcopy(one.state_dict()))
    assert two.param_groups[0]["lr"] == 0.1
    assert run(two, q, other, 2) == run(one, p, loss, 2)
    with pytest.raises(ValueError, match="different number of parameter groups"):
        two.load_state_dict({"state": {}, "param_groups": []})


def test_step_hooks():
    p, loss = _problem()
    opt = optim.SGD([p], lr=0.1)
    seen = []
    opt.register_step_pre_hook(lambda o, a, k: seen.append("pre"))
    handle = opt.register_step_post_hook(lambda o, a, k: seen.append("post"))
    loss().backward()
    opt.step()
    handle.remove()
    opt.step()
    assert seen == ["pre", "post", "pre"]


def test_maximize_and_tensor_lr():
    for lr in (0.5, torch.tensor(0.5)):
        p = nn.Parameter(torch.tensor([1.0]))
        opt = optim.SGD([p], lr=lr, maximize=True)
        p.grad = torch.tensor([2.0])
        opt.step()
        assert p.item() == 2.0


def test_differentiable_step():
    lr = torch.tensor(0.5, requires_grad=True)
    p = torch.tensor([1.0], requires_grad=True)
    q = p * 1.0
    opt = optim.SGD([q], lr=lr, differentiable=True)
    q.grad = torch.tensor([3.0])
    opt.step()
    q.sum().backward()
    assert lr.grad.item() == -3.0


def test_training_does_not_grow():
    p, loss = _problem()
    opt = optim.Adam([p], lr=0.01)

    def steps(n):
        for _ in range(n):
            opt.zero_grad()
            loss().backward()
            opt.step()
        gc.collect()
        return len(gc.get_objects())

    before = steps(150)                         # numbers of recent steps are kept, up to a limit
    assert steps(150) - before < 50


def test_lr_scheduler_warns_about_order():
    p, _ = _problem()
    opt = optim.SGD([p], lr=0.1)
    plan = optim.lr_scheduler.StepLR(opt, 1)
    with pytest.warns(UserWarning, match=r"before `optimizer.step\(\)`"):
        plan.step()

"""Module: attributes and registries, hooks, state, copying, and what it refuses."""
from __future__ import annotations

import copy
import doctest
import pickle
import weakref
from collections import OrderedDict

import pytest

import flambeau as torch
from flambeau import nn
from flambeau.nn.modules import linear as linear_module

FIELDS = """training _parameters _buffers _non_persistent_buffers_set _backward_pre_hooks
_backward_hooks _is_full_backward_hook _forward_hooks _forward_hooks_with_kwargs
_forward_hooks_always_called _forward_pre_hooks _forward_pre_hooks_with_kwargs _state_dict_hooks
_state_dict_pre_hooks _load_state_dict_pre_hooks _load_state_dict_post_hooks _modules""".split()


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Linear(3, 4)
        self.second = nn.Linear(4, 2, bias=False)
        self.register_buffer("seen", torch.zeros(2))
        self.register_buffer("scratch", torch.ones(1), persistent=False)

    def forward(self, x):
        return self.second(torch.tanh(self.first(x)))


def test_linear_doctest():
    result = doctest.testmod(linear_module)
    assert result.attempted > 2
    assert result.failed == 0


def test_init_sets_exactly_the_fields():
    assert set(nn.Module().__dict__) == set(FIELDS)
    with pytest.raises(TypeError, match="unexpected keyword argument 'a'"):
        nn.Module(a=1)


def test_attributes_find_their_registries():
    net = Net()
    assert list(net._modules) == ["first", "second"]
    assert list(net.first._parameters) == ["weight", "bias"]
    assert "first" not in net.__dict__
    net.first = None
    assert net._modules["first"] is None
    net.scale = 3
    net.scale = nn.Parameter(torch.ones(1))
    assert "scale" not in net.__dict__ and "scale" in net._parameters
    with pytest.raises(TypeError, match=r"cannot assign 'int' as parameter 'scale' "
                                        r"\(torch.nn.Parameter or None expected\)"):
        net.scale = 4
    with pytest.raises(TypeError, match="FloatTensor. as parameter .scale."):
        net.scale = torch.ones(1)
    del net.scale
    with pytest.raises(AttributeError, match="'Net' object has no attribute 'scale'"):
        net.scale  # noqa: B018
    assert "second" in dir(net)


def test_before_init():
    class Early(nn.Module):
        def __init__(self, value):
            self.value = value

    with pytest.raises(AttributeError, match=r"cannot assign module before Module.__init__\(\)"):
        Early(nn.Identity())
    with pytest.raises(AttributeError, match=r"cannot assign parameters before Module.__init__"):
        Early(nn.Parameter(torch.ones(1)))


@pytest.mark.parametrize(("name", "error"), [("a.b", KeyError), ("", KeyError), (1, TypeError),
                                             ("forward", KeyError)])
def test_names_are_checked(name, error):
    for register in ("register_buffer", "register_parameter", "add_module"):
        with pytest.raises(error):
            getattr(nn.Module(), register)(name, None)


def test_non_leaf_parameter():
    module = nn.Module()
    p = nn.Parameter(torch.ones(2))
    p2 = p * 2
    p2._is_param = True
    with pytest.raises(ValueError, match="Cannot assign non-leaf Tensor to parameter 'w'"):
        module.register_parameter("w", p2)


def test_state_dict_round_trip():
    a, b = Net(), Net()
    state = a.state_dict()
    assert list(state) == ["seen", "first.weight", "first.bias", "second.weight"]
    assert state._metadata["first"] == {"version": 1}
    assert repr(b.load_state_dict(state)) == "<All keys matched successfully>"
    assert torch.equal(b.first.weight, a.first.weight)
    assert b.first.weight is not a.first.weight
    assert not state["first.weight"].requires_grad
    assert a.state_dict(keep_vars=True)["first.weight"] is a.first.weight
    assert list(a.first.state_dict(prefix="x.")) == ["x.weight", "x.bias"]


def test_state_dict_errors_and_assign():
    net = Net()
    state = net.state_dict()
    del state["seen"]
    state["more"] = torch.ones(1)
    state["first.bias"] = torch.ones(7)
    with pytest.raises(RuntimeError) as error:
        net.load_state_dict(state)
    assert str(error.value) == (
        'Error(s) in loading state_dict for Net:\n\tMissing key(s) in state_dict: "seen". \n\t'
        'Unexpected key(s) in state_dict: "more". \n\tsize mismatch for first.bias: copying a '
        "param with shape torch.Size([7]) from checkpoint, the shape in current model is "
        "torch.Size([4]).")
    state["first.bias"] = torch.full((4,), 5.0)
    keys = net.load_state_dict(state, strict=False)
    assert keys.missing_keys == ["seen"] and keys.unexpected_keys == ["more"]
    weight = state["second.weight"] = torch.ones(2, 4)
    net.load_state_dict(state, strict=False, assign=True)
    assert isinstance(net.second.weight, nn.Parameter)
    assert net.second.weight.data_ptr() == weight.data_ptr()


def test_hooks_run_in_order():
    net = nn.Linear(2, 2)
    seen = []
    net.register_forward_pre_hook(lambda m, a: seen.append("pre") or (a[0] * 2,))
    net.register_forward_pre_hook(lambda m, a, k: seen.append("kw"), with_kwargs=True,
                                  prepend=True)
    handle = net.register_forward_hook(lambda m, a, out: seen.append("post") or out + 1)
    x = torch.ones(1, 2)
    want = nn.functional.linear(x * 2, net.weight, net.bias) + 1
    assert torch.allclose(net(x), want)
    assert seen == ["kw", "pre", "post"]
    handle.remove()
    net(x)
    assert seen[3:] == ["kw", "pre"]
    everyone = nn.modules.module.register_module_forward_hook(lambda m, a, o: seen.append("all"))
    with everyone:
        net(x)
    net(x)
    assert seen.count("all") == 1


def test_always_called_hook_sees_an_error():
    class Broken(nn.Module):
        def forward(self):
            raise ValueError("no")

    net = Broken()
    seen = []
    net.register_forward_hook(lambda m, a, out: seen.append(out), always_call=True)
    with pytest.raises(ValueError, match="no"):
        net()
    assert seen == [None]


def test_full_backward_hooks_see_and_replace_gradients():
    net = nn.Linear(2, 1, bias=False)
    net.weight.data.copy_(torch.tensor([[2.0, 3.0]]))
    seen = []

    def after(module, grad_input, grad_output):
        seen.append((grad_input[0].tolist(), grad_output[0].tolist()))
        return (grad_input[0] * 10,)

    net.register_full_backward_hook(after)
    net.register_full_backward_pre_hook(lambda m, g: (g[0] * 2,))
    x = torch.ones(1, 2, requires_grad=True)
    net(x).sum().backward()
    assert seen == [([[4.0, 6.0]], [[2.0]])]
    assert x.grad.tolist() == [[40.0, 60.0]]
    assert net.weight.grad.tolist() == [[2.0, 2.0]]
    with pytest.raises(RuntimeError, match="Cannot use both regular backward hooks and full"):
        net.register_backward_hook(after)


def test_full_backward_hook_without_input_gradient():
    net = nn.Linear(2, 1)
    seen = []
    net.register_full_backward_hook(lambda m, gi, go: seen.append((gi, go[0].tolist())))
    net(torch.ones(1, 2)).sum().backward()
    assert seen == [((None,), [[1.0]])]


def test_walks_count_shared_members_once():
    shared = nn.Linear(2, 2)
    net = nn.Sequential(shared, nn.ReLU(), shared)
    assert [n for n, _ in net.named_modules()] == ["", "0", "1"]
    assert [n for n, _ in net.named_parameters()] == ["0.weight", "0.bias"]
    assert len(list(net.named_parameters(remove_duplicate=False))) == 4
    assert net.get_submodule("0") is shared
    assert net.get_parameter("2.bias") is shared.bias
    with pytest.raises(AttributeError, match="Sequential has no attribute `7`"):
        net.get_submodule("7")
    net.set_submodule("1", nn.Tanh())
    assert isinstance(net[1], nn.Tanh)


def test_conversions_keep_parameters():
    net = Net()
    first = net.first.weight
    first.grad = torch.ones(4, 3)
    net.double()
    assert net.first.weight is first
    assert first.dtype is torch.float64 and first.grad.dtype is torch.float64
    assert net.to(torch.float32).seen.dtype is torch.float32
    with pytest.raises(TypeError, match=r"nn\.Module\.to only accepts floating"):
        net.to(torch.int64)
    with pytest.raises(ValueError, match="training mode is expected to be boolean"):
        net.train(1)
    assert not net.eval().second.training
    net.zero_grad()
    assert first.grad is None


def test_copies_and_pickles():
    net = Net()
    for other in (copy.deepcopy(net), pickle.loads(pickle.dumps(net))):
        assert torch.equal(other.first.weight, net.first.weight)
        assert other.first.weight is not net.first.weight
        assert isinstance(other.first.weight, nn.Parameter)
        assert other._non_persistent_buffers_set == {"scratch"}
    old = net.__getstate__()
    for key in ("_forward_hooks_with_kwargs", "_state_dict_pre_hooks", "_is_full_backward_hook"):
        del old[key]
    revived = Net.__new__(Net)
    revived.__setstate__(old)
    assert set(FIELDS) <= set(revived.__dict__)


def test_a_module_dies_with_its_last_reference():
    net = Net()
    net(torch.ones(1, 3)).sum().backward()
    ref = weakref.ref(net)
    del net
    assert ref() is None


def test_repr():
    assert repr(Net()) == ("Net(\n  (first): Linear(in_features=3, out_features=4, bias=True)\n"
                           "  (second): Linear(in_features=4, out_features=2, bias=False)\n)")
    blocks = nn.ModuleList([nn.ReLU(), nn.ReLU(), nn.Tanh()])
    assert repr(blocks) == "ModuleList(\n  (0-1): 2 x ReLU()\n  (2): Tanh()\n)"


def test_containers():
    seq = nn.Sequential(OrderedDict(a=nn.ReLU(), b=nn.Tanh()))
    assert list(seq._modules) == ["a", "b"] and isinstance(seq[-1], nn.Tanh)
    assert isinstance(seq.pop(0), nn.ReLU) and list(seq._modules) == ["0"]
    with pytest.raises(IndexError, match="index 3 is out of range"):
        seq[3]
    table = nn.ModuleDict({"x": nn.ReLU()})
    table.update([["y", nn.Tanh()]])
    assert list(table) == ["x", "y"] and "y" in table
    params = nn.ParameterList([torch.ones(2), 5])
    assert isinstance(params[0], nn.Parameter) and params[1] == 5
    assert [n for n, _ in params.named_parameters()] == ["0"]
    named = nn.ParameterDict({"b": torch.ones(1), "a": torch.ones(2)})
    assert list(named) == ["a", "b"]


@pytest.mark.filterwarnings("ignore:Lazy modules are a new feature")
def test_lazy_layers_take_their_shape():
    net = nn.Sequential(nn.LazyConv2d(4, 3), nn.LazyBatchNorm2d(), nn.Flatten(), nn.LazyLinear(2))
    with pytest.raises(RuntimeError, match="shape of an uninitialized parameter"):
        net[0].weight.shape  # noqa: B018
    net(torch.ones(2, 3, 4, 4))
    assert type(net[0]) is nn.Conv2d and type(net[3]) is nn.Linear
    assert net[0].weight.shape == (4, 3, 3, 3) and net[3].in_features == 16
    fresh = nn.LazyLinear(2)
    fresh.load_state_dict(net[3].state_dict())
    assert fresh.weight.shape == (2, 16)

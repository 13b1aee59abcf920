import numpy as np
def fill(torch, model, seed=0):
    rng = np.random.RandomState(seed)
    with torch.no_grad():
        for name, p in sorted(model.named_parameters()):
            if p.dim() > 1:
                fan = int(np.prod(p.shape[1:]))
                p.copy_(torch.from_numpy((rng.randn(*p.shape) / fan**0.5).astype("float32")))
            else:
                p.copy_(torch.from_numpy(np.full(tuple(p.shape), 1.0 if name.endswith("weight") else 0.0, "float32")))
    return model
def data(torch, *shape, seed=0):
    return torch.from_numpy(np.random.RandomState(seed).randn(*shape).astype("float32"))
def ids(torch, *shape, high, seed=1):
    return torch.from_numpy(np.random.RandomState(seed).randint(0, high, shape))
def grads(model):
    return [float(p.grad.double().abs().sum()) if p.grad is not None else None for n,p in sorted(model.named_parameters())]
def show(name, *vals):
    import json
    print(name, json.dumps([v if not hasattr(v,'tolist') else np.asarray(v.detach().double().numpy()).ravel()[:8].round(6).tolist() for v in vals]))

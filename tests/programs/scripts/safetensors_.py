import os
import tempfile

import torch
from common import data, fill, report, some
from safetensors import safe_open
from safetensors.torch import load, load_file, load_model, save, save_file, save_model

model = fill(torch.nn.Sequential(torch.nn.Linear(4, 5), torch.nn.Linear(5, 2)))
with tempfile.TemporaryDirectory() as folder:
    path = os.path.join(folder, "a.safetensors")
    save_file({"x": data(3, 4), "y": data(2).to(torch.bfloat16), "n": torch.arange(5)}, path,
              metadata={"kind": "test"})
    back = load_file(path)
    with safe_open(path, framework="pt") as file:
        names, kind = sorted(file.keys()), file.metadata()
        piece = file.get_slice("x")[1:, :2]
        shape = file.get_slice("x").get_shape()
    again = load(save({"x": back["x"] * 2}))
    whole = os.path.join(folder, "m.safetensors")
    save_model(model, whole)
    other = torch.nn.Sequential(torch.nn.Linear(4, 5), torch.nn.Linear(5, 2))
    missing, unexpected = load_model(other, whole)
    out = other(data(2, 4))
report(names=names, kind=kind, piece=some(piece), shape=shape, x=some(again["x"]),
       y=[str(back["y"].dtype), *some(back["y"].float())], n=back["n"].tolist(), out=some(out),
       missing=list(missing), unexpected=list(unexpected))

import torch
from common import data, fill, gradients, report, some
from vit_pytorch import SimpleViT, ViT

found = {}
vit = fill(ViT(image_size=32, patch_size=8, num_classes=10, dim=32, depth=2, heads=4, mlp_dim=64))
simple = fill(SimpleViT(image_size=32, patch_size=8, num_classes=10, dim=32, depth=2, heads=4,
                        mlp_dim=64))
for name, model in (("vit", vit), ("simple", simple)):
    model.eval()
    out = model(data(2, 3, 32, 32))
    loss = torch.nn.functional.cross_entropy(out, torch.tensor([1, 7]))
    loss.backward()
    found[name] = [loss.item(), gradients(model), *some(out)]
report(**found)

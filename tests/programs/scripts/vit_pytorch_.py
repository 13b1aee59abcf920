import torch
from common import data, fill, gradients, report, some
from vit_pytorch import SimpleViT, ViT
from vit_pytorch.cct import CCT

found = {}
vit = fill(ViT(image_size=32, patch_size=8, num_classes=10, dim=32, depth=2, heads=4, mlp_dim=64))
simple = fill(SimpleViT(image_size=32, patch_size=8, num_classes=10, dim=32, depth=2, heads=4,
                        mlp_dim=64))
cct = fill(CCT(img_size=32, embedding_dim=32, n_conv_layers=1, kernel_size=3, stride=2, padding=1,
               pooling_kernel_size=3, pooling_stride=2, pooling_padding=1, num_layers=2,
               num_heads=4, mlp_ratio=2.0, num_classes=10, positional_embedding="learnable"))
for name, model in (("vit", vit), ("simple", simple), ("cct", cct)):
    model.eval()
    out = model(data(2, 3, 32, 32))
    loss = torch.nn.functional.cross_entropy(out, torch.tensor([1, 7]))
    loss.backward()
    found[name] = [loss.item(), gradients(model), *some(out)]
report(**found)

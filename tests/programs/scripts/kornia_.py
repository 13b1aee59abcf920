import torch
import kornia
from common import data, report, some

x = data(2, 3, 16, 16).sigmoid().requires_grad_()
f = {}
f["blur"] = kornia.filters.gaussian_blur2d(x, (5, 5), (1.0, 1.0))
f["sobel"] = kornia.filters.sobel(x)
f["hsv"] = kornia.color.rgb_to_hsv(x)
f["lab"] = kornia.color.rgb_to_lab(x)
f["rot"] = kornia.geometry.rotate(x, torch.tensor([30.0, 45.0]))
f["warp"] = kornia.geometry.warp_perspective(x, torch.eye(3)[None].repeat(2, 1, 1) + 0.01, (16, 16))
f["ssim"] = kornia.metrics.ssim(x, x.flip(-1), 5)
f["canny"] = kornia.filters.canny(x)[0]
f["harris"] = kornia.feature.harris_response(x.mean(1, keepdim=True))
f["median"] = kornia.filters.median_blur(x, (3, 3))
f["eq"] = kornia.enhance.equalize(x.detach())
f["morph"] = kornia.morphology.dilation(x, torch.ones(3, 3))
loss = sum(v.sum() for k, v in f.items() if v.requires_grad)
loss.backward()
report(grad=some(x.grad), **{k: some(v) for k, v in f.items()})

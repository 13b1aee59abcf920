import torch
from common import data, fill, report, some
from captum.attr import (
    IntegratedGradients,
    Saliency,
    DeepLift,
    LayerGradCam,
    Occlusion,
    FeatureAblation,
    InputXGradient,
    GuidedBackprop,
    LayerConductance,
)

m = fill(
    torch.nn.Sequential(
        torch.nn.Conv2d(1, 4, 3, padding=1),
        torch.nn.ReLU(),
        torch.nn.Flatten(),
        torch.nn.Linear(64, 3),
    )
).eval()
x = data(2, 1, 4, 4).requires_grad_()
f = {}
f["ig"] = IntegratedGradients(m).attribute(x, target=1, n_steps=10)
f["sal"] = Saliency(m).attribute(x, target=1)
f["dl"] = DeepLift(m).attribute(x, target=1)
f["cam"] = LayerGradCam(m, m[0]).attribute(x, target=1)
f["occ"] = Occlusion(m).attribute(x, target=1, sliding_window_shapes=(1, 2, 2))
f["abl"] = FeatureAblation(m).attribute(x, target=1)
f["ixg"] = InputXGradient(m).attribute(x, target=1)
f["gb"] = GuidedBackprop(m).attribute(x, target=1)
f["lc"] = LayerConductance(m, m[0]).attribute(x, target=1, n_steps=5)
report(**{k: some(v) for k, v in f.items()})

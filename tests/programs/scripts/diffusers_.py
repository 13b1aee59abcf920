import torch
from common import data, fill, gradients, report, some
from diffusers import UNet2DModel, DDPMScheduler, DDIMScheduler, AutoencoderKL, UNet2DConditionModel

m = fill(
    UNet2DModel(
        sample_size=16,
        in_channels=1,
        out_channels=1,
        layers_per_block=1,
        block_out_channels=(16, 32),
        norm_num_groups=4,
        down_block_types=("DownBlock2D", "AttnDownBlock2D"),
        up_block_types=("AttnUpBlock2D", "UpBlock2D"),
    )
).eval()
s = DDPMScheduler(num_train_timesteps=50)
x, n = data(2, 1, 16, 16), data(2, 1, 16, 16, seed=2)
t = torch.tensor([3, 30])
noisy = s.add_noise(x, n, t)
out = m(noisy, t).sample
loss = torch.nn.functional.mse_loss(out, n)
loss.backward()
d = DDIMScheduler(num_train_timesteps=50)
d.set_timesteps(4)
y = n
with torch.no_grad():
    for k in d.timesteps:
        y = d.step(m(y, k).sample, k, y).prev_sample
c = fill(
    UNet2DConditionModel(
        sample_size=8,
        in_channels=4,
        out_channels=4,
        layers_per_block=1,
        block_out_channels=(16, 32),
        norm_num_groups=4,
        cross_attention_dim=16,
        attention_head_dim=8,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
    )
).eval()
co = c(data(1, 4, 8, 8), torch.tensor([7]), encoder_hidden_states=data(1, 5, 16)).sample
v = fill(
    AutoencoderKL(
        block_out_channels=(8, 16),
        down_block_types=("DownEncoderBlock2D",) * 2,
        up_block_types=("UpDecoderBlock2D",) * 2,
        norm_num_groups=4,
        latent_channels=2,
        in_channels=1,
        out_channels=1,
    )
).eval()
vo = v(x).sample
report(loss=loss.item(), g=gradients(m), y=some(y), co=some(co), vo=some(vo))

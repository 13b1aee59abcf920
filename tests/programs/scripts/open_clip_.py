import open_clip
from common import data, fill, gradients, ids, report, some
from open_clip.model import CLIP, CLIPVisionCfg, CLIPTextCfg

m = CLIP(
    32,
    CLIPVisionCfg(layers=2, width=32, head_width=16, patch_size=8, image_size=32),
    CLIPTextCfg(context_length=12, vocab_size=100, width=32, heads=2, layers=2),
)
fill(m)
m.eval()
im, t = data(3, 3, 32, 32), ids(3, 12, high=100)
i, tx, s = m(im, t)
loss = open_clip.ClipLoss()(i, tx, s)
loss.backward()
tok = open_clip.get_tokenizer("ViT-B-32")(["a cat", "a dog"])
report(loss=loss.item(), g=gradients(m), i=some(i), tok=tok[:, :5].tolist())

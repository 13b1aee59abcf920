import torch
from common import data, fill, ids, report, some
from transformers import GPT2Config, GPT2LMHeadModel
from peft import LoraConfig, get_peft_model

gpt = fill(
    GPT2LMHeadModel(
        GPT2Config(
            vocab_size=64,
            n_positions=32,
            n_embd=32,
            n_layer=2,
            n_head=4,
            bos_token_id=0,
            eos_token_id=0,
        )
    )
)
m = get_peft_model(
    gpt, LoraConfig(r=4, lora_alpha=8, target_modules=["c_attn"], fan_in_fan_out=True)
)
torch.manual_seed(0)
with torch.no_grad():
    for n, p in sorted(m.named_parameters()):
        if "lora" in n:
            p.copy_(data(*p.shape, seed=5) * 0.1)
opt = torch.optim.AdamW([p for p in m.parameters() if p.requires_grad], lr=1e-2)
x = ids(2, 10, high=64)
losses = []
m.eval()
for _ in range(3):
    loss = m(input_ids=x, labels=x).loss
    opt.zero_grad()
    loss.backward()
    opt.step()
    losses.append(loss.item())
merged = m.merge_and_unload()
report(
    losses=losses,
    out=some(merged(input_ids=x).logits),
    n=sum(p.numel() for p in merged.parameters()),
)

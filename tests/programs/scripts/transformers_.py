import torch
from common import fill, gradients, ids, report, some
from transformers import (
    BertConfig, BertForMaskedLM, GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM,
)

found = {}
gpt = GPT2LMHeadModel(GPT2Config(vocab_size=64, n_positions=32, n_embd=32, n_layer=2, n_head=4,
                                 bos_token_id=0, eos_token_id=0))
llama = LlamaForCausalLM(LlamaConfig(vocab_size=64, hidden_size=32, intermediate_size=48,
                                     num_hidden_layers=2, num_attention_heads=4,
                                     num_key_value_heads=2, max_position_embeddings=32,
                                     bos_token_id=0, eos_token_id=0))
bert = BertForMaskedLM(BertConfig(vocab_size=64, hidden_size=32, num_hidden_layers=2,
                                  num_attention_heads=4, intermediate_size=48,
                                  max_position_embeddings=32))
for name, model in (("gpt2", gpt), ("llama", llama), ("bert", bert)):
    fill(model).eval()
    x = ids(2, 10, high=64)
    mask = torch.ones_like(x)
    mask[1, 7:] = 0
    out = model(input_ids=x, attention_mask=mask, labels=x)
    out.loss.backward()
    found[name] = [out.loss.item(), gradients(model), *some(out.logits[0])]
    if name != "bert":
        prompt = ids(1, 5, high=63) + 1
        made = model.generate(prompt, attention_mask=torch.ones_like(prompt), max_new_tokens=8,
                              do_sample=False, pad_token_id=0)
        beams = model.generate(prompt, attention_mask=torch.ones_like(prompt), max_new_tokens=5,
                               num_beams=3, do_sample=False, pad_token_id=0)
        found[name + "_text"] = made.tolist()
        found[name + "_beams"] = beams.tolist()
report(**found)

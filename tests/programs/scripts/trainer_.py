import tempfile
from transformers import (
    GPT2Config,
    GPT2LMHeadModel,
    Trainer,
    TrainingArguments,
    T5Config,
    T5ForConditionalGeneration,
    MistralConfig,
    MistralForCausalLM,
    ViTConfig,
    ViTForImageClassification,
    WhisperConfig,
    WhisperForConditionalGeneration,
)
from common import data, fill, gradients, ids, report, some

m = fill(
    GPT2LMHeadModel(
        GPT2Config(
            vocab_size=32,
            n_positions=16,
            n_embd=16,
            n_layer=1,
            n_head=2,
            resid_pdrop=0,
            embd_pdrop=0,
            attn_pdrop=0,
            bos_token_id=0,
            eos_token_id=0,
        )
    )
)
x = ids(16, 8, high=32)
ds = [{"input_ids": r, "labels": r} for r in x]
with tempfile.TemporaryDirectory() as d:
    t = Trainer(
        model=m,
        args=TrainingArguments(
            output_dir=d,
            max_steps=4,
            per_device_train_batch_size=4,
            report_to=[],
            logging_steps=1,
            save_strategy="steps",
            save_steps=4,
            use_cpu=True,
            disable_tqdm=True,
            seed=0,
        ),
        train_dataset=ds,
    )
    r = t.train()
t5 = fill(
    T5ForConditionalGeneration(
        T5Config(
            vocab_size=32,
            d_model=16,
            d_kv=8,
            d_ff=32,
            num_layers=1,
            num_heads=2,
            decoder_start_token_id=0,
        )
    )
).eval()
o = t5(input_ids=x[:2], labels=x[:2])
o.loss.backward()
v = fill(
    ViTForImageClassification(
        ViTConfig(
            hidden_size=16,
            num_hidden_layers=1,
            num_attention_heads=2,
            intermediate_size=32,
            image_size=16,
            patch_size=8,
            num_labels=3,
        )
    )
).eval()
mi = fill(
    MistralForCausalLM(
        MistralConfig(
            vocab_size=32,
            hidden_size=16,
            intermediate_size=32,
            num_hidden_layers=1,
            num_attention_heads=2,
            num_key_value_heads=1,
            bos_token_id=0,
            eos_token_id=0,
        )
    )
).eval()
wh = fill(
    WhisperForConditionalGeneration(
        WhisperConfig(
            vocab_size=32,
            d_model=16,
            encoder_layers=1,
            decoder_layers=1,
            encoder_attention_heads=2,
            decoder_attention_heads=2,
            encoder_ffn_dim=32,
            decoder_ffn_dim=32,
            num_mel_bins=8,
            max_source_positions=10,
            max_target_positions=16,
            pad_token_id=0,
            bos_token_id=0,
            eos_token_id=0,
            decoder_start_token_id=0,
        )
    )
).eval()
report(
    loss=r.training_loss,
    w=some(next(m.parameters())),
    t5=[o.loss.item(), gradients(t5)],
    vit=some(v(data(1, 3, 16, 16)).logits),
    mi=mi.generate(x[:1, :4] + 0, max_new_tokens=5, do_sample=False, pad_token_id=0).tolist(),
    wh=some(wh(input_features=data(1, 8, 20), decoder_input_ids=x[:1]).logits),
)

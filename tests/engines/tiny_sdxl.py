"""A Stable Diffusion XL of real architecture and random weights, small enough to be made by a test.

What it draws means nothing; it differs with all that it is given.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

MERGES = ("r e", "re d</w>", "b a", "l l</w>", "ba ll</w>")
END = ("<|startoftext|>", "<|endoftext|>")
WIDTH = 32
GROUPS = 8


@contextmanager
def one_thread() -> Iterator[None]:
    """Torch computes on one thread: for networks as small as these, threads that wait for each other
    on a busy machine take a hundred times as long as what they compute."""
    import torch

    usual = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(usual)


def make_sdxl(folder: Path) -> Path:
    """The directory of a model of some two million parameters."""
    import torch
    from diffusers import EulerDiscreteScheduler, StableDiffusionXLPipeline
    from transformers import CLIPTextModel, CLIPTextModelWithProjection

    tokenizer = _tokenizer(folder / "words")
    text = _text_config(tokenizer)
    torch.manual_seed(0)
    scheduler = EulerDiscreteScheduler(
        beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear",
        steps_offset=1, timestep_spacing="leading",
    )  # fmt: skip
    StableDiffusionXLPipeline(
        vae=_decoder(),
        text_encoder=CLIPTextModel(text),
        text_encoder_2=CLIPTextModelWithProjection(text),
        tokenizer=tokenizer,
        tokenizer_2=tokenizer,
        unet=_network(),
        scheduler=scheduler,
        force_zeros_for_empty_prompt=True,
        add_watermarker=False,
    ).save_pretrained(folder / "sdxl", safe_serialization=True)
    return folder / "sdxl"


def _tokenizer(folder: Path) -> Any:
    from tokenizers.pre_tokenizers import ByteLevel
    from transformers import CLIPTokenizer

    bytes_ = sorted(ByteLevel.alphabet())
    joined = [merge.replace(" ", "") for merge in MERGES]
    words = [*bytes_, *(byte + "</w>" for byte in bytes_), *joined, *END]
    folder.mkdir(parents=True)
    (folder / "vocab.json").write_text(json.dumps({word: n for n, word in enumerate(words)}))
    (folder / "merges.txt").write_text("\n".join(("#version: 0.2", *MERGES, "")))
    return CLIPTokenizer.from_pretrained(folder, model_max_length=77)


def _text_config(tokenizer: Any) -> Any:
    from transformers import CLIPTextConfig

    words = len(tokenizer)
    return CLIPTextConfig(
        vocab_size=words, hidden_size=WIDTH, intermediate_size=37, num_attention_heads=4,
        num_hidden_layers=2, max_position_embeddings=77, projection_dim=WIDTH, hidden_act="gelu",
        bos_token_id=words - 2, eos_token_id=words - 1, pad_token_id=words - 1,
    )  # fmt: skip


def _network() -> Any:
    from diffusers import UNet2DConditionModel

    return UNet2DConditionModel(
        sample_size=8, in_channels=4, out_channels=4, layers_per_block=1,
        block_out_channels=(WIDTH, 2 * WIDTH), norm_num_groups=GROUPS,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        attention_head_dim=(2, 4), use_linear_projection=True, cross_attention_dim=2 * WIDTH,
        transformer_layers_per_block=(1, 1), addition_embed_type="text_time",
        addition_time_embed_dim=8, projection_class_embeddings_input_dim=6 * 8 + WIDTH,
    )  # fmt: skip


def _decoder() -> Any:
    from diffusers import AutoencoderKL

    return AutoencoderKL(
        in_channels=3, out_channels=3, latent_channels=4, sample_size=64, norm_num_groups=GROUPS,
        block_out_channels=[WIDTH, 2 * WIDTH, 2 * WIDTH, 2 * WIDTH],
        down_block_types=["DownEncoderBlock2D"] * 4, up_block_types=["UpDecoderBlock2D"] * 4,
    )  # fmt: skip

"""The shapes of the models that share a GPU, as their makers publish them, and tiny ones that try
the bench itself on a CPU. A shape is what a model costs; its weights are made in ``models.py``."""

from collections.abc import Mapping
from math import prod
from typing import Any, NamedTuple


class LanguageShape(NamedTuple):
    """A Llama, or a Qwen3, which also normalises its queries and keys (``norms_heads``).

    ``tied``: the published model has one matrix for its embeddings and its head. Those made here
    have two, which takes memory and no time.
    """

    vocabulary: int
    hidden: int
    inner: int
    layers: int
    heads: int
    kv_heads: int
    head_dim: int
    norms_heads: bool
    tied: bool
    eps: float
    rope: Mapping[str, Any]
    positions: int


class WhisperShape(NamedTuple):
    """A Whisper in its own terms."""

    vocabulary: int
    width: int
    inner: int
    heads: int
    encoder_layers: int
    decoder_layers: int
    mel_bands: int


class ImageShape(NamedTuple):
    """A latent diffusion model: configurations of its parts, and the size of what they exchange."""

    unet: Mapping[str, Any]
    vae: Mapping[str, Any]
    latent: int
    prompt_width: int
    pooled_width: int
    steps: int


class Shapes(NamedTuple):
    """All models of a run. ``dtype`` is what weights are kept in."""

    planner: LanguageShape
    voice: LanguageShape
    snac: Mapping[str, Any]
    whisper: WhisperShape
    image: ImageShape
    dtype: str


CONVS, POSITIONS_HEARD, POSITIONS_WRITTEN = 3, 1_500, 448
"""Of every Whisper: width of its convolutions, and its positions."""


def tensors(shape: LanguageShape) -> dict[str, tuple[int, ...]]:
    """Name and shape of every tensor, in the names of the published checkpoints."""
    hidden, inner, per_head = shape.hidden, shape.inner, shape.head_dim
    queries, keys = shape.heads * per_head, shape.kv_heads * per_head
    layer: dict[str, tuple[int, ...]] = {
        "input_layernorm": (hidden,),
        "post_attention_layernorm": (hidden,),
        "self_attn.q_proj": (queries, hidden),
        "self_attn.k_proj": (keys, hidden),
        "self_attn.v_proj": (keys, hidden),
        "self_attn.o_proj": (hidden, queries),
        "mlp.gate_proj": (inner, hidden),
        "mlp.up_proj": (inner, hidden),
        "mlp.down_proj": (hidden, inner),
    }
    if shape.norms_heads:
        layer |= {"self_attn.q_norm": (per_head,), "self_attn.k_norm": (per_head,)}
    named: dict[str, tuple[int, ...]] = {
        "model.embed_tokens.weight": (shape.vocabulary, hidden),
        "model.norm.weight": (hidden,),
        "lm_head.weight": (shape.vocabulary, hidden),
    }
    for number in range(shape.layers):
        named |= {f"model.layers.{number}.{name}.weight": size for name, size in layer.items()}
    return named


def language_parameters(shape: LanguageShape) -> int:
    """How many parameters the published model has."""
    total = sum(prod(size) for size in tensors(shape).values())
    return total - (shape.vocabulary * shape.hidden if shape.tied else 0)


def whisper_parameters(shape: WhisperShape) -> int:
    """How many parameters a Whisper has; its keys have no bias."""
    width, inner = shape.width, shape.inner
    attention = 4 * width * width + 3 * width + 2 * width
    forward = 2 * width * inner + width + inner + 2 * width
    convolutions = CONVS * width * (shape.mel_bands + width) + 2 * width
    encoder = convolutions + POSITIONS_HEARD * width + shape.encoder_layers * (attention + forward)
    written = (shape.vocabulary + POSITIONS_WRITTEN) * width
    decoder = written + shape.decoder_layers * (2 * attention + forward)
    return encoder + decoder + 4 * width


QWEN3_8B = LanguageShape(
    vocabulary=151_936, hidden=4_096, inner=12_288, layers=36, heads=32, kv_heads=8, head_dim=128,
    norms_heads=True, tied=False, eps=1e-6, positions=40_960,
    rope={"rope_type": "default", "rope_theta": 1_000_000.0},
)  # fmt: skip
"""``config.json`` of Qwen/Qwen3-8B: 8.2 billion parameters."""

ORPHEUS_3B = LanguageShape(
    vocabulary=156_940, hidden=3_072, inner=8_192, layers=28, heads=24, kv_heads=8, head_dim=128,
    norms_heads=False, tied=True, eps=1e-5, positions=131_072,
    rope={
        "rope_type": "llama3", "rope_theta": 500_000.0, "factor": 32.0, "low_freq_factor": 1.0,
        "high_freq_factor": 4.0, "original_max_position_embeddings": 8_192,
    },
)  # fmt: skip
"""``config.json`` of canopylabs/orpheus-3b-0.1-ft: Llama-3.2-3B with 28,684 more tokens, 3.3
billion parameters."""

SNAC_24KHZ: Mapping[str, Any] = {
    "sampling_rate": 24_000, "encoder_dim": 48, "encoder_rates": [2, 4, 8, 8],
    "decoder_dim": 1_024, "decoder_rates": [8, 8, 4, 2], "attn_window_size": None,
    "codebook_size": 4_096, "codebook_dim": 8, "vq_strides": [4, 2, 1], "noise": True,
    "depthwise": True,
}  # fmt: skip
"""``config.json`` of hubertsiuzdak/snac_24khz."""

WHISPER_LARGE_V3_TURBO = WhisperShape(
    vocabulary=51_866, width=1_280, inner=5_120, heads=20, encoder_layers=32, decoder_layers=4,
    mel_bands=128,
)  # fmt: skip
"""``config.json`` of openai/whisper-large-v3-turbo: 0.81 billion parameters."""

SDXL_BASE = ImageShape(
    unet={
        "sample_size": 128, "in_channels": 4, "out_channels": 4, "layers_per_block": 2,
        "block_out_channels": (320, 640, 1_280),
        "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        "up_block_types": ("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
        "transformer_layers_per_block": (1, 2, 10), "attention_head_dim": (5, 10, 20),
        "cross_attention_dim": 2_048, "use_linear_projection": True,
        "addition_embed_type": "text_time", "addition_time_embed_dim": 256,
        "projection_class_embeddings_input_dim": 2_816,
    },
    vae={
        "in_channels": 3, "out_channels": 3, "latent_channels": 4, "layers_per_block": 2,
        "block_out_channels": (128, 256, 512, 512), "norm_num_groups": 32,
        "down_block_types": ("DownEncoderBlock2D",) * 4,
        "up_block_types": ("UpDecoderBlock2D",) * 4, "sample_size": 1_024,
        "scaling_factor": 0.13025,
    },
    latent=128, prompt_width=2_048, pooled_width=1_280, steps=30,
)  # fmt: skip
"""``unet/config.json`` and ``vae/config.json`` of stabilityai/stable-diffusion-xl-base-1.0: 2.6
billion parameters; images of 1024 × 1024."""

TRUE = Shapes(QWEN3_8B, ORPHEUS_3B, SNAC_24KHZ, WHISPER_LARGE_V3_TURBO, SDXL_BASE, dtype="float16")

_TINY_LANGUAGE = LanguageShape(
    vocabulary=2_048, hidden=128, inner=256, layers=2, heads=4, kv_heads=2, head_dim=32,
    norms_heads=True, tied=False, eps=1e-6, positions=16_384, rope=QWEN3_8B.rope,
)  # fmt: skip
TINY = Shapes(
    planner=_TINY_LANGUAGE,
    voice=_TINY_LANGUAGE._replace(
        vocabulary=156_940, hidden=64, inner=128, heads=2, kv_heads=1, norms_heads=False,
        eps=1e-5, positions=8_192,
    ),
    snac={**SNAC_24KHZ, "encoder_dim": 8, "decoder_dim": 64},
    whisper=WhisperShape(
        vocabulary=2_000, width=64, inner=128, heads=2, encoder_layers=2, decoder_layers=2,
        mel_bands=80,
    ),
    image=ImageShape(
        unet={
            **SDXL_BASE.unet, "sample_size": 8, "block_out_channels": (32, 64, 64),
            "transformer_layers_per_block": (1, 1, 1), "attention_head_dim": (2, 4, 4),
            "cross_attention_dim": 32, "addition_time_embed_dim": 8,
            "projection_class_embeddings_input_dim": 80,
        },
        vae={**SDXL_BASE.vae, "block_out_channels": (32, 32, 32, 32), "sample_size": 64},
        latent=8, prompt_width=32, pooled_width=32, steps=4,
    ),
    dtype="float32",
)  # fmt: skip
"""As small as tests make them. The voice keeps its vocabulary, which is its language."""

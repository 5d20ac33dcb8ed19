"""Weights of real architectures, random but for a leaning, small enough to be made by a test.

The vocabulary is the 256 bytes, and what comes next depends on the last byte nearly alone: inside
of JSON the model closes strings, numbers and lists soon. So it ends what it begins; what it says is
of no use, and differs with the temperature and the seed.
"""

from pathlib import Path
from typing import Any

SPECIAL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
IMAGE = "<image>"
TEXT_TEMPLATE = (
    "{%- for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n"
    "{%- endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
PICTURE_TEMPLATE = (
    "{%- for m in messages %}<|im_start|>{{ m['role'] }}\n{% for part in m['content'] %}"
    "{% if part['type'] == 'image' %}<image>{% else %}{{ part['text'] }}{% endif %}{% endfor %}"
    "<|im_end|>\n{%- endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
MAX_POSITIONS = 16_384
SIZE = 320
"""Of the vocabulary and of the hidden state: each token has a direction of its own."""
LEANINGS = {
    '"': " h", " ": "h5", "h": "i", "i": ".", ".": '"', ":": '5"', "[": "]{", "}": ",]",
    **dict.fromkeys("0123456789", ",}"),
}  # fmt: skip
"""After each byte: what is likeliest, and what is second. Strings are ``" hi."``, and where no
schema holds it says that without end."""
LEANING = 6.0
"""Lead of the likeliest byte in logits over all that is just noise."""


def make_qwen3(folder: Path) -> Path:
    """A Qwen3 of under two million parameters."""
    import torch
    from transformers import Qwen3Config, Qwen3ForCausalLM

    tokenizer = _tokenizer(folder, TEXT_TEMPLATE)
    torch.manual_seed(0)
    model = Qwen3ForCausalLM(Qwen3Config(**_language(tokenizer), dtype="float32"))
    _lean(model.model.embed_tokens.weight, model.lm_head.weight, tokenizer)
    _save(model, tokenizer, folder)
    return folder


def make_llava(folder: Path) -> Path:
    """A LLaVA (CLIP and Qwen3) that looks at pictures of 32 pixels."""
    import torch
    from transformers import (
        CLIPImageProcessor,
        CLIPVisionConfig,
        LlavaConfig,
        LlavaForConditionalGeneration,
        LlavaProcessor,
        Qwen3Config,
    )

    side, patch = 32, 8
    tokenizer = _tokenizer(folder, PICTURE_TEMPLATE, IMAGE)
    eye = CLIPVisionConfig(
        hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=2,
        image_size=side, patch_size=patch, projection_dim=32,
    )  # fmt: skip
    config = LlavaConfig(
        vision_config=eye,
        text_config=Qwen3Config(**_language(tokenizer)),
        image_token_index=tokenizer.convert_tokens_to_ids(IMAGE),
        dtype="float32",
    )
    torch.manual_seed(0)
    model = LlavaForConditionalGeneration(config)
    with torch.no_grad():
        for weights in model.parameters():
            weights.normal_(0.0, 0.2)  # so that what is seen makes a difference
    _save(model, tokenizer, folder)
    LlavaProcessor(
        image_processor=CLIPImageProcessor(
            size={"shortest_edge": side}, crop_size={"height": side, "width": side}
        ),
        tokenizer=tokenizer,
        patch_size=patch,
        vision_feature_select_strategy="default",
        image_token=IMAGE,
        num_additional_image_tokens=1,
        chat_template=PICTURE_TEMPLATE,
    ).save_pretrained(folder)
    return folder


def _tokenizer(folder: Path, template: str, *extra: str) -> Any:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    symbols = sorted(pre_tokenizers.ByteLevel.alphabet())
    bytes_only = Tokenizer(models.BPE({symbol: i for i, symbol in enumerate(symbols)}, []))
    bytes_only.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bytes_only.decoder = decoders.ByteLevel()
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=bytes_only,
        eos_token="<|im_end|>",
        pad_token="<|endoftext|>",
        additional_special_tokens=[*SPECIAL, *extra],
    )
    tokenizer.chat_template = template
    tokenizer.model_max_length = MAX_POSITIONS
    tokenizer.save_pretrained(folder)
    return tokenizer


def _language(tokenizer: Any) -> dict[str, Any]:
    return {
        "vocab_size": SIZE,
        "hidden_size": SIZE,
        "intermediate_size": 256,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "head_dim": 32,
        "max_position_embeddings": MAX_POSITIONS,
        "tie_word_embeddings": False,
        "eos_token_id": tokenizer.eos_token_id,
        "pad_token_id": tokenizer.pad_token_id,
        "bos_token_id": None,
    }


def _lean(embeddings: Any, head: Any, tokenizer: Any) -> None:
    import torch

    # The last norm makes the one coordinate that a token sets as long as the whole vector was.
    length = SIZE**0.5
    with torch.no_grad():
        embeddings.copy_(torch.eye(SIZE) * 4)
        for last, following in LEANINGS.items():
            row = tokenizer.encode(last)[0]
            for rank, byte in enumerate(following):
                head[tokenizer.encode(byte)[0], row] = (LEANING - rank) / length


def _save(model: Any, tokenizer: Any, folder: Path) -> None:
    from transformers import GenerationConfig

    model.generation_config = GenerationConfig(
        eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id
    )
    model.save_pretrained(folder)

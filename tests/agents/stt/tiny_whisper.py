"""A Whisper with random weights, built in a few hundredths of a second.

It loads and runs through the same code as a real one; what it writes means nothing.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

WIDTH, INNER, LAYERS, HEADS, MEL_BANDS = 64, 128, 2, 2, 80


def build(folder: Path, *, multilingual: bool = False, favours: Mapping[str, float] = {}) -> Path:
    """Write the model to ``folder``, as faster-whisper wants it, and return that.

    What ``favours`` gives to a token is added to its logit at every step.
    """
    folder.mkdir(parents=True, exist_ok=True)
    tokens, language_ids = _write_tokenizer(folder, multilingual)
    spec = _spec(len(tokens), language_ids)
    if favours:
        bias = np.zeros(len(tokens), np.float32)
        for token, logit in favours.items():
            bias[tokens.index(token)] = logit
        spec.decoder.projection.bias = bias
    spec.register_vocabulary(tokens)
    spec.validate()
    spec.optimize(quantization="int8")
    spec.save(str(folder))
    (folder / "preprocessor_config.json").write_text(
        json.dumps(
            {
                "feature_size": MEL_BANDS,
                "sampling_rate": 16_000,
                "hop_length": 160,
                "chunk_length": 30,
                "n_fft": 400,
            }
        )
    )
    return folder


def _write_tokenizer(folder: Path, multilingual: bool) -> tuple[list[str], list[int]]:
    from faster_whisper.tokenizer import _LANGUAGE_CODES
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {letter: number for number, letter in enumerate(letters)}
    if multilingual:
        # CTranslate2 tells a multilingual model by a token that is empty, as Whisper's own have it.
        vocabulary[""] = len(vocabulary)
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.decoder = decoders.ByteLevel()
    languages = [f"<|{code}|>" for code in _LANGUAGE_CODES]
    tasks = ["translate", "transcribe", "startoflm", "startofprev", "nospeech", "notimestamps"]
    special = ["<|endoftext|>", "<|startoftranscript|>", *languages, *(f"<|{t}|>" for t in tasks)]
    tokenizer.add_special_tokens([AddedToken(token, special=True) for token in special])
    tokenizer.add_tokens([AddedToken(f"<|{step * 0.02:.2f}|>") for step in range(1_501)])
    tokenizer.save(str(folder / "tokenizer.json"))
    tokens = [tokenizer.id_to_token(number) for number in range(tokenizer.get_vocab_size())]
    return tokens, [tokenizer.token_to_id(language) for language in languages]


def _spec(vocabulary: int, language_ids: list[int]) -> Any:
    from ctranslate2.specs import WhisperSpec

    random = np.random.default_rng(0)

    def weights(*shape: int) -> Any:
        return (random.standard_normal(shape) * 0.05).astype(np.float32)

    def norm(layer: Any) -> None:
        layer.gamma, layer.beta = np.ones(WIDTH, np.float32), np.zeros(WIDTH, np.float32)

    def linear(layer: Any, rows: int, columns: int) -> None:
        layer.weight, layer.bias = weights(rows, columns), np.zeros(rows, np.float32)

    def attention(layer: Any, shapes: tuple[int, ...]) -> None:
        norm(layer.layer_norm)
        for part, rows in zip(layer.linear, shapes, strict=True):
            linear(part, rows, WIDTH)

    def feed_forward(layer: Any) -> None:
        norm(layer.layer_norm)
        linear(layer.linear_0, INNER, WIDTH)
        linear(layer.linear_1, WIDTH, INNER)

    spec = WhisperSpec(LAYERS, HEADS, LAYERS, HEADS)
    encoder, decoder = spec.encoder, spec.decoder
    encoder.conv1.weight, encoder.conv1.bias = weights(WIDTH, MEL_BANDS, 3), weights(WIDTH)
    encoder.conv2.weight, encoder.conv2.bias = weights(WIDTH, WIDTH, 3), weights(WIDTH)
    encoder.position_encodings.encodings = weights(1_500, WIDTH)
    norm(encoder.layer_norm)
    for layer in encoder.layer:
        attention(layer.self_attention, (3 * WIDTH, WIDTH))
        feed_forward(layer.ffn)
    decoder.embeddings.weight = weights(vocabulary, WIDTH)
    decoder.projection.weight = decoder.embeddings.weight
    decoder.position_encodings.encodings = weights(448, WIDTH)
    decoder.scale_embeddings = False
    norm(decoder.layer_norm)
    for layer in decoder.layer:
        attention(layer.self_attention, (3 * WIDTH, WIDTH))
        attention(layer.attention, (WIDTH, 2 * WIDTH, WIDTH))
        feed_forward(layer.ffn)
    spec.config.suppress_ids, spec.config.suppress_ids_begin = [], []
    spec.config.lang_ids = language_ids
    spec.config.alignment_heads = [(0, 0), (1, 1)]
    return spec

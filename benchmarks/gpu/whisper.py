"""A Whisper of a given shape that hears the same words in everything.

As in ``weights.py`` its layers compute noise and add next to nothing; what is written at a place
depends on the place alone. So a transcript has as many tokens as one of a trained model.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.gpu.shapes import CONVS, POSITIONS_HEARD, POSITIONS_WRITTEN, WhisperShape
from benchmarks.gpu.weights import LEAD, Floats, noise_tile

WORDS = ("please", " tell", " me", " a", " story", " about", " small", " robots")
_PROMPT = 4
"""Tokens that a transcript begins after: start, language, task, no timestamps."""
_SPIKE = 50.0
_FAINT = np.float32(1e-3)
_SHIFT = 977
_TASKS = ("translate", "transcribe", "startoflm", "startofprev", "nospeech", "notimestamps")
_TIMESTAMPS = 1_501


def make_whisper(folder: Path, shape: WhisperShape, quantization: str) -> None:
    """Write the model as faster-whisper wants it; ``quantization`` as CTranslate2 names it."""
    tokens, languages = _write_tokenizer(folder, shape.vocabulary)
    spec = _Maker(shape).spec(tokens)
    spec.config.suppress_ids, spec.config.suppress_ids_begin = [], []
    spec.config.lang_ids = languages
    spec.config.alignment_heads = [(0, 0), (1, 1)]
    spec.register_vocabulary(tokens)
    spec.validate()
    spec.optimize(quantization=quantization)
    spec.save(str(folder))
    sound = {
        "feature_size": shape.mel_bands, "sampling_rate": 16_000, "hop_length": 160,
        "chunk_length": 30, "n_fft": 400,
    }  # fmt: skip
    (folder / "preprocessor_config.json").write_text(json.dumps(sound))


def _write_tokenizer(folder: Path, size: int) -> tuple[list[str], list[int]]:
    from faster_whisper.tokenizer import _LANGUAGE_CODES
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

    languages = [f"<|{code}|>" for code in _LANGUAGE_CODES]
    tasks = [f"<|{task}|>" for task in _TASKS]
    special = ["<|endoftext|>", "<|startoftranscript|>", *languages, *tasks]
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    # CTranslate2 tells a multilingual model by a token that is empty, as Whisper's own have it.
    words = [*letters, "", *(word.replace(" ", "Ġ") for word in WORDS)]
    words += [f"<t{at}>" for at in range(len(words), size - len(special) - _TIMESTAMPS)]
    made = Tokenizer(models.BPE(vocab={word: at for at, word in enumerate(words)}, merges=[]))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    made.decoder = decoders.ByteLevel()
    made.add_special_tokens([AddedToken(token, special=True) for token in special])
    made.add_tokens([AddedToken(f"<|{step * 0.02:.2f}|>") for step in range(_TIMESTAMPS)])
    made.save(str(folder / "tokenizer.json"))
    ids = made.get_vocab()
    return sorted(ids, key=lambda token: ids[token]), [ids[language] for language in languages]


class _Maker:
    """Fills a specification of CTranslate2."""

    def __init__(self, shape: WhisperShape) -> None:
        self._shape = shape
        self._noise = noise_tile(np.dtype(np.float32))
        self._made = 0

    def spec(self, tokens: list[str]) -> Any:
        from ctranslate2.specs import WhisperSpec

        shape, width = self._shape, self._shape.width
        heads = shape.heads
        spec = WhisperSpec(shape.encoder_layers, heads, shape.decoder_layers, heads)
        encoder, decoder = spec.encoder, spec.decoder
        encoder.conv1.weight = self._some(width, shape.mel_bands, CONVS)
        encoder.conv2.weight = self._some(width, width, CONVS)
        encoder.conv1.bias = encoder.conv2.bias = np.zeros(width, np.float32)
        encoder.position_encodings.encodings = self._some(POSITIONS_HEARD, width)
        for layer in encoder.layer:
            self._attention(layer.self_attention, (3 * width, width))
            self._forward(layer.ffn)
        decoder.embeddings.weight = self._some(len(tokens), width)
        decoder.position_encodings.encodings = self._some(POSITIONS_WRITTEN, width)
        self._route(decoder, tokens)
        decoder.projection.weight = decoder.embeddings.weight
        decoder.scale_embeddings = False
        for layer in decoder.layer:
            self._attention(layer.self_attention, (3 * width, width))
            self._attention(layer.attention, (width, 2 * width, width))
            self._forward(layer.ffn)
        for half in (encoder, decoder):
            self._norm(half.layer_norm)
        return spec

    def _route(self, decoder: Any, tokens: list[str]) -> None:
        """A place is a direction, and the token that is written there answers to it."""
        route = [*(word.replace(" ", "Ġ") for word in WORDS), "<|endoftext|>"]
        places = decoder.position_encodings.encodings
        # A prompt ends one place before its first word, and no transcript is longer than the words.
        for place in range(_PROMPT - 1, POSITIONS_WRITTEN):
            at = min(place - _PROMPT + 1, len(route) - 1)
            places[place] = 0.0
            places[place, at] = _SPIKE
        for at, token in enumerate(route):
            decoder.embeddings.weight[tokens.index(token), at] = LEAD / self._shape.width**0.5

    def _some(self, *size: int) -> Floats:
        # CTranslate2 keeps tensors that are equal once, which would make the model a small one.
        self._made += 1
        return np.resize(np.roll(self._noise, self._made * _SHIFT), size)

    def _norm(self, layer: Any) -> None:
        layer.gamma = np.ones(self._shape.width, np.float32)
        layer.beta = np.zeros(self._shape.width, np.float32)

    def _linear(self, layer: Any, rows: int, columns: int, *, faint: bool = False) -> None:
        weight = self._some(rows, columns)
        layer.weight = weight * _FAINT if faint else weight
        layer.bias = np.zeros(rows, np.float32)

    def _attention(self, layer: Any, rows: tuple[int, ...]) -> None:
        self._norm(layer.layer_norm)
        for number, part in enumerate(layer.linear):
            last = number == len(rows) - 1
            self._linear(part, rows[number], self._shape.width, faint=last)

    def _forward(self, layer: Any) -> None:
        width, inner = self._shape.width, self._shape.inner
        self._norm(layer.layer_norm)
        self._linear(layer.linear_0, inner, width)
        self._linear(layer.linear_1, width, inner, faint=True)

"""Orpheus with real engines and random weights: a tiny Llama with its vocabulary, and a small SNAC.

What it says is noise, of true length and in the true order; the contract of all voices holds for it.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pytest_asyncio

from agents.engines.vllm import VllmEngine, VllmOptions
from agents.runtime.errors import BackendUnavailable
from agents.tts.backends.base import Lead, Marks, Sound, Voice, no_lead
from agents.tts.backends.orpheus import OrpheusVoice, Utterances
from agents.tts.backends.snac import SnacDecoder
from agents.tts.orpheus_codes import (
    CODES,
    FIRST_CODE,
    FRAME_SAMPLES,
    FRAME_TOKENS,
    RATE_HZ,
    START_OF_SPEECH,
    Stretch,
    Window,
    most_tokens,
)
from agents.tts.patience import Limits
from agents.tts.prosody import NEUTRAL
from tests.contracts.test_tts_backends import (
    test_a_job_of_nothing_is_done,
    test_a_phrase_that_is_left_can_be_followed_by_another_at_once,
    test_a_response_lasts_equally_long_at_every_rate,
    test_chunks_are_audible_and_say_how_loud_they_are,
    test_each_phrase_ends_where_the_next_begins,
    test_every_emotion_can_be_spoken,
    test_every_language_is_spoken_somehow,
    test_the_marks_of_a_phrase_are_its_words_in_order,
)

__all__ = [
    "test_a_job_of_nothing_is_done",
    "test_a_phrase_that_is_left_can_be_followed_by_another_at_once",
    "test_a_response_lasts_equally_long_at_every_rate",
    "test_chunks_are_audible_and_say_how_loud_they_are",
    "test_each_phrase_ends_where_the_next_begins",
    "test_every_emotion_can_be_spoken",
    "test_every_language_is_spoken_somehow",
    "test_the_marks_of_a_phrase_are_its_words_in_order",
]
"""The contract of all voices, but for the longest text, which takes a minute on a CPU."""

pytest.importorskip("vllm", reason="vllm is not installed: make test-engines")
pytest.importorskip("snac", reason="snac is not installed: make test-engines")
pytestmark = [
    pytest.mark.engine,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.filterwarnings("default"),  # of libraries about each other
]

VOCABULARY = 156_940
TEXT = "Once upon a time there was a small robot who lived on a shelf."
CAP_S = 0.9
"""Random weights hardly ever end, so every piece of text lasts as long as it may."""
GENEROUS = Limits(first_s=60.0, idle_s=60.0, total_s=120.0)


def make_llama(folder: Path) -> Path:
    """A Llama that knows Orpheus' tokens and their order, and nothing else; 80 MB."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    words = [*alphabet, *(f"<t{number}>" for number in range(len(alphabet), VOCABULARY))]
    bpe = Tokenizer(models.BPE(vocab={word: at for at, word in enumerate(words)}, merges=[]))
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    PreTrainedTokenizerFast(tokenizer_object=bpe).save_pretrained(folder)
    config = LlamaConfig(
        vocab_size=VOCABULARY, hidden_size=64, intermediate_size=128, num_hidden_layers=2,
        num_attention_heads=2, num_key_value_heads=1, head_dim=32, max_position_embeddings=8192,
        tie_word_embeddings=False, bos_token_id=128_000, eos_token_id=128_009, dtype="float32",
    )  # fmt: skip
    torch.manual_seed(0)
    model = LlamaForCausalLM(config)
    with torch.no_grad():
        teach_order(model.model.embed_tokens.weight, model.lm_head.weight)
    model.save_pretrained(folder)
    return folder


def teach_order(embeddings: Any, head: Any) -> None:
    """Let a code of place n of a frame be followed by any code of place n + 1, as training does:
    one dimension of the embeddings stands for each place, and the head answers to it."""
    head[:FIRST_CODE] = 0
    for place in range(FRAME_TOKENS):
        codes = slice(FIRST_CODE + CODES * place, FIRST_CODE + CODES * (place + 1))
        embeddings[codes, place] = 4.0
        head[codes, (place - 1) % FRAME_TOKENS] = 2.0
    embeddings[START_OF_SPEECH, FRAME_TOKENS - 1] = 4.0


def make_snac(folder: Path, **changes: Any) -> Path:
    """A SNAC with the rates and codebooks of the one for 24 kHz, and few channels."""
    import torch
    from snac import SNAC

    config = {
        "sampling_rate": 24_000, "encoder_dim": 8, "encoder_rates": [2, 4, 8, 8],
        "decoder_dim": 64, "decoder_rates": [8, 8, 4, 2], "attn_window_size": None,
        "codebook_size": 4096, "codebook_dim": 8, "vq_strides": [4, 2, 1], "noise": True,
        "depthwise": True,
    } | changes  # fmt: skip
    torch.manual_seed(0)
    (folder / "config.json").write_text(json.dumps(config))
    torch.save(SNAC(**config).state_dict(), folder / "pytorch_model.bin")
    return folder


class Models:
    """Where the weights are, and the engine that runs on them."""

    def __init__(self, llama: Path, snac: Path, engine: VllmEngine, voice: OrpheusVoice) -> None:
        self.llama = llama
        self.snac = snac
        self.engine = engine
        self.voice = voice


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def models(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Models]:
    llama = make_llama(tmp_path_factory.mktemp("llama"))
    snac = make_snac(tmp_path_factory.mktemp("snac"))
    options = VllmOptions(
        str(llama), dtype="float32", max_model_len=2048, max_num_seqs=8,
        max_num_batched_tokens=512, kv_cache_bytes=1 << 26,
    )  # fmt: skip
    engine = VllmEngine(options)
    utterances = Utterances("tara", GENEROUS, CAP_S)
    voice = OrpheusVoice(engine, SnacDecoder(str(snac)), str(llama), utterances)
    await voice.start()
    yield Models(llama, snac, engine, voice)
    await voice.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def voice(models: Models) -> Voice:
    return models.voice


async def until_idle(engine: VllmEngine) -> None:
    """Wait until nothing runs in the engine's own books."""
    async with asyncio.timeout(10):
        while engine.running().busy:  # noqa: ASYNC110 # its books have no event
            await asyncio.sleep(0.01)


async def hear(
    voice: Voice, heard: list[Marks | Sound], text: str = TEXT, lead: Lead = no_lead
) -> None:
    async with aclosing(voice.speak(text, NEUTRAL, "en", "", lead)) as parts:
        async for part in parts:
            heard.append(part)


def samples(heard: list[Marks | Sound]) -> int:
    return sum(len(part.pcm) // 2 for part in heard if isinstance(part, Sound))


async def test_text_becomes_codes_and_codes_become_sound(models: Models) -> None:
    heard: list[Marks | Sound] = []
    skipped = models.voice.counters["invalid_codes"]
    await hear(models.voice, heard)
    words = [word for part in heard if isinstance(part, Marks) for word in part.words]
    assert " ".join(word.text for word in words) == TEXT
    assert words[-1].end_ms == samples(heard) * 1000 // RATE_HZ
    assert samples(heard) % FRAME_SAMPLES == 0
    assert samples(heard) == most_tokens(TEXT, CAP_S) // FRAME_TOKENS * FRAME_SAMPLES
    assert any(any(part.pcm) for part in heard if isinstance(part, Sound))
    assert models.voice.counters["invalid_codes"] == skipped
    await until_idle(models.engine)


async def test_the_engine_stops_when_a_phrase_is_left(models: Models) -> None:
    async with aclosing(models.voice.speak(TEXT * 9, NEUTRAL, "en", "")) as parts:
        await anext(parts)
        assert models.engine.running().running == 1
    await until_idle(models.engine)


async def test_the_engine_is_left_to_others_while_the_voice_is_ahead(models: Models) -> None:
    loop = asyncio.get_running_loop()
    utterances = Utterances("tara", GENEROUS, 4.0)
    voice = OrpheusVoice(models.engine, SnacDecoder(str(models.snac)), "unused", utterances)
    voice._tokenize = models.voice._tokenize
    await voice._off_the_loop(voice._codec.load)
    heard: list[Marks | Sound] = []
    begun, idle_at = loop.time(), []

    def lead() -> float:
        ahead = samples(heard) / RATE_HZ - (loop.time() - begun)
        if not models.engine.running().busy:
            idle_at.append(ahead)
        return ahead

    await hear(voice, heard, TEXT * 3, lead)
    assert samples(heard) > 0
    assert max(idle_at, default=0.0) > 0.0


async def test_many_phrases_are_drawn_at_once(models: Models) -> None:
    heard: list[list[Marks | Sound]] = [[] for _ in range(6)]
    async with asyncio.TaskGroup() as group:
        for each in heard:
            group.create_task(hear(models.voice, each))
    assert all(map(samples, heard))


async def test_a_frame_sounds_the_same_wherever_its_stretch_begins(tmp_path: Path) -> None:
    decoder = SnacDecoder(str(make_snac(tmp_path, noise=False)))
    decoder.load()
    frames = tuple((number,) * FRAME_TOKENS for number in range(8))
    whole = decoder.decode(Stretch(frames, 0, 8))
    assert len(whole) == 8 * FRAME_SAMPLES * 2
    window, windowed = Window(), b""
    for stretch in [*(window.add([frame]) for frame in frames), window.finish()]:
        windowed += decoder.decode(stretch) if stretch is not None else b""
    one, other = (np.frombuffer(pcm, "<i2").astype(int) for pcm in (whole, windowed))
    assert len(one) == len(other)
    # What lies beyond the neighbours is heard in none of it.
    assert np.abs(one - other).max() <= np.abs(one).max() * 0.02


async def test_another_codec_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BackendUnavailable, match="not the codec"):
        SnacDecoder(str(make_snac(tmp_path, sampling_rate=44_100))).load()
    (tmp_path / "pytorch_model.bin").write_bytes(b"noise")
    with pytest.raises(BackendUnavailable, match="cannot be loaded"):
        SnacDecoder(str(tmp_path)).load()
    assert FIRST_CODE < VOCABULARY

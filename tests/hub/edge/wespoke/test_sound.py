"""``/ai/transcribe`` and ``/ai/process-audio``: what is taken, what is told, what is refused."""

import asyncio
import io
import wave
from base64 import b64encode
from typing import Any

import numpy as np
import pytest

from hub.errors import JobError
from protocols.messages.chat import ChatRequest
from protocols.messages.transcribe import TranscribeRequest
from tests.hub.edge.conftest import Edge
from tests.hub.edge.wespoke.conftest import hears, writes

CONFIG = {"system_prompt": "You are a helpful assistant."}
SECOND_48K = np.zeros(48_000, "<i2").tobytes()


def b64(data: bytes) -> str:
    return b64encode(data).decode()


def wav(pcm: bytes, rate_hz: int = 16_000) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as made:
        made.setnchannels(1)
        made.setsampwidth(2)
        made.setframerate(rate_hz)
        made.writeframes(pcm)
    return file.getvalue()


def heard_ms(edge: Edge) -> float:
    """How long the sound was that was given to stt."""
    order = next(o for o in edge.jobs.wanted if isinstance(o.request, TranscribeRequest))
    (pcm,) = order.blobs
    return len(pcm) / 32


async def test_a_recording_is_transcribed_as_the_document_says(edge: Edge) -> None:
    edge.jobs.facts = [*hears("Hello, how are you?", language="en", confidence=0.75)]
    format_ = {"sampleRate": 48000, "channels": 1, "bitsPerSample": 16}
    body = {"audio": b64(SECOND_48K), "format": format_}
    answer = (await edge.http.post("/ai/transcribe", json=body)).json()
    seconds = answer.pop("processing_time")
    assert answer == {"text": "Hello, how are you?", "language": "en", "confidence": 0.75}
    assert 0 < seconds < 60
    assert heard_ms(edge) == pytest.approx(1_000, abs=20)


async def test_a_confidence_that_nobody_knows_is_null(edge: Edge) -> None:
    edge.jobs.facts = [*hears("Hello", language="en")]
    answer = await edge.http.post("/ai/transcribe", json={"audio": b64(wav(bytes(32_000)))})
    assert answer.json()["confidence"] is None


@pytest.mark.parametrize(
    ("rate_hz", "channels", "bits"),
    [(8_000, 1, 16), (16_000, 1, 8), (22_050, 2, 16), (44_100, 1, 24), (48_000, 2, 32)],
)
async def test_raw_sound_is_read_as_its_format_says(
    edge: Edge, rate_hz: int, channels: int, bits: int
) -> None:
    edge.jobs.facts = [*hears("Hello")]
    raw = bytes([128 if bits == 8 else 0]) * (rate_hz * channels * bits // 8)
    format_ = {"sampleRate": rate_hz, "channels": channels, "bitsPerSample": bits}
    answer = await edge.http.post("/ai/transcribe", json={"audio": b64(raw), "format": format_})
    assert answer.status_code == 200, answer.text
    assert heard_ms(edge) == pytest.approx(1_000, abs=20)


async def test_a_file_says_itself_what_is_in_it(edge: Edge) -> None:
    edge.jobs.facts = [*hears("Hello")]
    format_ = {"sampleRate": 8000, "channels": 2, "bitsPerSample": 24}
    body = {"audio": "data:audio/wav;base64," + b64(wav(bytes(64_000))), "format": format_}
    assert (await edge.http.post("/ai/transcribe", json=body)).status_code == 200
    assert heard_ms(edge) == pytest.approx(2_000, abs=20)


async def test_what_was_said_is_answered_and_the_steps_are_timed(edge: Edge) -> None:
    edge.jobs.facts = [*hears(" What time is it? "), *writes("It is noon.")]
    body = {"audio": b64(SECOND_48K), "format": {}, "config": {**CONFIG, "temperature": 0.1}}
    answer = (await edge.http.post("/ai/process-audio", json=body)).json()
    assert set(answer) == {"text", "userText", "tools", "processing_time", "gpu_usage"}
    assert (answer["text"], answer["userText"]) == ("It is noon.", "What time is it?")
    used = answer["gpu_usage"]
    assert set(used) == {"whisper_time", "ollama_time"}
    assert used["whisper_time"] + used["ollama_time"] <= answer["processing_time"]
    asked = edge.jobs.wanted[-1].request
    assert isinstance(asked, ChatRequest)
    assert asked.temperature == 0.1
    assert [entry.text for entry in asked.messages] == [CONFIG["system_prompt"], "What time is it?"]


async def test_nothing_that_was_understood_is_answered_without_a_model(edge: Edge) -> None:
    edge.jobs.facts = [*hears("  ")]
    body = {"audio": b64(wav(bytes(3_200))), "config": CONFIG}
    answer = (await edge.http.post("/ai/process-audio", json=body)).json()
    assert answer.pop("processing_time") > 0
    assert answer == {
        "text": "I didn't catch that. Could you please repeat?",
        "userText": "",
        "tools": [],
        "gpu_usage": None,
    }
    assert len(edge.jobs.wanted) == 1


@pytest.mark.parametrize(
    "body",
    [
        {"audio": "no base64!"},
        {"audio": ""},
        {"audio": b64(b"no sound at all")},
        {"audio": b64(b"\0\0\0"), "format": {}},
        {"audio": b64(bytes(96)), "format": {"sampleRate": 12_345}},
        {"audio": b64(bytes(96)), "format": {"bitsPerSample": 12}},
        {"audio": b64(bytes(96)), "format": {"channels": 3}},
        {"audio": 7},
        {},
    ],
)
async def test_what_cannot_be_heard_is_400(edge: Edge, body: dict[str, Any]) -> None:
    answer = await edge.http.post("/ai/transcribe", json=body)
    assert answer.status_code == 400
    assert answer.json()["detail"]["error"] == "ValidationError"
    assert edge.jobs.wanted == []


async def test_a_file_that_is_too_large_is_refused(edge: Edge) -> None:
    body = {"audio": b64(bytes(25 * 1024 * 1024 + 3)), "format": {}}
    answer = await edge.http.post("/ai/transcribe", json=body)
    assert answer.status_code == 413
    assert answer.json()["detail"]["error"] == "ValidationError"


async def test_a_recording_that_is_too_long_is_refused(edge: Edge) -> None:
    body = {"audio": b64(bytes(16_000 * 601)), "format": {"sampleRate": 8000}}
    answer = await edge.http.post("/ai/transcribe", json=body)
    assert answer.status_code == 413
    assert answer.json()["detail"]["details"]["code"] == "audio_too_long"


async def test_a_step_that_fails_is_named(edge: Edge) -> None:
    edge.jobs.facts = [JobError("the engine broke", "stt_failed")]
    body = {"audio": b64(wav(bytes(3_200))), "config": CONFIG}
    answers = [await edge.http.post(f"/ai/{path}", json=body) for path in ("transcribe",
                                                                        "process-audio")]  # fmt: skip
    assert [each.status_code for each in answers] == [502, 502]
    names = [each.json()["detail"]["error"] for each in answers]
    assert names == ["TranscriptionError", "ProcessingError"]


async def test_a_client_that_goes_away_cancels_the_transcription(edge: Edge) -> None:
    edge.jobs.facts = [None]
    body = {"audio": b64(wav(bytes(3_200))), "config": CONFIG}
    async with asyncio.timeout(10), asyncio.TaskGroup() as tasks:
        asking = tasks.create_task(edge.http.post("/ai/process-audio", json=body))
        await edge.jobs.begun.wait()
        asking.cancel()
        await edge.jobs.cancelled.wait()

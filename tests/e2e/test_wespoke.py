"""Wespoke's routes over a hub and agents that are processes of their own, with scripted engines."""

import asyncio
import json
from base64 import b64encode
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import pytest_asyncio
from websockets.asyncio.client import ClientConnection, connect

from protocols.marks import MarkKind, marked_chunk
from tests.e2e.processes import SCRIPTED, Processes, running, until

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="module")]

CHUNK = 320
ENV = {
    **SCRIPTED,
    "HUB_AGENTS": f"{SCRIPTED['HUB_AGENTS']},memory",
    "EMBED_BACKEND": "scripted",
    "HUB_CACHE_S": "60",
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def hub(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Processes]:
    async with running(tmp_path_factory.mktemp("hub"), ENV) as processes:
        await processes.ready()
        await processes.until_linked("memory-primary")
        yield processes


@pytest_asyncio.fixture(loop_scope="module")
async def client(hub: Processes) -> AsyncIterator[httpx.AsyncClient]:
    """What a client of the old port 8000 sees, under its base path."""
    url = f"{hub.url}/wespoke"
    async with httpx.AsyncClient(base_url=url, timeout=20.0, trust_env=False) as client:

        async def is_well() -> bool:
            services = (await client.get("/ai/health")).json()["services"]
            return bool(services["whisper"] and services["ollama"] and services["langchain"])

        await until(is_well)
        yield client


def spoken(text: str) -> bytes:
    """Half a second of 16 kHz that scripted engines hear as ``text``."""
    voice = marked_chunk(MarkKind.START, CHUNK, text).ljust(16_000, b"\0")
    return voice + marked_chunk(MarkKind.STOP, CHUNK)


async def test_what_is_said_in_a_recording_is_answered(client: httpx.AsyncClient) -> None:
    body = {
        "audio": b64encode(spoken("what time is it")).decode(),
        "format": {"sampleRate": 16000, "channels": 1, "bitsPerSample": 16},
        "config": {
            "system_prompt": "You are a helpful assistant.",
            "model": "phi4",
            "temperature": 0.7,
            "max_tokens": 2048,
        },
    }
    answer = await client.post("/ai/process-audio", json=body)
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert told["userText"] == "what time is it"
    assert told["text"] == "what time is it"  # the scripted model repeats what it is told
    used = told["gpu_usage"]
    assert 0 < used["whisper_time"] + used["ollama_time"] <= told["processing_time"]
    silence = {**body, "audio": b64encode(bytes(32_000)).decode()}
    told = (await client.post("/ai/process-audio", json=silence)).json()
    assert (told["userText"], told["gpu_usage"]) == ("", None)
    assert told["text"].startswith("I didn't catch that")


async def test_max_tokens_reach_the_engine_and_the_cache_answers(client: httpx.AsyncClient) -> None:
    config = {"system_prompt": "Repeat.", "temperature": 0, "max_tokens": 2}
    body = {"text": "one two three", "config": config}
    answers = [await client.post("/ai/generate", json=body) for _ in range(2)]
    assert [answer.json()["text"] for answer in answers] == ["one two"] * 2
    assert [answer.headers["x-cache"] for answer in answers] == ["MISS", "HIT"]


async def test_documents_are_kept_listed_found_and_forgotten(client: httpx.AsyncClient) -> None:
    documents = {"guide.md": "# Zoo\n\nThe lion roars at night.", "list.md": "The lamp is on."}
    for name, text in documents.items():
        kept = await client.post("/ai/knowledge/zoo", json={"name": name, "text": text})
        assert kept.status_code == 200, kept.text
    listed = (await client.get("/ai/knowledge/zoo")).json()
    assert [row["name"] for row in listed["documents"]] == ["guide.md", "list.md"]
    assert (await client.get("/ai/knowledge")).json()["knowledge_bases"][0]["documents"] == 2
    query = {"query": "Which animal roars?", "knowledge_base": "zoo", "config": {"max_tokens": 500}}
    found = (await client.post("/ai/rag", json=query)).json()
    assert found["sources"][0]["document"] == "guide.md"
    assert "The lion roars at night." in found["text"]  # it was told the passage
    assert (await client.delete("/ai/knowledge/zoo", params={"name": "list.md"})).json()[
        "documents"
    ] == 1
    assert (await client.delete("/ai/knowledge/zoo")).status_code == 200
    gone = await client.post("/ai/rag", json=query)
    assert (gone.status_code, gone.json()["detail"]["details"]["code"]) == (404, "unknown_base")


async def test_a_model_that_nobody_has_is_not_found(client: httpx.AsyncClient) -> None:
    body = {"text": "hello", "config": {"system_prompt": "", "model": "gpt-9"}}
    answer = await client.post("/ai/generate", json=body)
    assert (answer.status_code, answer.json()["detail"]["error"]) == (404, "ValidationError")


async def told_until(socket: ClientConnection, kind: str) -> tuple[list[dict[str, Any]], bytes]:
    """All messages up to the first of ``kind``, and all sound before it."""
    messages: list[dict[str, Any]] = []
    sound = b""
    async with asyncio.timeout(20):
        while not messages or messages[-1]["type"] != kind:
            frame = await socket.recv()
            if isinstance(frame, bytes):
                sound += frame
            else:
                messages.append(json.loads(frame))
    return messages, sound


async def test_a_conversation_in_sound_is_held_and_forgotten(hub: Processes) -> None:
    url = f"{hub.url.replace('http', 'ws', 1)}/wespoke/ai/stream"
    for _ in range(2):
        async with connect(url, compression=None) as socket:
            start = {
                "type": "start",
                "config": {"system_prompt": "You sell shoes."},
                "format": {"sampleRate": 16000, "channels": 1, "bitsPerSample": 16},
                "output": {"sampleRate": 24000},
                "endpointing": "client",
            }
            await socket.send(json.dumps(start))
            await told_until(socket, "ready")
            await socket.send(json.dumps({"type": "text", "text": "good morning"}))
            messages, sound = await told_until(socket, "done")
            kinds = [message["type"] for message in messages]
            assert kinds.index("turn") < kinds.index("text") < kinds.index("audio_end")
            done = messages[-1]
            assert (done["outcome"], done["heardText"]) == ("done", "good morning.")
            ends = next(m for m in messages if m["type"] == "audio_end")
            assert len(sound) == 2 * ends["samples"] > 0


async def test_a_cancel_cuts_the_answer_and_nothing_of_it_follows(hub: Processes) -> None:
    url = f"{hub.url.replace('http', 'ws', 1)}/ai/stream"
    async with connect(url, compression=None) as socket:
        await socket.send('{"type": "start"}')
        await told_until(socket, "ready")
        await socket.send(json.dumps({"type": "text", "text": "word " * 60}))
        while not isinstance(await socket.recv(), bytes):
            pass
        await socket.send('{"type": "cancel"}')
        messages, _ = await told_until(socket, "done")
        kinds = [message["type"] for message in messages]
        assert "flush" in kinds
        assert messages[-1]["outcome"] == "cancelled"
        await socket.send(json.dumps({"type": "text", "text": "and now"}))
        messages, sound = await told_until(socket, "turn")
        assert sound == b""


async def says_until_heard(socket: ClientConnection, text: str) -> None:
    """Say it until it is heard: ears serve a client a moment after it was told ``ready``."""
    async with asyncio.timeout(20):
        while True:
            await socket.send(spoken(text))
            try:
                async with asyncio.timeout(2):
                    while True:
                        frame = await socket.recv()
                        if isinstance(frame, str) and json.loads(frame)["type"] == "transcript":
                            return
            except TimeoutError:
                continue


async def test_what_is_spoken_becomes_words_and_an_answer_may_be_interrupted(
    hub: Processes,
) -> None:
    url = f"{hub.url.replace('http', 'ws', 1)}/ai/stream"
    story = "please tell me a very long story " * 8
    async with connect(url, compression=None) as socket:
        form = {"sampleRate": 16000, "channels": 1, "bitsPerSample": 16}
        await socket.send(json.dumps({"type": "start", "format": form, "aec": "device"}))
        await told_until(socket, "ready")
        await says_until_heard(socket, story)
        sound = b""
        while len(sound) < 32_000:  # an answer of which nothing was heard is taken back
            frame = await socket.recv()
            sound += frame if isinstance(frame, bytes) else b""
        await socket.send(spoken("what is your name"))
        messages, _ = await told_until(socket, "done")
        assert (messages[-1]["outcome"], messages[-1]["interrupted"]) == ("interrupted", True)
        assert 0 < len(messages[-1]["heardText"]) < len(story)
        assert "flush" in [message["type"] for message in messages]
        messages, sound = await told_until(socket, "turn")
        assert (messages[-1]["userText"], sound) == ("what is your name", b"")

"""``WS /converse`` as an old supervisor uses it, through the whole hub."""

import asyncio
import json
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.frames import Close

from agents.planner.backends.scripted import Script, ScriptedPlanner
from agents.runtime.errors import BackendTimeout
from agents.tts.backends.scripted import ScriptedVoice
from protocols.messages.robot import TurnEnd
from tests.integration.stack import PATIENCE_S, WORD_MS, Stack, running, spoken

COUNTING = "one two three four five six"
WORD_BYTES = 32 * WORD_MS
CHUNK_BYTES = 320
AUDIO_KINDS = ("first_audio", "audio")

Json = dict[str, Any]


class OldSupervisor:
    """A client that knows nothing but JSON and base64. ``frames`` is all that it was told."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.frames: list[Json] = []

    async def send(self, kind: str, **fields: object) -> None:
        await self.socket.send(json.dumps({"type": kind, **fields}))

    async def speak(self, pcm: bytes) -> None:
        """Microphone audio in pieces of 100 ms, as fast as they go."""
        for at in range(0, len(pcm), 3200):
            await self.send("audio", data=b64encode(pcm[at : at + 3200]).decode())

    async def next(self, kind: str, timeout_s: float = PATIENCE_S) -> Json:
        """The next frame of ``kind``; those before it are kept in ``frames``."""
        async with asyncio.timeout(timeout_s):
            while True:
                frame: Json = json.loads(await self.socket.recv())
                self.frames.append(frame)
                if frame["type"] == kind:
                    return frame

    def kinds(self) -> list[str]:
        """The types of all frames since the last ``listening``, runs of audio as one."""
        types = [frame["type"] for frame in self.frames]
        return [t for at, t in enumerate(types) if t != "audio" or types[at - 1] != "audio"]

    def of(self, kind: str) -> list[Json]:
        return [frame for frame in self.frames if frame["type"] == kind]

    def audio(self) -> bytes:
        """All speech so far."""
        return b"".join(b64decode(frame["data"]) for frame in self.of("audio"))


@asynccontextmanager
async def supervisor(hub: Stack, query: str = "") -> AsyncIterator[OldSupervisor]:
    """A client of the old wire that is connected and heard."""
    async with connect(hub.ws(f"/converse?robot_id=r1{query}"), compression=None) as socket:
        client = OldSupervisor(socket)
        await client.next("listening")
        await _heard(client)
        client.frames.clear()
        yield client


async def _heard(client: OldSupervisor) -> None:
    """Return once ears and stt serve ``client``: a voice without words reaches both of them."""
    while True:
        await client.speak(spoken())
        await client.send("end_utterance")
        with suppress(TimeoutError):
            await client.next("error", timeout_s=1.0)
            await client.next("listening")
            return


async def test_a_spoken_turn_has_all_frames_in_the_documented_order(tmp_path: Path) -> None:
    answer = {
        "emotion": "happy", "intensity": 0.8, "mood_reason": "fun", "gestures": ["nod", "spin"],
        "memory_tags": [{"tag": "bees", "category": "topic"}], "text": "Good day to you.",
    }  # fmt: skip
    planner = ScriptedPlanner([Script((json.dumps(answer),))])
    async with running(tmp_path, planner=planner) as hub, supervisor(hub) as client:
        await client.speak(spoken("good morning"))
        await client.send("end_utterance")
        await client.next("listening")

    assert client.kinds() == [
        "transcription", "emotion", "gestures", "memory_tags", "first_audio", "audio",
        "assistant_text", "done", "listening",
    ]  # fmt: skip
    said = client.frames[0]
    assert said["text"] == "good morning"
    (emotion,), (done,) = client.of("emotion"), client.of("done")
    assert (emotion["emotion"], emotion["intensity"], emotion["mood_reason"]) == (
        "happy",
        0.8,
        "fun",
    )
    assert client.of("gestures") == [{"type": "gestures", "names": ["nod"]}]
    assert client.of("memory_tags")[0]["tags"] == answer["memory_tags"]
    assert client.of("assistant_text")[0]["text"] == done["heard_text"] == "Good day to you."
    assert done["interrupted"] is False
    with_id = ("transcription", "emotion", "first_audio", "audio", "done")
    ids = [frame["turn_id"] for frame in client.frames if frame["type"] in with_id]
    assert len(set(ids)) == 1
    assert len(ids[0]) == 12


async def test_its_audio_is_the_voice_in_numbered_chunks_of_10_ms(hub: Stack) -> None:
    async with supervisor(hub) as client, hub.http() as http:
        await client.send("text", text="one two three")
        await client.next("listening")
        voice = await http.post("/tts", json={"text": "one two three.", "stream": False})

    chunks = client.of("audio")
    assert [chunk["chunk_index"] for chunk in chunks] == list(range(len(chunks)))
    assert {chunk["sample_rate"] for chunk in chunks} == {16_000}
    assert {len(b64decode(chunk["data"])) for chunk in chunks} == {CHUNK_BYTES}
    assert client.audio() == voice.content
    assert client.of("transcription")[0]["stt_latency_ms"] == 0


async def test_cancel_in_the_middle_of_a_turn_cancels_it(hub: Stack) -> None:
    async with supervisor(hub) as client:
        await client.send("text", text=COUNTING)
        while len(client.audio()) < 2 * WORD_BYTES:
            await client.next("audio")
        await client.send("cancel")
        done = await client.next("done")
        cut_at = len(client.audio())
        await client.next("listening")
        await client.send("text", text="hello")
        await client.next("listening")

    assert done["interrupted"] is True
    assert done["heard_text"] in ("one", "one two")  # what was sent is 120 ms ahead of the ear
    assert cut_at < 4 * WORD_BYTES
    kinds = client.kinds()
    assert kinds[kinds.index("done") :] == [
        "done", "listening", "transcription", "emotion", "first_audio", "audio", "assistant_text",
        "done", "listening",
    ]  # fmt: skip
    cut, whole = await hub.history()
    assert (cut.robot, whole.robot) == (done["heard_text"], "hello.")


async def test_a_cancel_before_the_end_of_an_utterance_forgets_it(hub: Stack) -> None:
    async with supervisor(hub) as client:
        await client.speak(spoken("never mind"))
        await client.send("cancel")
        await client.send("end_utterance")
        error = await client.next("error")
        await client.speak(spoken("hello"))
        await client.send("end_utterance")
        said = await client.next("transcription")
        await client.next("listening")

    assert error["message"] == "No audio received"
    assert said["text"] == "hello"


async def test_a_client_whose_microphone_is_free_of_the_robot_may_interrupt_by_voice(
    hub: Stack,
) -> None:
    async with supervisor(hub, "&aec=device") as client:
        await client.send("text", text=COUNTING)
        while len(client.audio()) < 2 * WORD_BYTES:
            await client.next("audio")
        words = spoken("wait a moment", ms=400)
        await client.speak(words[:12_800])
        done = await client.next("done")  # while the user is still speaking
        cut_at = len(client.audio())
        await client.speak(words[12_800:])
        await client.send("end_utterance")
        said = await client.next("transcription")
        answer = await client.next("done")

    assert done["interrupted"] is True
    assert "one two three four five".startswith(done["heard_text"])
    assert cut_at < 5 * WORD_BYTES
    assert said["text"] == "wait a moment"
    assert (answer["interrupted"], answer["heard_text"]) == (False, "wait a moment.")


async def test_the_usual_client_does_not_interrupt_itself(hub: Stack) -> None:
    async with supervisor(hub) as client:
        await client.send("text", text=COUNTING)
        await client.next("first_audio")
        await client.speak(spoken("one two three", ms=400))
        done = await client.next("done")

    assert (done["interrupted"], done["heard_text"]) == (False, f"{COUNTING}.")
    assert len(client.audio()) == 6 * WORD_BYTES


async def test_the_hub_may_end_utterances_and_the_clients_end_is_then_nothing(
    hub: Stack,
) -> None:
    async with supervisor(hub, "&endpointing=hub") as client:
        await client.speak(spoken("good morning"))
        said = await client.next("transcription")
        await client.send("end_utterance")
        await client.next("listening")
        await client.speak(spoken("good night"))
        again = await client.next("transcription")
        await client.next("listening")

    assert (said["text"], again["text"]) == ("good morning", "good night")
    assert client.of("error") == []


async def test_a_turn_whose_planner_and_stand_in_are_gone_is_spoken_of_and_coded(
    tmp_path: Path,
) -> None:
    planner = ScriptedPlanner([Script((), error=BackendTimeout("slow"))])
    async with (
        running(tmp_path, planner=planner, voice=ScriptedVoice(word_ms=40)) as hub,
        supervisor(hub) as client,
    ):
        await hub.kill("planner-reflex")
        await client.send("text", text="hello")
        failed = await client.next("turn_error")
        await client.next("listening")

    assert (failed["reason"], failed["stage"]) == ("LLM timeout", "llm")
    assert client.kinds()[-3:] == ["turn_error", "error", "listening"]
    assert client.of("error") == [{"type": "error", "message": "LLM timeout"}]
    assert client.of("done") == []
    assert client.audio()


async def test_a_newer_connection_of_either_wire_takes_over(hub: Stack) -> None:
    async with supervisor(hub) as older:
        await older.send("text", text=COUNTING)
        await older.next("first_audio")
        async with hub.robot() as newer:
            with pytest.raises(ConnectionClosed) as closed:
                await older.next("nothing that is ever sent")
            newer.write("hello")
            end = await newer.next(TurnEnd)

    assert closed.value.rcvd == Close(4001, "replaced_by_newer_session")
    assert older.of("done") == []
    assert (end.turn, end.heard_text) == (2, "hello.")

"""Bad input on every wire: it gets the documented answer, and a robot that talks meanwhile is not
disturbed. One hub takes all of it, as a hub would."""

import asyncio
import json
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import numpy as np
import pytest
import pytest_asyncio
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from agents.tts.backends.scripted import ScriptedVoice
from protocols.codecs.robot import encode_media, encode_text
from protocols.messages.robot import Hello, MicFrame, SpeechFrame, TurnEnd
from protocols.messages.turn import Outcome
from robot_sim.robot import SimulatedRobot
from robot_sim.speaker import Cue, Moment
from tests.integration.stack import PATIENCE_S, Stack, running

pytestmark = pytest.mark.asyncio(loop_scope="module")

WORD_MS = 60
MEGABYTE = 1_000_000
LONG_TEXT = "blah " * 2_000
SECOND = b"\x01\x00" * 16_000
NOT_IDS = {
    "a slash": "a/b",
    "300 characters": "x" * 300,
    "nothing": "",
    "an accent": "caf%C3%A9",
}

Json = dict[str, Any]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def hub(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    voice = ScriptedVoice(word_ms=WORD_MS)
    async with running(tmp_path_factory.mktemp("hub"), voice=voice) as stack:
        yield stack


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def calm(hub: Stack) -> AsyncIterator[SimulatedRobot]:
    async with hub.robot("calm") as robot:
        yield robot


@pytest_asyncio.fixture(loop_scope="module", autouse=True)
async def undisturbed(calm: SimulatedRobot) -> AsyncIterator[None]:
    """Somebody else's turn sounds while a test is rude, and is whole when it is over."""
    calm.write("one two three")
    await calm.next(Cue)
    yield
    ended = await calm.next(Cue, lambda cue: cue.moment is Moment.ENDED)
    end = await calm.next(TurnEnd)
    assert (end.outcome, end.heard_text) == (Outcome.DONE, "one two three.")
    assert ended.played.samples == 3 * 16 * WORD_MS
    assert not calm.speaker.counters


class Rude:
    """A client of either wire that sends what it likes."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket

    async def send(self, frame: str | bytes | Json) -> None:
        await self._socket.send(json.dumps(frame) if isinstance(frame, dict) else frame)

    async def told(self, kind: str) -> Json:
        """The next message of ``kind``."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                frame = await self._socket.recv()
                message: Json = json.loads(frame) if isinstance(frame, str) else {"type": "media"}
                if message["type"] == kind:
                    return message

    async def closed(self) -> tuple[int, str]:
        """How the hub closed the connection; what it said before is skipped."""
        async with asyncio.timeout(PATIENCE_S):
            with suppress(ConnectionClosed):
                while True:
                    await self._socket.recv()
        return self._socket.close_code or 0, self._socket.close_reason or ""


@asynccontextmanager
async def native(hub: Stack, robot_id: str = "rude") -> AsyncIterator[Rude]:
    async with connect(hub.ws(f"/robot?robot_id={robot_id}"), compression=None) as socket:
        client = Rude(socket)
        with suppress(ConnectionClosed):
            await client.send(encode_text(Hello()))
        yield client


@asynccontextmanager
async def legacy(hub: Stack, robot_id: str = "old") -> AsyncIterator[Rude]:
    async with connect(hub.ws(f"/converse?robot_id={robot_id}"), compression=None) as socket:
        yield Rude(socket)


def mic(first: int, pcm: bytes) -> bytes:
    return encode_media(MicFrame(first_sample=first), pcm)


NATIVE_FAULTS: dict[str, tuple[str | bytes, str]] = {
    "no JSON": ("{", "malformed_frame"),
    "a JSON list": ('["text"]', "malformed_frame"),
    "a wrong JSON type": ('{"type": "text", "text": 5}', "malformed_frame"),
    "nested too deep": ("[" * 60_000, "malformed_frame"),
    "an unknown message": ('{"type": "teleport"}', "unknown_message"),
    "a second hello": (encode_text(Hello()), "bad_request"),
    "empty text": ('{"type": "text", "text": " \\n"}', "bad_request"),
    "10,000 characters": (json.dumps({"type": "text", "text": LONG_TEXT}), "text_too_long"),
    "no frame": (b"", "malformed_frame"),
    "a header that is none": (b"\x04\x00junk", "malformed_frame"),
    "an odd number of bytes": (mic(0, b"odd"), "bad_audio"),
    "a negative sample": (mic(-5, SECOND), "malformed_frame"),
    "speech from a robot": (
        encode_media(SpeechFrame(epoch=1, turn=1, first_sample=0, samples=1), b"ab"),
        "unexpected_frame",
    ),
}


@pytest.mark.parametrize("fault", NATIVE_FAULTS)
async def test_a_faulty_frame_of_a_robot_is_coded_and_the_next_one_is_served(
    hub: Stack, fault: str
) -> None:
    frame, code = NATIVE_FAULTS[fault]
    async with native(hub) as client:
        await client.send(frame)
        assert (await client.told("error"))["code"] == code
        await client.send({"type": "text", "text": "hello"})
        assert (await client.told("turn_begin"))["user_text"] == "hello"


@pytest.mark.parametrize(
    "frame", ["y" * MEGABYTE, b"\x10\x00" * (MEGABYTE // 2)], ids=["text", "binary"]
)
async def test_a_frame_of_a_megabyte_closes_a_robots_connection(
    hub: Stack, frame: str | bytes
) -> None:
    async with native(hub) as client:
        await client.send(frame)
        assert (await client.closed())[0] == 1009


async def test_a_robot_faster_than_real_time_is_sent_away(hub: Stack) -> None:
    async with native(hub) as client:
        with suppress(ConnectionClosed):
            for second in range(60):
                await client.send(mic(16_000 * second, SECOND))
        assert await client.closed() == (4008, "audio faster than real time")


@pytest.mark.parametrize("wire", [native, legacy])
@pytest.mark.parametrize("name", NOT_IDS)
async def test_a_name_that_no_robot_can_have_is_refused(hub: Stack, wire: Any, name: str) -> None:
    async with wire(hub, NOT_IDS[name]) as client:
        code, reason = await client.closed()
    assert code == 4400
    assert reason.startswith("bad_identity" if NOT_IDS[name] else "missing_robot_id")


def audio(pcm: bytes) -> Json:
    return {"type": "audio", "data": b64encode(pcm).decode()}


LEGACY_FAULTS: dict[str, tuple[str | bytes | Json, str]] = {
    "no JSON": ("{", "invalid JSON"),
    "a JSON list": ('["text"]', "a message must be a JSON object"),
    "a binary frame": (SECOND, "frames must be JSON text, not binary"),
    "a wrong JSON type": ({"type": "audio", "data": 7}, "invalid audio data: base64 text expected"),
    "broken base64": ({"type": "audio", "data": "A==="}, "invalid audio data: broken base64"),
    "an odd number of bytes": (audio(b"odd"), "invalid audio data: odd number of bytes"),
    "a text that is none": ({"type": "text", "text": {"a": 1}}, "invalid text"),
    "10,000 characters": (
        {"type": "text", "text": LONG_TEXT},
        "text_too_long: 5000 characters are allowed",
    ),
    "a megabyte": ("y" * MEGABYTE, "invalid JSON"),
    "an end without audio": ({"type": "end_utterance"}, "No audio received"),
}


@pytest.mark.parametrize("fault", LEGACY_FAULTS)
async def test_a_faulty_frame_of_an_old_supervisor_is_an_error_and_the_next_one_is_served(
    hub: Stack, fault: str
) -> None:
    frame, message = LEGACY_FAULTS[fault]
    async with legacy(hub) as client:
        await client.send(frame)
        assert (await client.told("error"))["message"] == message
        await client.send({"type": "text", "text": "hello"})
        assert (await client.told("transcription"))["text"] == "hello"


@pytest.mark.parametrize("frame", [{"type": "text", "text": "  "}, {"type": "teleport"}, {"a": 1}])
async def test_what_an_old_supervisor_may_send_in_vain_is_ignored(hub: Stack, frame: Json) -> None:
    async with legacy(hub) as client:
        await client.send(frame)
        await client.send({"type": "text", "text": "hello"})
        assert (await client.told("listening"))["type"] == "listening"
        assert (await client.told("transcription"))["text"] == "hello"


CLIPPED = np.where(np.arange(16_000) // 40 % 2, 32_767, -32_768).astype("<i2").tobytes()
NOISE = np.random.default_rng(1).integers(-8_000, 8_000, 16_000).astype("<i2").tobytes()


@pytest.mark.parametrize("sound", [bytes(32_000), NOISE, CLIPPED], ids=["silence", "noise", "clip"])
async def test_sound_that_holds_no_words_is_not_understood(hub: Stack, sound: bytes) -> None:
    async with legacy(hub) as client:
        await client.told("listening")
        await client.send(audio(sound))
        await client.send({"type": "end_utterance"})
        assert (await client.told("error"))["message"] == "Could not understand audio"
        await client.told("listening")


async def test_an_old_supervisor_that_says_more_than_half_a_minute_overflows(hub: Stack) -> None:
    async with legacy(hub) as client:
        for _ in range(31):
            await client.send(audio(SECOND))
        assert (await client.told("error"))["message"] == "audio_buffer_overflow"
        await client.send({"type": "text", "text": "hello"})
        assert (await client.told("transcription"))["text"] == "hello"


async def test_an_old_supervisor_faster_than_real_time_is_sent_away(hub: Stack) -> None:
    async with legacy(hub) as client:
        with suppress(ConnectionClosed):
            for _ in range(60):
                await client.send(audio(SECOND))
        assert await client.closed() == (4008, "audio faster than real time")


REQUESTS: dict[str, tuple[str, Json | str, int, str]] = {
    "no JSON": ("/tts", "{", 422, ""),
    "a wrong JSON type": ("/tts", {"text": ["hello"]}, 422, ""),
    "empty text": ("/tts", {"text": " "}, 400, "empty_text"),
    "10,000 characters": ("/tts", {"text": LONG_TEXT}, 413, "text_too_long"),
    "a megabyte": ("/tts", {"text": "y" * MEGABYTE}, 413, "too_large"),
    "a name with a slash": ("/say", {"robot_id": "a/b", "text": "hi"}, 400, "bad_identity"),
    "a name of 300": ("/say", {"robot_id": "x" * 300, "text": "hi"}, 400, "bad_identity"),
    "nothing to say": ("/say", {"robot_id": "calm", "text": ""}, 400, "empty_text"),
    "an intensity of 9": ("/say", {"robot_id": "calm", "text": "hi", "intensity": 9}, 422, ""),
    "half a world": ("/plan", {"robot_id": "r1"}, 422, ""),
}


@pytest.mark.parametrize("name", REQUESTS)
async def test_a_faulty_request_is_answered_by_its_status_and_code(hub: Stack, name: str) -> None:
    path, body, status, code = REQUESTS[name]
    content = body if isinstance(body, str) else json.dumps(body)
    headers = {"content-type": "application/json"}
    async with hub.http() as http:
        answer = await http.post(path, content=content, headers=headers)
    assert answer.status_code == status
    assert not code or answer.json()["error"] == code

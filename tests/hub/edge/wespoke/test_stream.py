"""``WS /ai/stream`` over a real socket."""

import asyncio
import json
from typing import Any

import numpy as np
import pytest
from websockets.asyncio.client import ClientConnection, connect

from hub.edge.services import HubReport
from hub.edge.wespoke.stream import Guests
from hub.edge.wespoke.stream_microphone import MAX_AUDIO_BYTES
from hub.store import tokens
from hub.store.tokens import Scope
from protocols.messages.robot import (
    Cancel,
    EndUtterance,
    Error,
    Flush,
    Hold,
    Profile,
    Release,
    SpeechEnd,
    SpeechFrame,
    SpeechText,
    Text,
    Transcript,
    TurnBegin,
    TurnEnd,
)
from protocols.messages.session import EchoCanceller, Endpointing
from protocols.messages.turn import Outcome, Segment
from tests.fakes.sessions import FakeSession
from tests.hub.edge.conftest import Edge, drained

RAW_16K = {"sampleRate": 16_000}


async def told(socket: ClientConnection) -> dict[str, Any]:
    async with asyncio.timeout(5):
        message: dict[str, Any] = json.loads(await socket.recv())
    return message


async def says(socket: ClientConnection, **message: Any) -> None:
    await socket.send(json.dumps(message))


async def begun(edge: Edge, socket: ClientConnection, **start: Any) -> FakeSession:
    await says(socket, type="start", **start)
    assert (await told(socket))["type"] == "ready"
    return await edge.sessions.newest()


async def test_a_client_is_a_robot_that_nobody_remembers(edge: Edge) -> None:
    async with connect(edge.ws("/ai/stream")) as socket:
        await says(
            socket, type="start", output={"sampleRate": 24_000}, language="de", aec="device",
            endpointing="client", config={"system_prompt": "You sell shoes."},
        )  # fmt: skip
        ready = await told(socket)
        assert ready == {
            "type": "ready",
            "session": "sess-1",
            "format": {"sampleRate": 24_000, "channels": 1, "bitsPerSample": 16},
        }
        session = await edge.sessions.newest()
        assert (session.robot, session.fresh) == ("ai.1", True)
        assert (session.hello.client, session.hello.language) == ("wespoke", "de")
        assert session.hello.speech_rate_hz == 24_000
        assert session.hello.aec is EchoCanceller.DEVICE
        assert session.hello.endpointing is Endpointing.CLIENT
        assert session.messages == [Profile(profile={"instructions": "You sell shoes."})]


async def test_a_turn_goes_through_in_both_directions(edge: Edge) -> None:
    async with connect(edge.ws("/wespoke/ai/stream")) as socket:
        session = await begun(edge, socket, format=RAW_16K)
        pcm = np.arange(3_200, dtype="<i2").tobytes()
        await socket.send(pcm)
        await says(socket, type="end_utterance")
        await session.until(lambda s: len(s.messages) == 2)
        assert session.messages == [Profile(profile={}), EndUtterance()]
        assert session.pcm == pcm

        link = session.link
        link.send(Transcript(utterance=1, text="hel", final=False))
        link.send(Transcript(utterance=1, text="hello", final=True))
        link.send(TurnBegin(turn=7, user_text="hello"))
        for _ in range(2):  # words come again, with further times
            link.send(SpeechText(turn=7, phrase=0, text="Hi there."))
        link.send_speech(SpeechFrame(epoch=1, turn=7, first_sample=0, samples=320), b"\1\0" * 320)
        link.send(SpeechEnd(turn=7, samples=320))
        link.send(
            TurnEnd(turn=7, outcome=Outcome.DONE, heard_text="Hi there.",
                    response_text="Hi there.", segments=(Segment("transcript", 12.5),))
        )  # fmt: skip
        assert await told(socket) == {"type": "transcript", "text": "hel", "final": False}
        assert await told(socket) == {"type": "transcript", "text": "hello", "final": True}
        assert await told(socket) == {"type": "turn", "turn": 7, "userText": "hello"}
        assert await told(socket) == {"type": "text", "turn": 7, "phrase": 0, "text": "Hi there."}
        assert await socket.recv() == b"\1\0" * 320
        assert await told(socket) == {"type": "audio_end", "turn": 7, "samples": 320}
        assert await told(socket) == {
            "type": "done", "turn": 7, "outcome": "done", "code": "", "text": "Hi there.",
            "heardText": "Hi there.", "interrupted": False, "timings": {"transcript": 12.5},
        }  # fmt: skip


async def test_an_interruption_is_told_as_it_happens(edge: Edge) -> None:
    async with connect(edge.ws("/ai/stream")) as socket:
        link = (await begun(edge, socket)).link
        for message in (
            Hold(turn=7), Release(turn=7), Hold(turn=7), Flush(epoch=1, turn=7),
            TurnEnd(turn=7, outcome=Outcome.INTERRUPTED, heard_text="Hi"),
        ):  # fmt: skip
            link.send(message)
        kinds = [await told(socket) for _ in range(5)]
        assert [each["type"] for each in kinds] == ["hold", "release", "hold", "flush", "done"]
        assert kinds[-1]["interrupted"] is True
        assert kinds[-1]["heardText"] == "Hi"


async def test_what_the_user_types_and_a_cancel_reach_the_session(edge: Edge) -> None:
    async with connect(edge.ws("/ai/stream")) as socket:
        session = await begun(edge, socket)
        await says(socket, type="text", text=" What time is it? ")
        await says(socket, type="cancel")
        await session.until(lambda s: len(s.messages) == 3)
        assert session.messages[1:] == [Text(text="What time is it?"), Cancel()]
        session.link.send(Error(code="not_understood", message="Could not understand audio"))
        assert (await told(socket))["code"] == "not_understood"


@pytest.mark.parametrize("channels", [1, 2])
async def test_sound_of_any_format_reaches_ears_at_16_khz(edge: Edge, channels: int) -> None:
    tone = 8_000 * np.sin(2 * np.pi * 440 * np.arange(48_000) / 48_000)
    pcm = np.repeat(tone.astype("<i2"), channels).tobytes()
    form = {"sampleRate": 48_000, "channels": channels, "bitsPerSample": 16}
    async with connect(edge.ws("/ai/stream")) as socket:
        session = await begun(edge, socket, format=form)
        for at in range(0, len(pcm), 9_600):
            await socket.send(pcm[at : at + 9_600])
        await says(socket, type="end_utterance")
        await session.until(lambda s: len(s.messages) == 2)
    heard = np.frombuffer(session.pcm, "<i2").astype(float)
    assert len(heard) == pytest.approx(16_000, abs=4)
    middle = heard[4_000:12_000]
    assert np.sqrt((middle**2).mean()) == pytest.approx(8_000 / np.sqrt(2), rel=0.02)
    assert np.abs(np.fft.rfft(middle)).argmax() == 220


@pytest.mark.parametrize(
    "frame",
    [
        "no json", "[]", "{}", '{"type": "text", "text": "hi"}', '{"type": "start", "aec": "x"}',
        '{"type": "start", "config": {"system_prompt": "x", "model": "phi4"}}',
        '{"type": "start", "config": {"temperature": 0}}',
        '{"type": "start", "format": {"sampleRate": 12345}}', b"\0\0",
    ],
)  # fmt: skip
async def test_a_connection_that_does_not_begin_with_start_is_told_why_and_closed(
    edge: Edge, frame: str | bytes
) -> None:
    async with connect(edge.ws("/ai/stream")) as socket:
        await socket.send(frame)
        code, reason, frames = await drained(socket)
    assert (code, reason) == (4000, "invalid_request")
    (told_,) = frames
    assert json.loads(told_)["code"] == "invalid_request"
    assert edge.sessions.attached == []


async def test_bad_frames_are_answered_and_twenty_of_them_end_it(edge: Edge) -> None:
    async with connect(edge.ws("/ai/stream")) as socket:
        await begun(edge, socket)
        bad = ["x", '{"type": "start"}', b"\0", bytes(MAX_AUDIO_BYTES + 2), '{"type": "text"}']
        for frame in bad * 4:
            await socket.send(frame)
        code, reason, frames = await drained(socket)
    assert (code, reason) == (4000, "too_many_errors")
    codes = [json.loads(frame)["code"] for frame in frames]
    assert codes == ["invalid_request", "invalid_request", "bad_audio", "bad_audio",
                     "invalid_request"] * 4  # fmt: skip


async def test_sound_that_comes_faster_than_time_ends_it(edge: Edge) -> None:
    async with connect(edge.ws("/ai/stream")) as socket:
        await begun(edge, socket, format=RAW_16K)
        for _ in range(8):
            await socket.send(bytes(32_000))
        code, _, _ = await drained(socket)
    assert code == 4008


async def test_a_name_is_free_again_when_its_connection_has_ended(edge: Edge) -> None:
    edge.report = HubReport(robots=("ai.2",))
    async with connect(edge.ws("/ai/stream")) as first, connect(edge.ws("/ai/stream")) as second:
        assert (await begun(edge, first)).robot == "ai.1"
        assert (await begun(edge, second)).robot == "ai.3"
    for session in edge.sessions.attached:
        await session.until(lambda s: s.detached)
    async with connect(edge.ws("/ai/stream")) as third:
        assert (await begun(edge, third)).robot == "ai.1"


def test_names_that_are_taken_are_not_given() -> None:
    guests = Guests()
    with guests.name(()) as one, guests.name(("ai.2",)) as other:
        assert (one, other) == ("ai.1", "ai.3")
    with guests.name(()) as again:
        assert again == "ai.1"


async def test_only_those_who_may_use_models_may_talk(edge: Edge) -> None:
    for token in (tokens.create(edge.db, "r1"), tokens.create(edge.db, scope=Scope.OBSERVER)):
        headers = {"Authorization": f"Bearer {token}"}
        async with connect(edge.ws("/ai/stream"), additional_headers=headers) as socket:
            assert (await drained(socket))[0] == 4003
    headers = {"Authorization": f"Bearer {tokens.create(edge.db, scope=Scope.CLIENT)}"}
    async with connect(edge.ws("/ai/stream"), additional_headers=headers) as socket:
        await begun(edge, socket)

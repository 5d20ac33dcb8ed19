"""``/converse`` over a real socket, as an existing supervisor would use it."""

import asyncio
import json
from base64 import b64encode
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect

from protocols.messages.robot import (
    Cancel,
    Emotion,
    EndUtterance,
    Profile,
    SpeechFrame,
    Text,
    TurnBegin,
    TurnEnd,
)
from protocols.messages.session import EchoCanceller, Endpointing
from protocols.messages.turn import Outcome
from tests.hub.edge.conftest import Edge, drained

URL = "/converse?robot_id=r1&session_seq=abc&session_monotonic_ts_ms="


async def told(socket: ClientConnection) -> dict[str, Any]:
    async with asyncio.timeout(2):
        message: dict[str, Any] = json.loads(await socket.recv())
    return message


async def hears(socket: ClientConnection, pcm: bytes) -> None:
    await socket.send(json.dumps({"type": "audio", "data": b64encode(pcm).decode()}))


async def closed(socket: ClientConnection) -> tuple[int, list[dict[str, Any]]]:
    code, _, frames = await drained(socket)
    return code, [json.loads(frame) for frame in frames]


async def test_a_turn_goes_through_in_both_directions(edge: Edge) -> None:
    async with connect(edge.ws(URL)) as socket:
        assert await told(socket) == {"type": "listening"}
        session = await edge.sessions.newest()
        assert session.hello.client == "converse"
        assert session.hello.endpointing is Endpointing.CLIENT
        assert session.hello.aec is EchoCanceller.NONE
        pcm = bytes(range(256)) * 25
        await hears(socket, pcm)
        await socket.send('{"type": "end_utterance"}')
        await session.until(lambda s: s.messages)
        assert session.messages == [EndUtterance()]
        assert session.pcm == pcm

        link = session.link
        link.send(TurnBegin(turn=1, user_text="hello"))
        link.send(Emotion(turn=0, emotion="sleepy", intensity=0.5))
        link.send(Emotion(turn=1, emotion="happy", intensity=0.5))
        link.send_speech(SpeechFrame(epoch=1, turn=1, first_sample=0, samples=160), bytes(320))
        link.send(TurnEnd(turn=1, outcome=Outcome.DONE, response_text="Hi"))
        assert [(await told(socket))["type"] for _ in range(7)] == [
            "transcription", "emotion", "first_audio", "audio", "assistant_text", "done",
            "listening",
        ]  # fmt: skip


async def test_the_client_may_leave_endpointing_to_the_hub_and_vouch_for_its_microphone(
    edge: Edge,
) -> None:
    async with connect(edge.ws(URL + "&endpointing=hub&aec=device")) as socket:
        await told(socket)
        hello = (await edge.sessions.newest()).hello
        assert (hello.endpointing, hello.aec) == (Endpointing.HUB, EchoCanceller.DEVICE)
        await socket.send('{"type": "end_utterance"}')
        await socket.send('{"type": "text", "text": "hi"}')
        session = edge.sessions.attached[0]
        await session.until(lambda s: s.messages)
        assert session.messages == [Text(text="hi")]


async def test_cancel_text_and_profile_reach_the_session_at_once(edge: Edge) -> None:
    async with connect(edge.ws(URL)) as socket:
        await told(socket)
        session = await edge.sessions.newest()
        session.link.send(TurnBegin(turn=1, user_text="a long story"))
        await socket.send('{"type": "profile", "profile": {"mood": "happy"}}')
        await socket.send('{"type": "text", "text": ""}')
        await socket.send('{"type": "whatever"}')
        await socket.send('{"type": "cancel"}')
        await session.until(lambda s: len(s.messages) == 2)
        assert session.messages == [Profile(profile={"mood": "happy"}), Cancel()]


async def test_an_end_without_audio_is_an_error_without_listening(edge: Edge) -> None:
    async with connect(edge.ws(URL)) as socket:
        await told(socket)
        await socket.send('{"type": "end_utterance"}')
        assert await told(socket) == {"type": "error", "message": "No audio received"}
        await hears(socket, bytes(320))
        await socket.send('{"type": "cancel"}')
        await socket.send('{"type": "end_utterance"}')
        assert await told(socket) == {"type": "error", "message": "No audio received"}


async def test_more_than_half_a_minute_of_audio_overflows_and_is_forgotten(edge: Edge) -> None:
    async with connect(edge.ws(URL)) as socket:
        await told(socket)
        session = await edge.sessions.newest()
        for _ in range(31):
            await hears(socket, bytes(32_000))
        assert await told(socket) == {"type": "error", "message": "audio_buffer_overflow"}
        assert await told(socket) == {"type": "listening"}
        await session.until(lambda s: s.messages)
        assert session.messages == [Cancel()]


async def test_a_whole_utterance_at_once_arrives_before_its_end(edge: Edge) -> None:
    async with connect(edge.ws(URL)) as socket:
        await told(socket)
        session = await edge.sessions.newest()
        await hears(socket, b"\x01\x02" * 160_000)
        await socket.send('{"type": "end_utterance"}')
        await session.until(lambda s: s.messages)
        assert len(session.pcm) == 320_000
        assert max(len(pcm) for _, pcm, _ in session.mic) <= 3_200


async def test_a_client_faster_than_real_time_is_closed_with_4008(edge: Edge) -> None:
    async with connect(edge.ws(URL)) as socket:
        await told(socket)
        for _ in range(40):
            await hears(socket, bytes(32_000))
        code, _ = await closed(socket)
        assert code == 4008


@pytest.mark.parametrize(
    "frame",
    [
        "broken",
        b"\x00binary",
        '{"type": "audio", "data": "A==="}',
        '{"type": "audio", "data": "AQID"}',
        '{"type": "audio", "data": 7}',
        json.dumps({"type": "text", "text": "x" * 10_000}),
    ],
)
async def test_a_faulty_frame_is_an_error_and_the_next_frame_is_served(
    edge: Edge, frame: str | bytes
) -> None:
    async with connect(edge.ws(URL)) as socket:
        await told(socket)
        await socket.send(frame)
        answer = await told(socket)
        assert answer["type"] == "error"
        assert answer["message"]
        session = await edge.sessions.newest()
        await socket.send('{"type": "text", "text": "still there?"}')
        await session.until(lambda s: s.messages)


async def test_a_frame_above_two_megabytes_closes_with_1009(edge: Edge) -> None:
    async with connect(edge.ws(URL)) as socket:
        await told(socket)
        await socket.send("x" * 3_000_000)
        assert (await closed(socket))[0] == 1009


async def test_a_bug_in_a_session_is_an_internal_server_error(edge: Edge) -> None:
    async with connect(edge.ws(URL)) as socket:
        await told(socket)
        session = await edge.sessions.newest()
        session.failing = True
        await socket.send('{"type": "cancel"}')
        code, before = await closed(socket)
        assert code == 1011
        assert before == [{"type": "error", "message": "Internal server error"}]


async def test_a_newer_connection_replaces_an_older_of_either_wire(edge: Edge) -> None:
    async with connect(edge.ws(URL)) as older:
        await told(older)
        async with connect(edge.ws(URL)) as newer:
            await told(newer)
            assert (await closed(older))[0] == 4001

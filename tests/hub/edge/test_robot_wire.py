"""The native wire over a real socket: what comes in, what goes out, and what each fault gets."""

import asyncio
import contextlib
import json
from typing import Any

import msgspec
import numpy as np
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from hub.edge.limits import MAX_STRIKES
from hub.edge.opus import OpusDecoder, OpusEncoder
from hub.errors import NotReady, StoreFailed
from protocols.codecs.robot import decode_media, encode_media, encode_text
from protocols.messages.robot import (
    Cancel,
    Codec,
    EndUtterance,
    Error,
    Hello,
    MicFrame,
    SpeechFrame,
    Text,
)
from tests.fakes.sessions import FakeSession
from tests.hub.edge.conftest import Edge, drained, received

PCM_20_MS = b"\x01\x02" * 320


async def greet(socket: ClientConnection, hello: Hello = Hello()) -> dict[str, Any]:  # noqa: B008
    await socket.send(encode_text(hello))
    return await told(socket)


async def told(socket: ClientConnection) -> dict[str, Any]:
    async with asyncio.timeout(2):
        frame = await received(socket)
    message: dict[str, Any] = json.loads(frame)
    return message


async def closed(socket: ClientConnection) -> tuple[int, str]:
    code, reason, _ = await drained(socket)
    return code, reason


def mic(first: int, pcm: bytes = PCM_20_MS, codec: Codec = Codec.PCM) -> bytes:
    return encode_media(MicFrame(first_sample=first, playout_sample=first + 5, codec=codec), pcm)


async def test_a_robot_is_welcomed_and_its_microphone_reaches_its_session(edge: Edge) -> None:
    async with connect(edge.ws("/robot?robot_id=r1")) as socket:
        assert (await greet(socket))["type"] == "welcome"
        session = await edge.sessions.newest()
        await socket.send(mic(0))
        await socket.send(mic(320))
        await socket.send(encode_text(EndUtterance()))
        await session.until(lambda s: s.messages)
        assert session.mic == [(0, PCM_20_MS, 5), (320, PCM_20_MS, 325)]
        assert session.messages == [EndUtterance()]
    await session.until(lambda s: s.detached)
    assert session.detached == (1000, "")


async def test_frames_sent_before_the_welcome_are_not_lost(edge: Edge) -> None:
    async with connect(edge.ws("/robot?robot_id=r1")) as socket:
        await socket.send(encode_text(Hello()))
        for i in range(20):
            await socket.send(mic(320 * i))
        session = await edge.sessions.newest()
        await session.until(lambda s: len(s.mic) == 20)


async def test_speech_leaves_as_binary_frames_after_its_control_messages(edge: Edge) -> None:
    async with connect(edge.ws("/robot?robot_id=r1")) as socket:
        await greet(socket)
        session = await edge.sessions.newest()
        header = SpeechFrame(epoch=1, turn=7, first_sample=0, samples=320, energy=9)
        session.link.send(Error(code="x", message="y"))
        session.link.send_speech(header, PCM_20_MS)
        assert (await told(socket))["type"] == "error"
        frame = await received(socket)
        assert isinstance(frame, bytes)
        assert decode_media(frame) == (header, PCM_20_MS)


async def test_opus_comes_in_as_16_khz_pcm_and_leaves_as_20_ms_packets(edge: Edge) -> None:
    tone = (8000 * np.sin(np.arange(16_000) * 2 * np.pi * 440 / 16_000)).astype("<i2").tobytes()
    encoder, decoder = OpusEncoder(16_000), OpusDecoder()
    async with connect(edge.ws("/robot?robot_id=r1")) as socket:
        await greet(socket, Hello(codec=Codec.OPUS, speech_rate_hz=24_000))
        session = await edge.sessions.newest()
        for i in range(50):
            await socket.send(
                mic(320 * i, encoder.encode(tone[640 * i : 640 * i + 640]), Codec.OPUS)
            )
        await session.until(lambda s: len(s.pcm) >= 31_900)
        heard = np.frombuffer(session.pcm, "<i2")
        assert 5000 < np.sqrt(np.mean(heard[4000:12_000].astype(float) ** 2)) < 6200
        firsts = [first for first, _, _ in session.mic]
        assert firsts == sorted(firsts)

        header = SpeechFrame(epoch=1, turn=1, first_sample=0, samples=480)
        for i in range(10):
            session.link.send_speech(
                msgspec.structs.replace(header, first_sample=480 * i), b"\x10\x20" * 480
            )
        for i in range(10):
            frame = await received(socket)
            assert isinstance(frame, bytes)
            got, packet = decode_media(frame)
            assert isinstance(got, SpeechFrame)
            assert (got.first_sample, got.samples, got.codec) == (480 * i, 480, Codec.OPUS)
            assert len(packet) < 200
            assert decoder.decode(packet)


async def test_a_newer_connection_closes_the_older_with_4001(edge: Edge) -> None:
    async with connect(edge.ws("/robot?robot_id=r1")) as older:
        await greet(older)
        async with connect(edge.ws("/robot?robot_id=r1")) as newer:
            assert (await greet(newer))["epoch"] == 2
            assert await closed(older) == (4001, "replaced_by_newer_session")
            await edge.sessions.attached[0].until(lambda s: s.detached)
            assert edge.sessions.attached[1].detached is None


@pytest.mark.parametrize("path", ["/robot", "/converse"])
@pytest.mark.parametrize(
    ("query", "code", "reason"),
    [
        ("", 4400, "missing_robot_id"),
        ("?robot_id=", 4400, "missing_robot_id"),
        ("?robot_id=a/b", 4400, "bad_identity"),
        ("?robot_id=" + "x" * 300, 4400, "bad_identity"),
        ("?robot_id=caf%C3%A9", 4400, "bad_identity"),
    ],
)
async def test_a_robot_without_a_legal_id_sees_4400(
    edge: Edge, path: str, query: str, code: int, reason: str
) -> None:
    async with connect(edge.ws(path + query)) as socket:
        got, text = await closed(socket)
    assert got == code
    assert text.startswith(reason)
    assert edge.sessions.attached == []


@pytest.mark.parametrize(
    ("first", "code"),
    [
        ('{"type": "cancel"}', 4000),
        ("no json", 4000),
        ('{"type": "hello", "aec": 7}', 4000),
        ('{"type": "hello", "codec": "opus", "speech_rate_hz": 22050}', 4000),
        ('{"type": "hello", "speech_rate_hz": 1}', 4000),
        ('{"type": "hello", "wire": 2, "aec": ["of", "the", "future"]}', 4011),
        (b"\x00\x00", 4000),
        ("x" * 70_000, 1009),
    ],
)
async def test_a_connection_that_does_not_begin_with_a_legal_hello_is_closed(
    edge: Edge, first: str | bytes, code: int
) -> None:
    async with connect(edge.ws("/robot?robot_id=r1")) as socket:
        await socket.send(first)
        assert (await closed(socket))[0] == code
    assert edge.sessions.attached == []


FAULTS = [
    ("not json", "malformed_frame"),
    ('{"type": "text", "text": 5}', "malformed_frame"),
    ('["a", "list"]', "malformed_frame"),
    ('{"type": "teleport"}', "unknown_message"),
    ('{"type": "hello"}', "bad_request"),
    ('{"type": "text", "text": "  "}', "bad_request"),
    (json.dumps({"type": "text", "text": "x" * 10_000}), "text_too_long"),
    (b"", "malformed_frame"),
    (b"\xff\xff rubbish", "malformed_frame"),
    (mic(0, b"odd"), "bad_audio"),
    (mic(0, b"\x00" * 40, Codec.OPUS), "bad_audio"),
    (mic(-1), "malformed_frame"),
    (
        encode_media(SpeechFrame(epoch=1, turn=1, first_sample=0, samples=1), b"ab"),
        "unexpected_frame",
    ),
]


@pytest.mark.parametrize(("frame", "code"), FAULTS)
async def test_a_faulty_frame_is_answered_by_its_code_and_harms_nothing_after_it(
    edge: Edge, frame: str | bytes, code: str
) -> None:
    async with connect(edge.ws("/robot?robot_id=r1")) as socket:
        await greet(socket)
        session = await edge.sessions.newest()
        await socket.send(frame)
        answer = await told(socket)
        assert (answer["type"], answer["code"]) == ("error", code)
        await socket.send(encode_text(Text(text="still there?")))
        await socket.send(mic(0))
        await session.until(lambda s: s.mic and s.messages)
        assert session.messages == [Text(text="still there?")]
    assert edge.counters.read()[f"frames_refused.{code}"] == 1


async def test_an_opus_packet_of_rubbish_is_bad_audio_and_the_next_is_heard(edge: Edge) -> None:
    async with connect(edge.ws("/robot?robot_id=r1")) as socket:
        await greet(socket, Hello(codec=Codec.OPUS))
        session = await edge.sessions.newest()
        await socket.send(mic(0, b"\xff" * 50, Codec.OPUS))
        assert (await told(socket))["code"] == "bad_audio"
        await socket.send(mic(320, OpusEncoder(16_000).encode(PCM_20_MS), Codec.OPUS))
        await session.until(lambda s: s.mic)


async def test_twenty_faults_end_a_connection_but_unknown_messages_never_do(edge: Edge) -> None:
    async with connect(edge.ws("/robot?robot_id=r1")) as socket:
        await greet(socket)
        for _ in range(2 * MAX_STRIKES):
            await socket.send('{"type": "from_the_future"}')
            await told(socket)
        for _ in range(MAX_STRIKES):
            await socket.send("rubbish")
        assert await closed(socket) == (4000, "too_many_errors")
    session = await edge.sessions.newest()
    await session.until(lambda s: s.detached)
    assert session.detached == (4000, "too_many_errors")


@pytest.mark.parametrize("frame", ["y" * 1_000_000, b"\x10\x00" * 500_000, b"z" * 3_000_000])
async def test_a_frame_of_a_megabyte_closes_with_1009(edge: Edge, frame: str | bytes) -> None:
    async with connect(edge.ws("/robot?robot_id=r1")) as socket:
        await greet(socket)
        await socket.send(frame)
        assert (await closed(socket))[0] == 1009


async def test_five_seconds_at_once_are_a_stall_and_a_hundred_times_real_time_is_4008(
    edge: Edge,
) -> None:
    second = b"\x01\x00" * 16_000
    async with connect(edge.ws("/robot?robot_id=r1")) as socket:
        await greet(socket)
        session = await edge.sessions.newest()
        for i in range(5):
            await socket.send(mic(16_000 * i, second))
        await session.until(lambda s: len(s.pcm) == 5 * 32_000)
        with contextlib.suppress(ConnectionClosed):
            for i in range(5, 100):
                await socket.send(mic(16_000 * i, second))
        assert (await closed(socket))[0] == 4008


async def test_a_fast_client_is_cut_alone(edge: Edge) -> None:
    async with (
        connect(edge.ws("/robot?robot_id=calm")) as calm,
        connect(edge.ws("/robot?robot_id=fast")) as fast,
    ):
        await greet(calm)
        await greet(fast)
        for i in range(7):
            await fast.send(mic(16_000 * i, b"\x00\x00" * 16_000))
        assert (await closed(fast))[0] == 4008
        await calm.send(encode_text(Cancel()))
        await edge.sessions.attached[0].until(lambda s: s.messages)


async def test_a_client_that_does_not_read_is_cut_by_4009_and_named(edge: Edge) -> None:
    async with (
        connect(edge.ws("/robot?robot_id=deaf"), max_queue=1) as deaf,
        connect(edge.ws("/robot?robot_id=good")) as good,
    ):
        await greet(deaf)
        await greet(good)
        session, other = edge.sessions.attached
        deaf.transport.pause_reading()
        chunk = b"\x00\x01" * 16_000
        for i in range(400):
            session.link.send_speech(
                SpeechFrame(epoch=1, turn=1, first_sample=16_000 * i, samples=16_000), chunk
            )
            await asyncio.sleep(0)
        await session.until(lambda s: s.detached)
        assert session.detached == (4009, "slow_consumer")
        other.link.send(Error(code="x", message="still served"))
        assert (await told(good))["message"] == "still served"
        deaf.transport.abort()
    assert edge.counters.read()["slow_consumer.speech"] == 1


async def test_a_bug_in_one_session_closes_that_connection_alone(edge: Edge) -> None:
    async with connect(edge.ws("/robot?robot_id=r1")) as socket:
        await greet(socket)
        session: FakeSession = await edge.sessions.newest()
        session.failing = True
        await socket.send(encode_text(Cancel()))
        assert (await closed(socket))[0] == 1011
    assert (await edge.http.get("/livez")).status_code == 200


async def test_a_draining_hub_sends_robots_away_with_4010(edge: Edge) -> None:
    edge.sessions.failure = NotReady("draining")
    async with connect(edge.ws("/robot?robot_id=r1")) as socket:
        await socket.send(encode_text(Hello()))
        assert (await closed(socket))[0] == 4010


async def test_a_store_that_fails_refuses_the_robot_with_its_code(edge: Edge) -> None:
    edge.sessions.failure = StoreFailed("disk full")
    async with connect(edge.ws("/robot?robot_id=r1")) as socket:
        await socket.send(encode_text(Hello()))
        assert await closed(socket) == (1011, "store_failed")


async def test_a_robot_that_vanishes_is_detached(edge: Edge) -> None:
    async with connect(edge.ws("/robot?robot_id=r1")) as socket:
        await greet(socket)
        session = await edge.sessions.newest()
        socket.transport.abort()
        await session.until(lambda s: s.detached)
        assert session.detached is not None
        assert session.detached[0] in (1005, 1006)

"""A face on Wi-Fi: the microcontroller of the simulator on the hub's WebSocket."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from hub.edge.mouth import Mouth
from hub.store import tokens
from protocols.face import SCREEN_WIDTH
from protocols.messages.face import Conversation
from protocols.messages.robot import (
    AttentionRequest,
    Cancel,
    Emotion,
    Face,
    Flush,
    Gestures,
    Played,
    SpeechFrame,
)
from protocols.messages.session import Attention
from robot_sim.face_mcu import FaceMcu
from tests.fakes.sessions import FakeSession
from tests.hub.edge.conftest import Edge, drained
from tests.hub.edge.test_auth import HELLO, bearer

PATIENCE_S = 5.0
PTT, ACTION = (20, 220), (SCREEN_WIDTH - 20, 220)


async def eventually(holds: Callable[[], object]) -> None:
    """Return once ``holds`` does; nothing tells when a microcontroller has done something."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            if holds():
                return
            await asyncio.sleep(0.005)


class WifiFace:
    """The microcontroller, its loop of 10 ms, and its socket."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.mcu = FaceMcu(time.monotonic_ns())

    async def read(self) -> None:
        try:
            async for frame in self.socket:
                assert isinstance(frame, bytes)
                await self._send(self.mcu.receive(frame, time.monotonic_ns()))
        except ConnectionClosed:
            pass

    async def loop(self) -> None:
        try:
            while True:
                await self._send(self.mcu.advance(time.monotonic_ns()))
                await asyncio.sleep(0.01)
        except ConnectionClosed:
            pass

    async def until(self, holds) -> None:  # type: ignore[no-untyped-def]
        await eventually(lambda: holds(self.mcu))

    async def settled(self) -> None:
        """The hub has heard from it: it knows the latch of its button."""
        await self.until(lambda mcu: mcu.version == 2 and mcu.statuses > 2)

    async def tap(self, x: int, y: int) -> None:
        self.mcu.touch(x, y, time.monotonic_ns())
        self.mcu.lift(x, y, time.monotonic_ns())

    async def _send(self, data: bytes) -> None:
        if data:
            await self.socket.send(data)


@asynccontextmanager
async def face_of(edge: Edge, robot: str = "r1", **more: object) -> AsyncIterator[WifiFace]:
    async with (
        connect(edge.ws(f"/face?robot_id={robot}"), **more) as socket,  # type: ignore[arg-type]
        asyncio.TaskGroup() as tasks,
    ):
        face = WifiFace(socket)
        working = [tasks.create_task(face.read()), tasks.create_task(face.loop())]
        yield face
        for task in working:
            task.cancel()


@asynccontextmanager
async def robot_on(edge: Edge, robot: str = "r1") -> AsyncIterator[FakeSession]:
    """A robot that reads nothing; a full queue would hold up its goodbye for ten seconds."""
    async with connect(edge.ws(f"/robot?robot_id={robot}"), max_queue=None) as socket:
        await socket.send(HELLO)
        yield await edge.sessions.newest()


async def test_a_face_shows_what_its_robot_is_told(edge: Edge) -> None:
    async with robot_on(edge) as session, face_of(edge) as face, face_of(edge, "r2") as other:
        session.link.send(Emotion(turn=1, emotion="happy", intensity=0.8))
        session.link.send(Face(conversation=Conversation.THINKING))
        await face.until(lambda mcu: mcu.face.emotion == "happy" and mcu.version == 2)
        await face.until(lambda mcu: mcu.face.conversation == "thinking")
        session.link.send(Gestures(turn=1, names=("nod", "spin")))
        await face.until(lambda mcu: mcu.face.gesture == "nod")
        await other.until(lambda mcu: mcu.version == 2)
        assert other.mcu.face.emotion == "neutral"


async def test_a_face_that_joins_late_or_starts_anew_shows_the_same(edge: Edge) -> None:
    async with robot_on(edge) as session:
        session.link.send(Emotion(turn=1, emotion="sad", intensity=0.5))
        async with face_of(edge) as face:
            await face.until(lambda mcu: mcu.face.emotion == "sad" and mcu.version == 2)
            face.mcu.restart(time.monotonic_ns())
            await face.until(lambda mcu: mcu.face.emotion == "sad" and mcu.starts == 2)


async def test_the_mouth_moves_while_the_voice_sounds_and_closes_with_a_flush(edge: Edge) -> None:
    async with robot_on(edge) as session, face_of(edge) as face:
        await face.until(lambda mcu: mcu.version == 2)
        for number in range(100):
            header = SpeechFrame(
                epoch=1, turn=1, first_sample=320 * number, samples=320, energy=120
            )
            session.link.send_speech(header, bytes(640))
        await face.until(lambda mcu: mcu.face.energy == 120)
        session.link.send(Flush(epoch=1, turn=1))
        await face.until(lambda mcu: not mcu.face.talking)


async def test_its_buttons_speak_for_the_robot(edge: Edge) -> None:
    async with robot_on(edge) as session, face_of(edge) as face:
        session.link.send(Face(conversation=Conversation.SPEAKING))
        await face.settled()
        await face.until(lambda mcu: mcu.face.conversation == "speaking")
        await face.tap(*PTT)
        held = AttentionRequest(attention=Attention.PUSH_TO_TALK, held=True)
        await session.until(lambda s: held in s.messages)
        await face.tap(*ACTION)
        await session.until(lambda s: Cancel() in s.messages)
    await session.until(
        lambda s: AttentionRequest(attention=Attention.PUSH_TO_TALK) in s.messages
    )  # nobody holds a button that is gone


async def test_buttons_without_a_robot_are_counted(edge: Edge) -> None:
    async with face_of(edge) as face:
        await face.settled()
        await face.tap(*PTT)
        await eventually(lambda: edge.counters.read().get("face_wishes.no_robot"))


async def test_a_face_needs_its_robots_token(edge: Edge) -> None:
    token = tokens.create(edge.db, "r1")
    async with connect(edge.ws("/face?robot_id=r1")) as socket:
        assert (await drained(socket))[0] == 4003
    async with connect(edge.ws("/face?robot_id=r2"), additional_headers=bearer(token)) as socket:
        assert (await drained(socket))[0] == 4003
    async with face_of(edge, additional_headers=bearer(token)) as face:
        await face.until(lambda mcu: mcu.version == 2)


@pytest.mark.parametrize(("frames", "code"), [(["hello"] * 20, 4000), ([bytes(4096)] * 120, 4008)])
async def test_what_is_no_face_is_cut(edge: Edge, frames: list[str | bytes], code: int) -> None:
    async with connect(edge.ws("/face?robot_id=r1")) as socket:
        try:
            for frame in frames:
                await socket.send(frame)
        except ConnectionClosed:
            pass
        assert (await drained(socket))[0] == code


async def test_nothing_is_kept_of_robots_and_faces_that_are_gone(edge: Edge) -> None:
    async with robot_on(edge) as session, face_of(edge) as face:
        await face.until(lambda mcu: mcu.version == 2)
    await session.until(lambda s: s.detached is not None)
    assert edge.services is not None
    faces = edge.services.faces
    await eventually(lambda: not faces._faces)


def test_played_is_what_the_mouth_goes_by() -> None:
    mouth, ms = Mouth(16_000), 1_000_000
    for number in range(10):
        header = SpeechFrame(
            epoch=1, turn=1, first_sample=320 * number, samples=320, energy=number + 1
        )
        mouth.speech(header, 0)
    assert mouth.energy(0) is None  # it is still on its way
    mouth.played(Played(epoch=1, turn=1, samples=0), 100 * ms)
    assert [mouth.energy((100 + at) * ms) for at in (0, 30, 199)] == [1, 2, 10]
    assert mouth.energy(300 * ms) is None


def test_a_mouth_that_is_held_is_closed_and_goes_on_where_it_was() -> None:
    mouth, ms = Mouth(16_000), 1_000_000
    for number in range(10):
        header = SpeechFrame(
            epoch=1, turn=1, first_sample=320 * number, samples=320, energy=number + 1
        )
        mouth.speech(header, 0)
    mouth.played(Played(epoch=1, turn=1, samples=0), 0)
    mouth.hold(50 * ms)
    assert mouth.energy(60 * ms) is None
    mouth.release(500 * ms)
    assert mouth.energy(500 * ms) == 3
    mouth.flush(1)
    assert mouth.energy(501 * ms) is None

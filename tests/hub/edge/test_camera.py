"""Pictures on their way in: their bounds, and the moment at which they were taken."""

import asyncio
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.asyncio.client import ClientConnection, connect

from hub.counters import Counters
from hub.edge.camera import MAX_PER_SECOND, MAX_SIDE, CameraIntake, check_picture, moment
from hub.edge.clock import ClockFilter, Reading
from hub.edge.limits import MAX_STRIKES
from protocols.codecs.robot import MAX_PICTURE_BYTES, encode_media, encode_text
from protocols.errors import BadPicture, PictureTooLarge
from protocols.messages.robot import CameraPicture, Capabilities, Hello, MicFrame, Pong
from protocols.messages.session import Camera
from tests.fakes.pictures import claimed, jpeg
from tests.hub.edge.conftest import Edge
from tests.hub.edge.test_robot_wire import PCM_20_MS, closed, greet, mic, told

CAMERA = Camera(hfov_deg=62.0, width=64, height=48)
SEEING = Hello(capabilities=Capabilities(camera=CAMERA))
PICTURE = CameraPicture(t_ns=0, width=64, height=48)
MS = 1_000_000


def picture(data: bytes | None = None, **header: object) -> bytes:
    fields = {"t_ns": 0, "width": 64, "height": 48} | header
    return encode_media(CameraPicture(**fields), jpeg() if data is None else data)  # type: ignore[arg-type]


# the moment

clocks = st.builds(
    Reading, st.integers(-(10**15), 10**15), st.integers(0, 10**9), st.just(0), st.just(0)
)


@given(clocks, st.integers(0, 10**10), st.integers(10**11, 10**15), st.data())
def test_the_true_moment_lies_within_the_bound(
    clock: Reading, age_ns: int, now_ns: int, data: st.DataObject
) -> None:
    """Whatever the robot's clock really is, as far as its reading leaves that open."""
    error_ns = clock.error_at(now_ns)
    off = data.draw(st.integers(-error_ns, error_ns))
    taken_ns = now_ns - age_ns
    found = moment(clock.robot_time(taken_ns) + off, clock, now_ns)
    assert not found.by_arrival
    assert found.taken_ns <= now_ns
    assert abs(found.taken_ns - max(0, taken_ns)) <= found.error_ms * MS + 1_000


def test_without_a_reading_the_arrival_counts_and_it_is_said() -> None:
    assert moment(77, None, 5_000) == (5_000, 0.0, True)


def test_a_picture_from_the_future_counts_from_its_arrival() -> None:
    clock = Reading(offset_ns=0, error_ns=MS, rtt_ns=2 * MS, at_ns=10**9)
    assert moment(10**9 + 2 * MS, clock, 10**9).by_arrival
    assert moment(10**9 + MS // 2, clock, 10**9) == (10**9, 1.0, False)


@pytest.mark.parametrize("t_ns", [-(2**63), 2**64 - 1])
def test_no_moment_leaves_the_range_of_the_bus(t_ns: int) -> None:
    clock = Reading(offset_ns=2**62, error_ns=0, rtt_ns=0, at_ns=0)
    assert 0 <= moment(t_ns, clock, 10**9).taken_ns <= 10**9


# the bounds


def test_a_picture_that_is_what_it_says_passes() -> None:
    check_picture(PICTURE, jpeg(), CAMERA)


@pytest.mark.parametrize(
    ("header", "data", "camera"),
    [
        (PICTURE, jpeg(), None),
        (CameraPicture(t_ns=0, width=64, height=48, media_type="image/png"), jpeg(), CAMERA),
        (PICTURE, b"\x89PNG\r\n", CAMERA),
        (PICTURE, b"", CAMERA),
        (PICTURE, jpeg(48, 64), CAMERA),
    ],
)
def test_a_picture_that_is_not_what_was_said_is_refused(
    header: CameraPicture, data: bytes, camera: Camera | None
) -> None:
    with pytest.raises(BadPicture):
        check_picture(header, data, camera)


def test_a_bomb_is_refused_by_its_header_alone() -> None:
    for width, height in ((13_000, 13_000), (MAX_SIDE + 1, 1), (1, MAX_SIDE + 1)):
        header = CameraPicture(t_ns=0, width=width, height=height)
        with pytest.raises(PictureTooLarge):
            check_picture(header, claimed(width, height, 20_000), CAMERA)


@given(st.lists(st.integers(0, 400), min_size=1, max_size=300))
def test_never_more_than_the_rate_and_a_second_of_credit_gets_through(gaps_ms: list[int]) -> None:
    counters, passed = Counters(), 0
    now_ns = start_ns = 10**12

    def deliver(*_: object) -> None:
        nonlocal passed
        passed += 1

    intake = CameraIntake(CAMERA, deliver, counters, now_ns / 1e9)
    answered = 0
    for gap_ms in gaps_ms:
        now_ns += gap_ms * MS
        try:
            intake.feed(PICTURE, jpeg(), None, now_ns)
        except BadPicture:
            answered += 1
    dropped = counters.read().get("camera_pictures.over_rate", 0)
    assert passed + dropped == len(gaps_ms)
    assert answered == (dropped > 0)
    assert passed <= MAX_PER_SECOND * (1 + 1.05 * (now_ns - start_ns) / 1e9) + 1


def test_a_camera_of_the_allowed_rate_loses_nothing() -> None:
    counters, got = Counters(), []
    intake = CameraIntake(CAMERA, lambda *what: got.append(what), counters, 1_000.0)
    for number in range(300):
        intake.feed(PICTURE, jpeg(), None, 10**12 + number * 10**9 // MAX_PER_SECOND)
    assert len(got) == 300
    assert counters.read() == {"camera_pictures.by_arrival": 300}


# over a real socket


async def asked_for_the_time(socket: ClientConnection) -> int:
    """The hub's time by its first ping."""
    async with asyncio.timeout(2):
        while True:
            ping = json.loads(await socket.recv())
            if ping["type"] == "ping":
                return int(ping["t0_ns"])


async def test_a_picture_reaches_the_session_with_the_hubs_time_and_its_bound(edge: Edge) -> None:
    ahead_ns = 3_600 * 10**9
    async with connect(edge.ws("/robot?robot_id=r1")) as socket:
        await greet(socket, SEEING)
        session = await edge.sessions.newest()
        t0_ns = await asked_for_the_time(socket)
        await socket.send(picture(t_ns=t0_ns + ahead_ns))
        await session.until(lambda s: len(s.pictures) == 1)
        here_ns = t0_ns + ahead_ns
        await socket.send(encode_text(Pong(t0_ns=t0_ns, t1_ns=here_ns, t2_ns=here_ns)))
        await socket.send(picture(t_ns=here_ns))
        await session.until(lambda s: len(s.pictures) == 2)
        (unknown, _, _), (known, data, taken_ns) = session.pictures
        assert unknown.by_arrival
        assert data == jpeg()
        assert (known.width, known.height, known.by_arrival) == (64, 48, False)
        assert abs(taken_ns - t0_ns) <= known.error_ms * MS + 1_000


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        (picture(b"no jpeg"), "bad_picture"),
        (picture(width=65), "bad_picture"),
        (picture(media_type="image/png"), "bad_picture"),
        (picture(claimed(13_000, 13_000), width=13_000, height=13_000), "picture_too_large"),
        (picture(bytes(MAX_PICTURE_BYTES + 1)), "picture_too_large"),
    ],
)
async def test_a_faulty_picture_is_answered_counted_and_never_punished(
    edge: Edge, frame: bytes, code: str
) -> None:
    async with connect(edge.ws("/robot?robot_id=r1")) as socket:
        await greet(socket, SEEING)
        session = await edge.sessions.newest()
        times = MAX_STRIKES + 1 if code == "picture_too_large" and len(frame) > 20_000 else 10
        for _ in range(times):
            await socket.send(frame)
            answer = await told(socket)
            assert (answer["type"], answer["code"]) == ("error", code)
        await socket.send(picture())
        await session.until(lambda s: s.pictures)
    assert edge.counters.read()[f"frames_refused.{code}"] == times


async def test_a_robot_without_a_camera_is_told_so(edge: Edge) -> None:
    async with connect(edge.ws("/robot?robot_id=r1")) as socket:
        await greet(socket)
        await socket.send(picture())
        assert (await told(socket))["code"] == "bad_picture"


async def test_pictures_beyond_the_rate_are_dropped_counted_and_answered_once(edge: Edge) -> None:
    async with connect(edge.ws("/robot?robot_id=r1")) as socket:
        await greet(socket, SEEING)
        session = await edge.sessions.newest()
        for _ in range(60):
            await socket.send(picture())
        await socket.send(mic(0))
        assert (await told(socket))["code"] == "too_many_pictures"
        await session.until(lambda s: s.mic)
        dropped = edge.counters.read()["camera_pictures.over_rate"]
        assert dropped + len(session.pictures) == 60
        assert MAX_PER_SECOND <= len(session.pictures) < 40


async def test_sound_around_the_largest_picture_comes_whole_and_in_order(edge: Edge) -> None:
    largest = jpeg().ljust(MAX_PICTURE_BYTES, b"\0")
    async with (
        connect(edge.ws("/robot?robot_id=r1")) as socket,
        connect(edge.ws("/robot?robot_id=r2")) as other,
    ):
        await greet(socket, SEEING)
        session = await edge.sessions.newest()
        await greet(other)
        neighbour = await edge.sessions.newest()
        for number in range(5):
            await socket.send(mic(640 * number))
            await socket.send(picture(largest))
            await socket.send(mic(640 * number + 320))
            await other.send(encode_media(MicFrame(first_sample=320 * number), PCM_20_MS))
        await session.until(lambda s: len(s.mic) == 10 and len(s.pictures) == 5)
        await neighbour.until(lambda s: len(s.mic) == 5)
        assert [first for first, _, _ in session.mic] == [320 * n for n in range(10)]
        assert all(data == largest for _, data, _ in session.pictures)


async def test_a_picture_above_two_mebibytes_closes_with_1009(edge: Edge) -> None:
    async with connect(edge.ws("/robot?robot_id=r1")) as socket:
        await greet(socket, SEEING)
        await socket.send(picture(bytes(3 * 1024 * 1024)))
        assert (await closed(socket))[0] == 1009


def test_the_clock_of_a_connection_maps_its_pictures() -> None:
    """From four timestamps to a moment, with ways of unequal length."""
    clock = ClockFilter()
    clock.add(t0=1_000 * MS, t1=9_030 * MS, t2=9_030 * MS, t3=1_040 * MS)
    found = moment(9_000 * MS, clock.reading, 1_100 * MS)
    assert found.taken_ns == 990 * MS
    assert 20 <= found.error_ms < 20.1

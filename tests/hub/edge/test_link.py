"""Links over a socket that is a list: what waits, what overtakes, what is taken back."""

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor

from hub.counters import Counters
from hub.edge.converse_ws import ConverseLink
from hub.edge.outbox import Outbox
from hub.edge.robot_link import NativeLink
from hub.edge.wire import SEND_DEADLINE_S, WireLink
from protocols.codecs.robot import decode_media, decode_to_robot
from protocols.messages.robot import Action, Codec, Error, Flush, Hello, SpeechFrame, TurnEnd
from protocols.messages.turn import Outcome
from tests.fakes.wire import FakeWire
from tests.virtual_time import START_S, clock_ns, settle, stand_still, virtual


def frame_of(turn: int, first_sample: int = 0) -> SpeechFrame:
    return SpeechFrame(epoch=1, turn=turn, first_sample=first_sample, samples=160)


def native(
    wire: FakeWire, counters: Counters | None = None, codec: Codec = Codec.PCM
) -> NativeLink:
    threads = ThreadPoolExecutor(1)
    link = NativeLink(wire, counters or Counters(), "r1", Hello(codec=codec), threads)
    wire.on_flow = link.on_flow
    return link


def kinds(wire: FakeWire) -> list[str]:
    return [
        "speech" if isinstance(frame, bytes) else json.loads(frame)["type"] for frame in wire.frames
    ]


@virtual
async def test_what_the_socket_takes_leaves_in_the_call_that_sends_it() -> None:
    wire = FakeWire()
    native(wire).send(Error(code="a", message="b"))
    assert kinds(wire) == ["error"]


@virtual
async def test_control_overtakes_speech_that_waits() -> None:
    wire = FakeWire()
    link = native(wire)
    wire.stall()
    link.send_speech(frame_of(1), bytes(320))
    link.send(Flush(epoch=1, turn=1))
    assert wire.frames == []
    wire.flow()
    assert kinds(wire) == ["flush", "speech"]


@virtual
async def test_speech_of_a_cut_turn_is_taken_back_before_it_leaves() -> None:
    wire, counters = FakeWire(), Counters()
    link = native(wire, counters)
    wire.stall()
    for turn in (1, 2, 3):
        link.send_speech(frame_of(turn), bytes(320))
    link.drop_speech(2)
    wire.flow()
    (frame,) = wire.frames
    assert isinstance(frame, bytes)
    header, _ = decode_media(frame)
    assert isinstance(header, SpeechFrame)
    assert header.turn == 3
    assert counters.read() == {"speech_frames.fenced": 2}


@virtual
async def test_opus_frames_still_in_the_encoder_are_fenced_as_well() -> None:
    wire, counters = FakeWire(), Counters()
    link = native(wire, counters, Codec.OPUS)
    link.send_speech(frame_of(1), bytes(320))
    link.send_speech(frame_of(2), bytes(320))
    link.drop_speech(1)
    await settle()
    (frame,) = wire.frames
    assert isinstance(frame, bytes)
    header, _ = decode_media(frame)
    assert (header.turn, header.codec) == (2, Codec.OPUS)  # type: ignore[union-attr]
    assert counters.read()["speech_frames.fenced"] == 1


@virtual
async def test_the_legacy_wire_keeps_its_order_while_the_socket_is_full() -> None:
    wire = FakeWire()
    link = ConverseLink(wire, Counters(), "r1")
    wire.on_flow = link.on_flow
    wire.stall()
    link.send_speech(frame_of(1), bytes(320))
    link.send(TurnEnd(turn=1, outcome=Outcome.DONE))
    wire.flow()
    assert kinds(wire) == ["first_audio", "audio", "done", "listening"]


@virtual
async def test_taking_back_speech_leaves_the_legacy_wires_control_alone() -> None:
    wire = FakeWire()
    link = ConverseLink(wire, Counters(), "r1")
    wire.on_flow = link.on_flow
    wire.stall()
    link.send_speech(frame_of(1), bytes(320))
    link.send(TurnEnd(turn=1, outcome=Outcome.CANCELLED))
    link.drop_speech(1)
    wire.flow()
    assert kinds(wire) == ["done", "listening"]


@virtual
async def test_a_peer_that_takes_nothing_for_five_seconds_is_cut() -> None:
    wire, counters = FakeWire(), Counters()
    link = WireLink(wire, counters, "r1", in_order=False)
    wire.on_flow = link.on_flow
    wire.stall()
    await asyncio.sleep(SEND_DEADLINE_S - 0.01)
    assert counters.read() == {}
    await asyncio.sleep(0.02)
    assert wire.closed == (4009, "slow_consumer")
    assert counters.read() == {"slow_consumer.deadline": 1}


@virtual
async def test_a_peer_that_takes_something_in_time_is_not_cut() -> None:
    wire = FakeWire()
    link = WireLink(wire, Counters(), "r1", in_order=False)
    wire.on_flow = link.on_flow
    for _ in range(3):
        wire.stall()
        await asyncio.sleep(SEND_DEADLINE_S - 0.01)
        wire.flow()
    await asyncio.sleep(60)
    link.write_control("go on")
    assert wire.frames == ["go on"]


@virtual
async def test_the_last_control_frames_leave_before_the_close_and_nothing_after() -> None:
    wire = FakeWire()
    link = native(wire)
    wire.stall()
    link.send(Error(code="a", message="b"))
    link.send_speech(frame_of(1), bytes(320))
    link.close(4001, "replaced_by_newer_session")
    link.close(4000, "again")
    link.send(Error(code="too", message="late"))
    wire.flow()
    assert kinds(wire) == ["error"]
    assert wire.closed == (4001, "replaced_by_newer_session")


@virtual
async def test_control_beyond_its_bound_cuts_the_peer_with_its_name() -> None:
    wire, counters = FakeWire(), Counters()
    link = native(wire, counters)
    wire.stall()
    for _ in range(200):
        link.send(Error(code="x", message="y" * 500))
    assert wire.closed == (4009, "slow_consumer")
    assert counters.read()["slow_consumer.control"] == 1


@virtual
async def test_a_peer_that_reads_a_trickle_is_cut_by_what_waits_for_it() -> None:
    wire, counters = FakeWire(), Counters()
    link = native(wire, counters)
    wire.stall()
    for _ in range(100):
        await asyncio.sleep(SEND_DEADLINE_S - 0.1)
        if wire.closed:
            break
        for _ in range(50):
            link.send(Error(code="x", message="y" * 500))
        if not wire.closed:
            wire.flow()
            wire.stall()
    assert wire.closed == (4009, "slow_consumer")
    assert counters.read() == {"slow_consumer.control": 1}


@virtual
async def test_a_hub_that_stood_still_cuts_nobody_for_it() -> None:
    wire, counters = FakeWire(), Counters()
    link = WireLink(wire, counters, "r1", in_order=False)
    wire.on_flow = link.on_flow
    wire.stall()
    stand_still(SEND_DEADLINE_S + 2)
    await asyncio.sleep(SEND_DEADLINE_S - 0.01)
    assert wire.closed is None
    await asyncio.sleep(0.02)
    assert wire.closed == (4009, "slow_consumer")


@virtual
async def test_what_waited_leaves_bit_by_bit_so_that_control_still_overtakes_it() -> None:
    wire = FakeWire()
    link = native(wire)
    wire.stall()
    for n in range(100):
        link.send_speech(frame_of(1, 160 * n), bytes(320))
    wire.flow()
    assert 0 < len(wire.frames) < 100
    link.send(Flush(epoch=1, turn=1))
    link.drop_speech(1)
    await settle()
    assert kinds(wire).index("flush") == len(wire.frames) - 1 < 100


@virtual
async def test_an_action_that_waits_for_the_socket_loses_what_it_waited() -> None:
    wire = FakeWire()
    link = NativeLink(wire, Counters(), "r1", Hello(), ThreadPoolExecutor(1), clock_ns)
    wire.on_flow = link.on_flow
    link.clock.add(clock_ns(), 10**9, 10**9, clock_ns() + 2_000_000)
    wire.stall()
    sent_ns = clock_ns()
    link.send(action(ttl_ms=2_000))
    await asyncio.sleep(1.5)
    wire.flow()
    (frame,) = wire.frames
    assert isinstance(frame, str)
    left = decode_to_robot(frame)
    assert isinstance(left, Action)
    assert left.ttl_ms == 500
    shows_ns = sent_ns - round(START_S * 1e9) + 10**9  # the robot's clock at that moment
    assert -2_400_000 < left.expires_ns - (shows_ns + 2_000_000_000) < 0


@virtual
async def test_an_action_that_expired_while_it_waited_is_not_sent() -> None:
    wire, counters = FakeWire(), Counters()
    link = NativeLink(wire, counters, "r1", Hello(), ThreadPoolExecutor(1), clock_ns)
    wire.on_flow = link.on_flow
    wire.stall()
    link.send(action(ttl_ms=2_000))
    link.send(Error(code="a", message="b"))
    await asyncio.sleep(2.0)
    wire.flow()
    assert kinds(wire) == ["error"]
    assert counters.read() == {"actions.expired": 1}


def action(ttl_ms: int) -> Action:
    return Action(id="a1", epoch=1, turn=1, action="gesture", name="nod", ttl_ms=ttl_ms)


def test_an_outbox_knows_its_bounds() -> None:
    box = Outbox(control_bound=10, speech_bound=20)
    assert box.put_control("x" * 10)
    assert not box.put_control("x")
    assert box.put_speech(1, b"y" * 20)
    assert not box.put_speech(2, b"y")
    assert box.drop_speech(1) == 1
    assert box.put_speech(2, b"y" * 19)
    assert [box.pop() for _ in range(5)] == ["x" * 10, "x", b"y", b"y" * 19, None]
    assert box.put_speech(3, b"y" * 20)

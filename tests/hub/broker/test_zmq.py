"""What the ZeroMQ engine promises beyond the conformance suite: bad frames, bad peers, restarts."""

import asyncio
import time
from pathlib import Path

import msgpack
import pytest
import uvloop

from agents.runtime.bus import sockets as agent_sockets
from agents.runtime.bus.zmq import ZmqAgentBus
from hub.broker import sockets as hub_sockets
from hub.broker.ledger import Ledger
from hub.broker.zmq import ZmqHubBus
from protocols.codecs.bus import encode
from protocols.codecs.link import Ack, Command, Fact, Rejected
from protocols.envelope import AnyEnvelope, Envelope, Message
from protocols.errors import BusError, PeerOverrun
from protocols.link import ROBOT_BYTES
from protocols.messages.agent import AgentDrain, AgentHeartbeat, AgentHello, AgentKind
from protocols.messages.audio import MicChunk, SpeechChunk
from protocols.messages.face import AffectChanged
from protocols.messages.voice import VoiceStarted
from protocols.qos import MAX_MEDIA_BYTES
from protocols.routes import first_id
from tests.contracts.bus_engines import (
    SWIFT,
    Heard,
    LinkLog,
    PeerLog,
    ZmqEngine,
    opened,
)
from tests.hub.broker.raw_peer import LoopInThread, RawPeer

NAME = "ears-primary-1"


@pytest.fixture
def engine(tmp_path: Path) -> ZmqEngine:
    return ZmqEngine(tmp_path)


def about(robot: str, body: Message) -> AnyEnvelope:
    return Envelope(robot=robot, body=body)


def started(number: int) -> VoiceStarted:
    return VoiceStarted(utterance=number, first_sample=number)


def numbered(number: int, body: Message) -> tuple[bytes, bytes]:
    return encode(Envelope(id=number, robot="robot1", src="somebody-else", body=body))[:2]


def repeat(bus: ZmqAgentBus, fact: AnyEnvelope, times: int) -> None:
    for _ in range(times):
        bus.publish(fact)


async def test_a_fact_that_comes_again_on_a_new_link_is_accepted_once(engine: ZmqEngine) -> None:
    hub, acted = engine.hub(), Heard()
    hub.subscribe(VoiceStarted, acted)
    async with opened(hub):
        async with RawPeer(engine.directory, NAME, incarnation=5, link="a") as first:
            await first.send(Fact(1), *numbered(2, started(1)))
            assert (await first.expect(Ack)).seq == 1
        async with RawPeer(engine.directory, NAME, incarnation=5, link="b") as again:
            await again.send(Fact(1), *numbered(2, started(1)))
            await again.send(Fact(2), *numbered(3, started(2)))
            await acted.count(2)
    assert acted.bodies == [started(1), started(2)]
    assert [e.order for e in acted.envelopes] == [1, 2]
    assert hub.counters.duplicates >= 1


async def test_another_process_under_the_same_name_counts_anew(engine: ZmqEngine) -> None:
    hub, acted = engine.hub(), Heard()
    hub.subscribe(VoiceStarted, acted)
    async with opened(hub):
        for incarnation in (5, 6):
            async with RawPeer(engine.directory, NAME, incarnation, link=str(incarnation)) as peer:
                await peer.send(Fact(1), *numbered(2, started(incarnation)))
                await peer.expect(Ack)
    assert acted.bodies == [started(5), started(6)]


async def test_the_source_of_a_fact_is_its_link_whatever_it_claims(engine: ZmqEngine) -> None:
    hub, acted = engine.hub(), Heard()
    hub.subscribe(VoiceStarted, acted)
    async with opened(hub), RawPeer(engine.directory, NAME, 5, link="a") as peer:
        await peer.send(Fact(1), *numbered(2, started(1)))
        await acted.count(1)
    assert acted.envelopes[0].src == NAME


async def test_bad_control_frames_are_counted_and_the_next_good_one_arrives(
    engine: ZmqEngine,
) -> None:
    hub, acted = engine.hub(), Heard()
    hub.subscribe(VoiceStarted, acted)
    async with opened(hub), RawPeer(engine.directory, NAME, 5, link="a") as peer:
        topic, header = numbered(2, started(1))
        await peer.send_raw(b"\xc1 no link frame")
        await peer.send_raw(b"")
        await peer.send(Fact(1), topic)
        await peer.send(Fact(2), b"voice.whispered/robot1/", header)
        await peer.send(Fact(3), topic, b"\xc1")
        await peer.send(Fact(4), b"voice.started/robot10/", header)
        future = msgpack.packb({"v": 99, "robot": "robot1", "body": {"type": "voice.started"}})
        await peer.send(Fact(5), topic, future)
        await peer.send(Fact(6), *numbered(2, AgentDrain()))
        await peer.send(Fact(7), *numbered(3, started(1)))
        await acted.count(1)
    assert acted.bodies == [started(1)]
    refused = hub.counters.refused
    assert refused["unknown_topic"] == 1
    assert refused["unknown_version"] == 1
    assert refused["malformed_frame"] == 6


async def test_bad_media_frames_are_counted_and_the_next_good_one_arrives(
    engine: ZmqEngine,
) -> None:
    hub, heard = engine.hub(), Heard()
    hub.subscribe(SpeechChunk, heard)
    chunk = SpeechChunk(phrase=0, first_sample=0, rate_hz=16_000)
    async with opened(hub), RawPeer(engine.directory, NAME, 5, link="a") as peer:
        topic, header = numbered(2, chunk)
        for frames in (
            (topic,),
            (topic, header),
            (topic, header, b"", b""),
            (topic, b"\xc1", b""),
            (b"speech.chunk/robot2/", header, b""),
            (b"speech.chunk/", header, b""),
            (topic, header, bytes(MAX_MEDIA_BYTES)),
            (topic, header, b"good"),
        ):
            await peer.pub.send_multipart(frames)
        await heard.count(1)
    assert heard.blobs == [b"good"]
    refused = hub.counters.refused
    assert refused == {"malformed_frame": 5, "unknown_topic": 1, "frame_too_large": 1}


async def test_a_peer_that_acknowledges_nothing_is_disconnected_by_name(engine: ZmqEngine) -> None:
    hub = engine.hub()
    log = PeerLog(hub)
    async with opened(hub):
        async with RawPeer(engine.directory, NAME, 5, link="a") as peer:
            await log.next("joined", NAME)
            hub.send(NAME, about("robot1", AgentDrain(reason="1")))
            await peer.expect(Command)
            left = await log.next("left", NAME)
            assert (await peer.expect(Rejected)).reason == left[2]
        assert hub.peers == ()


async def test_a_command_without_an_acknowledgement_is_sent_again(engine: ZmqEngine) -> None:
    hub = engine.hub()
    log = PeerLog(hub)
    async with opened(hub), RawPeer(engine.directory, NAME, 5, link="a") as peer:
        await log.next("joined", NAME)
        hub.send(NAME, about("robot1", AgentDrain()))
        assert await peer.expect(Command) == Command(1)
        assert await peer.expect(Command) == Command(1)
        await peer.send(Ack(1))
        await hub.drain()
        assert hub.peers == (NAME,)


async def test_a_quiet_link_stays_up(engine: ZmqEngine) -> None:
    hub, ears = engine.hub(), engine.agent(NAME)
    link = LinkLog(ears)
    async with opened(hub, ears):
        await asyncio.sleep(2 * SWIFT.silence_s)
        assert (link.ups, link.downs, hub.peers) == (1, [], (NAME,))


async def test_who_hung_itself_blames_nobody_for_the_silence(engine: ZmqEngine) -> None:
    hub, ears = engine.hub(), engine.agent(NAME)
    log, link = PeerLog(hub), LinkLog(ears)
    async with opened(hub, ears):
        await log.next("joined", NAME)
        loop = asyncio.get_running_loop()
        hub._control.tick(loop.time() + 0.9 * SWIFT.silence_s)
        ears._link.tick(loop.time() + 60.0)
        assert (hub.peers, log.events, link.downs) == ((NAME,), [], [])


async def test_a_hub_that_was_away_for_long_knows_that_its_peers_have_given_it_up(
    engine: ZmqEngine,
) -> None:
    hub, ears = engine.hub(), engine.agent(NAME)
    log, link = PeerLog(hub), LinkLog(ears)
    async with opened(hub, ears):
        await log.next("joined", NAME)
        hub._control.tick(asyncio.get_running_loop().time() + 60.0)
        assert hub.peers == ()
        left = await log.next("left", NAME)
        await log.next("joined", NAME)
        await link.until(lambda: link.ups == 2)
    assert left[2].startswith("the hub was away for 60")
    assert link.downs == [left[2]]


async def test_a_peer_that_owes_too_much_is_disconnected_by_name(engine: ZmqEngine) -> None:
    hub = engine.hub()
    log = PeerLog(hub)
    order = about("robot1", AgentDrain(reason="x" * 1024))
    async with opened(hub), RawPeer(engine.directory, NAME, 5, link="a") as peer:
        await log.next("joined", NAME)
        for _ in range(ROBOT_BYTES // 1024 + 1):
            hub.send(NAME, order)
        left = await log.next("left", NAME)
        assert left[2].startswith("overrun")
        await peer.expect(Rejected)


async def test_an_agent_whose_loop_hangs_is_given_up_and_comes_back(engine: ZmqEngine) -> None:
    hub, other = engine.hub(), engine.agent("stt-primary-2", AgentKind.STT)
    log, heard = PeerLog(hub), Heard()
    other.serve(heard)
    async with opened(hub, other), LoopInThread(engine.agent(NAME)) as ears:
        await log.next("joined", NAME)
        ears.stall()
        left = await log.next("left", NAME)
        assert "silent" in left[2]
        hub.send("stt-primary-2", about("robot1", AgentDrain()))
        await heard.count(1)
        ears.resume()
        await log.next("joined", NAME)


async def test_an_agent_notices_a_hub_that_hangs(engine: ZmqEngine) -> None:
    ears = engine.agent(NAME)
    link = LinkLog(ears)
    async with LoopInThread(engine.hub()) as hub, opened(ears):
        hub.stall()
        await link.until(lambda: link.downs != [])
        assert "silent" in link.downs[0]
        hub.resume()
        await link.until(lambda: link.ups == 2)


async def test_media_beyond_the_bound_is_lost_by_count_and_control_is_not(
    engine: ZmqEngine,
) -> None:
    hub = ZmqHubBus(engine.directory, 1, clock=time.monotonic_ns, media_high_water=64, timing=SWIFT)
    ears = ZmqAgentBus(
        engine.directory, NAME, AgentHello(kind=AgentKind.EARS), media_high_water=64, timing=SWIFT
    )
    media: list[int] = []
    ears.subscribe(MicChunk, lambda envelope, blob: media.append(envelope.seq))
    commanded = asyncio.Event()
    loop = asyncio.get_running_loop()

    def serve(envelope: AnyEnvelope, blob: bytes) -> None:
        loop.call_soon_threadsafe(commanded.set)

    ears.serve(serve)
    async with opened(hub), LoopInThread(ears) as thread:
        thread.stall()
        for i in range(5000):
            hub.publish(about("robot1", MicChunk(first_sample=i)), bytes(640))
        hub.send(NAME, about("robot1", AgentDrain()))
        thread.resume()
        await commanded.wait()
        while ears.counters.lost.get("mic.chunk", 0) == 0:
            hub.publish(about("robot1", MicChunk(first_sample=0)))
            await asyncio.sleep(0.001)
    seen, lost = len(media), ears.counters.lost["mic.chunk"]
    assert media == sorted(set(media))
    assert seen + lost == media[-1] - media[0] + 1


async def test_facts_survive_a_restart_of_the_hubs_sockets(engine: ZmqEngine) -> None:
    ledger, acted = Ledger(1), Heard()
    ears = engine.agent(NAME)
    link = LinkLog(ears)
    for run in range(3):
        hub = engine.hub(ledger=ledger)
        hub.subscribe(VoiceStarted, acted)
        async with opened(hub):
            if run == 0:
                await ears.open()
            await link.until(lambda run=run: link.ups == run + 1)  # type: ignore[misc]
            ears.publish(about("robot1", started(2 * run)))
            if run == 1:
                await ears.drain()
        await link.until(lambda run=run: len(link.downs) == run + 1)  # type: ignore[misc]
        ears.publish(about("robot1", started(2 * run + 1)))
    async with opened(hub := engine.hub(ledger=ledger)):
        hub.subscribe(VoiceStarted, acted)
        await ears.drain()
        await ears.close()
    assert acted.bodies == [started(i) for i in range(6)]
    assert [e.order for e in acted.envelopes] == list(range(1, 7))


async def test_facts_for_a_hub_that_is_no_more_are_dropped_by_count(engine: ZmqEngine) -> None:
    ears, acted = engine.agent(NAME), Heard()
    link = LinkLog(ears)
    async with opened(engine.hub(boot=1)):
        await ears.open()
    await link.until(lambda: link.downs != [])
    ears.publish(about("robot1", started(1)))
    async with opened(hub := engine.hub(boot=2)):
        hub.subscribe(VoiceStarted, acted)
        await link.until(lambda: link.ups == 2)
        ears.publish(about("robot1", started(2)))
        await acted.count(1)
        await ears.close()
    assert acted.bodies == [started(2)]
    assert ears.counters.dropped == {"control": 1}


async def test_an_agent_that_says_more_than_the_hub_takes_gives_its_link_up(
    engine: ZmqEngine,
) -> None:
    hub, ears = engine.hub(), engine.agent(NAME)
    log, link = PeerLog(hub), LinkLog(ears)
    fact = about("robot1", AffectChanged(emotion="x" * 1024, intensity=1.0))
    async with opened(hub, ears):
        with pytest.raises(PeerOverrun):
            repeat(ears, fact, ROBOT_BYTES // 1024 + 1)
        await link.until(lambda: link.downs != [])
        assert link.downs[0].startswith("overrun")
        await log.next("left", NAME)
        await log.next("joined", NAME)


async def test_telemetry_is_dropped_by_count_while_there_is_no_hub(engine: ZmqEngine) -> None:
    ears = engine.agent(NAME)
    link = LinkLog(ears)
    async with opened(engine.hub()):
        await ears.open()
    await link.until(lambda: link.downs != [])
    ears.publish(about("", AgentHeartbeat()))
    await ears.close()
    assert ears.counters.dropped == {"agent.heartbeat": 1}


async def test_an_observer_that_missed_facts_recovers_them(engine: ZmqEngine) -> None:
    ledger, seen, screen = Ledger(1), Heard(), engine.observer("screen")
    link = LinkLog(screen)
    screen.subscribe(VoiceStarted, seen)
    async with opened(hub := engine.hub(ledger=ledger)):
        await screen.open()
        hub.publish(about("robot1", started(1)))
        await seen.count(1)
    await link.until(lambda: link.downs != [])
    newer = first_id("hub") + 1_000
    missed: AnyEnvelope = Envelope(robot="robot1", id=newer, src="hub", body=started(2))
    assert ledger.accept(missed, 100, 1)
    async with opened(hub := engine.hub(ledger=ledger)):
        await link.until(lambda: link.ups == 2)
        await seen.count(2)
        hub.publish(about("robot1", started(3)))
        await seen.count(3)
        await screen.close()
    assert seen.bodies == [started(1), started(2), started(3)]


async def test_facts_that_may_not_be_are_refused_by_count(engine: ZmqEngine) -> None:
    hub = ZmqHubBus(
        engine.directory,
        1,
        clock=time.monotonic_ns,
        timing=SWIFT,
        authorise=lambda peer, envelope: envelope.robot != "robot2",
    )
    ears, acted = engine.agent(NAME), Heard()
    hub.subscribe(VoiceStarted, acted)
    async with opened(hub, ears):
        ears.publish(about("robot2", started(1)))
        ears.publish(about("robot1", started(2)))
        await acted.count(1)
    assert acted.robots == ["robot1"]
    assert hub.counters.refused == {"forbidden": 1}


async def test_the_sockets_of_a_dead_hub_are_in_nobodys_way(engine: ZmqEngine) -> None:
    engine.directory.mkdir(mode=0o755)
    for name in ("media-in", "media-out", "hub-in", "hub-out", "control", "events"):
        (engine.directory / name).write_bytes(b"")
    async with opened(engine.hub(), engine.agent(NAME)):
        assert engine.directory.stat().st_mode & 0o777 == 0o700


async def test_a_directory_that_cannot_hold_sockets_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    bus = ZmqHubBus(tmp_path / "file" / "bus", 1, clock=time.monotonic_ns)
    with pytest.raises(BusError, match="cannot open the bus in"):
        await bus.open()


async def test_a_path_too_long_for_sockets_is_one_clear_error(tmp_path: Path) -> None:
    directory = tmp_path / ("x" * 100)
    for bus in (
        ZmqHubBus(directory, 1, clock=time.monotonic_ns),
        ZmqAgentBus(directory, NAME, AgentHello(kind=AgentKind.EARS)),
    ):
        with pytest.raises(BusError, match=r"too long|longer than"):
            await bus.open()


def test_the_bus_runs_on_uvloop_too(engine: ZmqEngine) -> None:
    async def converse() -> list[object]:
        hub, ears, acted, media = engine.hub(), engine.agent(NAME), Heard(), Heard()
        hub.subscribe(VoiceStarted, acted)
        ears.subscribe(MicChunk, media)
        async with opened(hub, ears):
            hub.publish(about("robot1", MicChunk(first_sample=1)))
            await media.count(1)
            ears.publish(about("robot1", started(1)))
            await acted.count(1)
        return acted.bodies

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        assert runner.run(converse()) == [started(1)]


def test_hub_and_agents_hold_the_same_socket_code() -> None:
    ours, theirs = Path(hub_sockets.__file__), Path(agent_sockets.__file__)
    assert ours.read_text() == theirs.read_text()

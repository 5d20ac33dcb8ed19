"""What every engine of the bus promises (``protocols/bus.py``)."""

import asyncio
from pathlib import Path

import pytest

from hub.broker.ledger import RING_MESSAGES
from protocols.bus import AgentBus, BusCounters, HubBus
from protocols.envelope import AnyEnvelope, Envelope, Message
from protocols.errors import BusError, FrameTooLarge, UnknownPeer
from protocols.messages.agent import AgentDrain, AgentHeartbeat
from protocols.messages.audio import MicChunk, SpeechChunk
from protocols.messages.face import AffectChanged, Conversation, FaceChanged
from protocols.messages.session import Attention, AttentionSet
from protocols.messages.voice import VoiceStarted
from protocols.qos import MAX_CONTROL_BYTES, MAX_MEDIA_BYTES
from tests.contracts.bus_engines import (
    PATIENCE_S,
    Engine,
    Heard,
    InprocEngine,
    LinkLog,
    PeerLog,
    ZmqEngine,
    opened,
)


@pytest.fixture(params=["inproc", "zmq"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Engine:
    return InprocEngine() if request.param == "inproc" else ZmqEngine(tmp_path)


def about(robot: str, body: Message) -> AnyEnvelope:
    return Envelope(robot=robot, body=body)


def started(number: int) -> VoiceStarted:
    return VoiceStarted(utterance=number, first_sample=number)


def face(emotion: str) -> FaceChanged:
    return FaceChanged(conversation=Conversation.IDLE, emotion=emotion)


async def test_media_of_one_source_arrives_in_order_with_its_bytes(engine: Engine) -> None:
    hub, ears, heard = engine.hub(), engine.agent("ears-primary-1"), Heard()
    ears.subscribe(MicChunk, heard)
    async with opened(hub, ears):
        for i in range(300):
            hub.publish(about("robot1", MicChunk(first_sample=i)), bytes([i % 256]) * 4)
        got = await heard.count(300)
    assert heard.bodies == [MicChunk(first_sample=i) for i in range(300)]
    assert heard.blobs == [bytes([i % 256]) * 4 for i in range(300)]
    assert [e.seq for e in got] == list(range(1, 301))
    assert {e.src for e in got} == {hub.name}
    assert len({e.id for e in got}) == 300
    assert ears.counters.lost == {}


async def test_a_subscription_to_robot1_never_hears_robot10(engine: Engine) -> None:
    hub, ears, one, every = engine.hub(), engine.agent("ears-primary-1"), Heard(), Heard()
    ears.subscribe(MicChunk, one, robot="robot1")
    ears.subscribe(SpeechChunk, every)
    async with opened(hub, ears):
        for robot in ("robot10", "robot1", "robot", "robot1"):
            hub.publish(about(robot, MicChunk(first_sample=0)))
        speech = SpeechChunk(phrase=0, first_sample=0, rate_hz=16_000)
        for robot in ("robot1", "robot10"):
            hub.publish(about(robot, speech))
        await every.count(2)
        await one.count(2)
    assert one.robots == ["robot1", "robot1"]
    assert every.robots == ["robot1", "robot10"]


async def test_each_handler_hears_the_robot_it_asked_for(engine: Engine) -> None:
    hub, ears, one, every = engine.hub(), engine.agent("ears-primary-1"), Heard(), Heard()
    acted_one, acted_every = Heard(), Heard()
    ears.subscribe(MicChunk, one, robot="robot1")
    ears.subscribe(MicChunk, every)
    hub.subscribe(VoiceStarted, acted_one, robot="robot1")
    hub.subscribe(VoiceStarted, acted_every)
    async with opened(hub, ears):
        for robot in ("robot10", "robot1"):
            hub.publish(about(robot, MicChunk(first_sample=0)))
            ears.publish(about(robot, started(1)))
        await every.count(2)
        await acted_every.count(2)
    assert one.robots == acted_one.robots == ["robot1"]
    assert every.robots == acted_every.robots == ["robot10", "robot1"]


async def test_agents_hear_each_other_on_the_media_lane(engine: Engine) -> None:
    hub, heard = engine.hub(), Heard()
    ears, stt = engine.agent("ears-primary-1"), engine.agent("stt-primary-2")
    stt.subscribe(MicChunk, heard)
    async with opened(hub, stt, ears):
        ears.publish(about("robot1", MicChunk(first_sample=7)), b"ab")
        got = await heard.count(1)
    assert got[0].src == "ears-primary-1"
    assert heard.blobs == [b"ab"]


async def test_what_was_unsubscribed_is_heard_no_more(engine: Engine) -> None:
    hub, ears, gone, kept = engine.hub(), engine.agent("ears-primary-1"), Heard(), Heard()
    ears.subscribe(MicChunk, gone)
    ears.subscribe(MicChunk, kept, robot="robot1")
    async with opened(hub, ears):
        hub.publish(about("robot1", MicChunk(first_sample=0)))
        await kept.count(1)
        ears.unsubscribe(MicChunk, gone)
        hub.publish(about("robot1", MicChunk(first_sample=1)))
        await kept.count(2)
    assert len(gone.envelopes) == 1


async def test_batch_work_is_done_after_the_messages_of_a_batch(engine: Engine) -> None:
    hub, ears, heard = engine.hub(), engine.agent("ears-primary-1"), Heard()
    ears.subscribe(MicChunk, heard)
    covered: list[int] = []
    ears.on_media_drained(lambda: covered.append(len(heard.envelopes)))
    async with opened(hub, ears):
        before = len(covered)
        for i in range(50):
            hub.publish(about("robot1", MicChunk(first_sample=i)))
        await heard.count(50)
        await ears.drain()
        await hub.drain()
        ears.publish(about("robot1", started(1)))
        await ears.drain()
    assert covered[-1] == 50
    assert len(covered) - before < 50, "one call per batch, not per message"


async def test_facts_reach_the_hub_then_its_observers_with_gapless_numbers(
    engine: Engine,
) -> None:
    hub, ears, screen = (
        engine.hub(boot=7),
        engine.agent("ears-primary-1"),
        engine.observer("screen"),
    )
    acted, seen = Heard(), Heard()
    hub.subscribe(VoiceStarted, acted)
    screen.subscribe(VoiceStarted, seen)
    async with opened(hub, ears, screen):
        for i in range(20):
            ears.publish(about(f"robot{i % 2}", started(i)))
        await seen.count(20)
    for heard in (acted, seen):
        assert heard.bodies == [started(i) for i in range(20)]
        for robot in ("robot0", "robot1"):
            numbers = [(e.boot, e.order) for e in heard.envelopes if e.robot == robot]
            assert numbers == [(7, n) for n in range(1, 11)]
        assert all(e.t_hub_ns > 0 and e.src == "ears-primary-1" for e in heard.envelopes)


async def test_the_hub_acts_on_a_fact_before_anybody_sees_it(engine: Engine) -> None:
    hub, ears, screen = engine.hub(), engine.agent("ears-primary-1"), engine.observer("screen")
    order: list[str] = []
    seen = Heard()
    screen.subscribe(VoiceStarted, lambda envelope, blob: order.append("seen"))
    screen.subscribe(AffectChanged, lambda envelope, blob: order.append("consequence seen"))
    screen.subscribe(AffectChanged, seen)

    def act(envelope: AnyEnvelope, blob: bytes) -> None:
        order.append("acted")
        # What the hub publishes while it acts has a later number than the fact that caused it.
        hub.publish(about("robot1", AffectChanged(emotion="happy", intensity=1.0)))

    hub.subscribe(VoiceStarted, act)
    async with opened(hub, ears, screen):
        ears.publish(about("robot1", started(1)))
        await seen.count(1)
        facts = await screen.replay("robot1", hub.boot, 0)
    assert order == ["acted", "seen", "consequence seen"]
    assert facts is not None
    assert [type(e.body) for e in facts] == [VoiceStarted, AffectChanged]


async def test_facts_of_the_hub_itself_share_the_sequence_of_their_robot(engine: Engine) -> None:
    hub, ears, screen = engine.hub(), engine.agent("ears-primary-1"), engine.observer("screen")
    seen, affect = Heard(), Heard()
    screen.subscribe(VoiceStarted, seen)
    screen.subscribe(AffectChanged, affect)
    async with opened(hub, ears, screen):
        ears.publish(about("robot1", started(1)))
        await seen.count(1)
        hub.publish(about("robot1", AffectChanged(emotion="happy", intensity=0.5)))
        got = await affect.count(1)
    assert [seen.envelopes[0].order, got[0].order] == [1, 2]


async def test_drain_returns_once_the_hub_has_every_fact(engine: Engine) -> None:
    hub, ears, acted = engine.hub(), engine.agent("ears-primary-1"), Heard()
    hub.subscribe(VoiceStarted, acted)
    async with opened(hub, ears):
        for i in range(100):
            ears.publish(about("robot1", started(i)))
        await ears.drain()
        assert len(acted.envelopes) == 100


async def test_a_command_goes_to_one_instance_and_in_order(engine: Engine) -> None:
    hub, first, second = engine.hub(), Heard(), Heard()
    one, two = engine.agent("ears-primary-1"), engine.agent("ears-primary-2")
    one.serve(first)
    two.serve(second)
    async with opened(hub, one, two):
        for i in range(50):
            hub.send("ears-primary-1", about("robot1", AgentDrain(reason=str(i))))
        hub.send("ears-primary-2", about("robot1", AttentionSet(attention=Attention.OPEN)))
        await first.count(50)
        await second.count(1)
        await hub.drain()
    assert first.bodies == [AgentDrain(reason=str(i)) for i in range(50)]
    assert second.bodies == [AttentionSet(attention=Attention.OPEN)]


async def test_one_command_may_be_as_large_as_its_lane_allows(engine: Engine) -> None:
    hub, ears, heard = engine.hub(), engine.agent("ears-primary-1"), Heard()
    ears.serve(heard)
    async with opened(hub, ears):
        hub.send("ears-primary-1", about("robot1", AgentDrain(reason="x" * 200_000)))
        await heard.count(1)


async def test_a_command_for_nobody_is_an_error(engine: Engine) -> None:
    hub = engine.hub()
    async with opened(hub):
        with pytest.raises(UnknownPeer):
            hub.send("ears-primary-1", about("robot1", AgentDrain()))


async def test_agents_are_seen_to_join_and_to_leave(engine: Engine) -> None:
    hub = engine.hub()
    log = PeerLog(hub)
    async with opened(hub):
        async with opened(engine.agent("ears-primary-1")):
            await log.next("joined", "ears-primary-1")
            assert list(hub.peers) == ["ears-primary-1"]
        await log.next("left", "ears-primary-1")
        assert list(hub.peers) == []


async def test_an_observer_is_no_peer_to_command(engine: Engine) -> None:
    hub, screen = engine.hub(), engine.observer("screen")
    log = PeerLog(hub)
    async with opened(hub, screen):
        with pytest.raises(UnknownPeer):
            hub.send("screen", about("robot1", AgentDrain()))
        assert hub.peers == ()
    assert log.events == []


async def test_a_late_joiner_gets_the_last_values_and_the_number_they_stand_at(
    engine: Engine,
) -> None:
    hub, screen = engine.hub(boot=3), engine.observer("screen")
    async with opened(hub):
        for emotion in ("sad", "happy"):
            hub.publish(about("robot1", face(emotion)))
        hub.publish(about("robot2", face("angry")))
        async with opened(screen):
            snapshot = await screen.snapshot("robot1")
            nothing = await screen.snapshot("robot9")
    assert (snapshot.boot, snapshot.order) == (3, 2)
    assert [v.body for v in snapshot.values] == [face("happy")]
    assert (nothing.boot, nothing.order, nothing.values) == (3, 0, ())


async def test_a_late_joiner_gets_the_facts_after_the_last_it_saw(engine: Engine) -> None:
    hub, screen = engine.hub(boot=3), engine.observer("screen")
    async with opened(hub):
        for emotion in ("sad", "happy", "angry"):
            hub.publish(about("robot1", AffectChanged(emotion=emotion, intensity=1.0)))
        async with opened(screen):
            missed = await screen.replay("robot1", 3, 1)
            none_missed = await screen.replay("robot1", 3, 3)
            of_another_boot = await screen.replay("robot1", 2, 1)
    assert missed is not None
    assert [(e.order, e.body) for e in missed] == [
        (2, AffectChanged(emotion="happy", intensity=1.0)),
        (3, AffectChanged(emotion="angry", intensity=1.0)),
    ]
    assert none_missed == ()
    assert of_another_boot is None


async def test_what_the_ring_no_longer_holds_is_not_replayed_in_part(engine: Engine) -> None:
    hub, screen = engine.hub(), engine.observer("screen")
    last = RING_MESSAGES + 2
    async with opened(hub, screen):
        for _ in range(last):
            hub.publish(about("robot1", AffectChanged(emotion="sad", intensity=1.0)))
        assert await screen.replay("robot1", 1, 1) is None
        held = await screen.replay("robot1", 1, last - 2)
    assert held is not None
    assert [e.order for e in held] == [last - 1, last]


async def test_telemetry_takes_no_number_in_a_sequence(engine: Engine) -> None:
    hub, ears, beats, acted = engine.hub(), engine.agent("ears-primary-1"), Heard(), Heard()
    hub.subscribe(AgentHeartbeat, beats)
    hub.subscribe(VoiceStarted, acted)
    async with opened(hub, ears):
        ears.publish(about("", AgentHeartbeat(active=1)))
        ears.publish(about("robot1", started(1)))
        await acted.count(1)
        await beats.count(1)
    assert [e.order for e in beats.envelopes] == [0]
    assert [e.order for e in acted.envelopes] == [1]


@pytest.mark.parametrize("end", ["hub", "agent"])
async def test_a_frame_above_its_lanes_limit_is_refused_and_the_next_arrives(
    engine: Engine, end: str
) -> None:
    hub, ears, media, facts = engine.hub(), engine.agent("ears-primary-1"), Heard(), Heard()
    ears.subscribe(MicChunk, media)
    hub.subscribe(SpeechChunk, media)
    hub.subscribe(VoiceStarted, facts)
    async with opened(hub, ears):
        bus = hub if end == "hub" else ears
        chunk: Message = MicChunk(first_sample=0)
        if end == "agent":
            chunk = SpeechChunk(phrase=0, first_sample=0, rate_hz=16_000)
        with pytest.raises(FrameTooLarge):
            bus.publish(about("robot1", chunk), bytes(MAX_MEDIA_BYTES))
        huge = AffectChanged(emotion="x" * MAX_CONTROL_BYTES, intensity=1.0)
        with pytest.raises(FrameTooLarge):
            bus.publish(about("robot1", huge))
        with pytest.raises(FrameTooLarge):
            hub.send("ears-primary-1", about("robot1", AgentDrain(reason="x" * MAX_CONTROL_BYTES)))
        bus.publish(about("robot1", chunk), bytes(1024))
        await media.count(1)
    assert len(media.blobs[0]) == 1024


async def test_a_command_cannot_be_published(engine: Engine) -> None:
    hub, ears = engine.hub(), engine.agent("ears-primary-1")
    async with opened(hub, ears):
        for bus in (hub, ears):
            with pytest.raises(BusError):
                bus.publish(about("robot1", AgentDrain()))


async def test_an_agent_whose_hub_restarts_registers_again(engine: Engine) -> None:
    ears = engine.agent("ears-primary-1")
    link, heard = LinkLog(ears), Heard()
    ears.serve(heard)
    first, second = engine.hub(boot=1), engine.hub(boot=2)
    log = PeerLog(second)
    acted = Heard()
    second.subscribe(VoiceStarted, acted)
    async with opened(first):
        await ears.open()
    await link.until(lambda: link.downs != [])
    async with opened(second):
        await log.next("joined", "ears-primary-1")
        second.send("ears-primary-1", about("robot1", AgentDrain()))
        await heard.count(1)
        ears.publish(about("robot1", started(1)))
        await acted.count(1)
        await ears.close()
    assert link.ups == 2
    assert (acted.envelopes[0].boot, acted.envelopes[0].order) == (2, 1)


async def test_agents_may_come_before_their_hub(engine: Engine) -> None:
    hub, ears, acted = engine.hub(), engine.agent("ears-primary-1"), Heard()
    hub.subscribe(VoiceStarted, acted)
    async with asyncio.timeout(PATIENCE_S), asyncio.TaskGroup() as tasks:
        opening = tasks.create_task(ears.open())
        await asyncio.sleep(0)
        async with hub:
            await opening
            ears.publish(about("robot1", started(1)))
            await acted.count(1)
            await ears.close()


async def test_facts_from_before_the_registration_are_not_lost(engine: Engine) -> None:
    hub, ears, acted = engine.hub(), engine.agent("ears-primary-1"), Heard()
    hub.subscribe(VoiceStarted, acted)
    async with asyncio.timeout(PATIENCE_S), asyncio.TaskGroup() as tasks:
        opening = tasks.create_task(ears.open())
        await asyncio.sleep(0)
        ears.publish(about("robot1", started(1)))
        async with hub:
            await opening
            await acted.count(1)
            await ears.close()
    assert acted.bodies == [started(1)]


def test_both_ends_have_the_whole_interface(engine: Engine) -> None:
    hub: HubBus = engine.hub(boot=4)
    agent: AgentBus = engine.agent("ears-primary-1")
    assert (hub.boot, hub.name, agent.name) == (4, "hub", "ears-primary-1")
    assert hub.counters == agent.counters == BusCounters({}, {}, {}, 0)

"""What the inproc bus does beyond the conformance suite: delays, losses, cuts, determinism."""

import asyncio
import math
import random

from hub.broker.inproc import RETRY_S, InprocBroker
from protocols.envelope import AnyEnvelope, Envelope, Message
from protocols.messages.agent import AgentHello, AgentKind
from protocols.messages.audio import MicChunk
from protocols.messages.speech import SpeechCredit
from protocols.messages.turn import ResponseDelta, TurnStart
from protocols.messages.voice import VoiceConfirmed
from tests.virtual_time import clock_ns, run, settle, virtual

HELLO = AgentHello(kind=AgentKind.EARS)


def about(body: Message, robot: str = "r1") -> AnyEnvelope:
    return Envelope(robot=robot, body=body)


def mic(first_sample: int) -> AnyEnvelope:
    return about(MicChunk(first_sample=first_sample))


@virtual
async def test_a_delayed_frame_holds_back_those_behind_it() -> None:
    delays = iter([0.5, 0.0, 0.0])
    broker = InprocBroker(clock_ns, lambda envelope: next(delays))
    hub, ears = broker.hub_bus(), broker.agent_bus("ears", HELLO)
    heard: list[tuple[float, int]] = []
    loop = asyncio.get_running_loop()
    began = loop.time()
    ears.subscribe(
        MicChunk, lambda e, _: heard.append((round(loop.time() - began, 3), e.body.first_sample))
    )
    async with hub, ears:
        for number in range(3):
            hub.publish(mic(number))
        await asyncio.sleep(1)
    assert heard == [(0.5, 0), (0.5, 1), (0.5, 2)]


@virtual
async def test_lost_media_are_seen_by_the_gap() -> None:
    losses = iter([0.0, None, None, 0.0])
    broker = InprocBroker(clock_ns, lambda envelope: next(losses))
    hub, ears = broker.hub_bus(), broker.agent_bus("ears", HELLO)
    heard: list[AnyEnvelope] = []
    ears.subscribe(MicChunk, lambda e, _: heard.append(e))
    async with hub, ears:
        for number in range(4):
            hub.publish(mic(number))
        await settle()
        assert [e.seq for e in heard] == [1, 4]
        assert ears.counters.lost == {"mic.chunk": 2}


@virtual
async def test_control_is_delayed_but_never_lost() -> None:
    broker = InprocBroker(clock_ns, lambda envelope: None)
    hub, ears = broker.hub_bus(), broker.agent_bus("ears", HELLO)
    heard: list[AnyEnvelope] = []
    hub.subscribe(VoiceConfirmed, lambda e, _: heard.append(e))
    async with hub, ears:
        ears.publish(about(VoiceConfirmed(utterance=1, voiced_ms=300)))
        await ears.drain()
        assert len(heard) == 1


@virtual
async def test_facts_in_transit_when_the_link_breaks_arrive_once_over_the_next() -> None:
    broker = InprocBroker(clock_ns, lambda envelope: 1.0)
    hub, ears = broker.hub_bus(), broker.agent_bus("ears", HELLO)
    heard: list[int] = []
    hub.subscribe(VoiceConfirmed, lambda e, _: heard.append(e.body.utterance))
    async with hub, ears:
        for number in range(3):
            ears.publish(about(VoiceConfirmed(utterance=number, voiced_ms=300)))
        await asyncio.sleep(0.5)
        broker.cut("ears")
        await asyncio.sleep(RETRY_S + 2)
        assert heard == [0, 1, 2]
        assert hub.counters.duplicates == 0


@virtual
async def test_a_cut_agent_is_reported_to_both_sides_and_registers_again() -> None:
    broker = InprocBroker(clock_ns)
    hub, ears = broker.hub_bus(), broker.agent_bus("ears", HELLO)
    seen: list[str] = []
    hub.on_peers(
        lambda name, hello: seen.append(f"joined {name} {hello.body.kind}"),
        lambda name, reason: seen.append(f"left {name}: {reason}"),
    )
    ears.on_link(lambda: seen.append("up"), lambda reason: seen.append(f"down: {reason}"))
    async with hub, ears:
        broker.cut("ears", "cable")
        assert hub.peers == ()
        await asyncio.sleep(RETRY_S)
        await settle()
        assert hub.peers == ("ears",)
        broker.cut("ears", "for good", math.inf)
        await asyncio.sleep(60)
        assert hub.peers == ()
    assert seen == [
        *("joined ears ears", "up", "left ears: cable", "down: cable"),
        *("joined ears ears", "up", "left ears: for good", "down: for good"),
    ]


@virtual
async def test_an_agent_that_does_not_take_its_commands_is_disconnected() -> None:
    broker = InprocBroker(clock_ns, lambda envelope: 3_000.0)
    hub, ears = broker.hub_bus(), broker.agent_bus("ears", HELLO)
    reasons: list[str] = []
    async with hub, ears:
        hub.on_peers(lambda name, hello: None, lambda name, reason: reasons.append(reason))
        for _ in range(5):
            hub.send("ears", about(TurnStart(user_text="x" * 15_000)))
        assert len(reasons) == 1
        assert "do not fit" in reasons[0]


@virtual
async def test_a_handler_that_publishes_is_not_entered_again() -> None:
    broker = InprocBroker(clock_ns)
    hub, ears = broker.hub_bus(), broker.agent_bus("ears", HELLO)
    depth, deepest = 0, 0

    def echo(envelope: AnyEnvelope, blob: bytes) -> None:
        nonlocal depth, deepest
        depth += 1
        deepest = max(deepest, depth)
        if envelope.body.first_sample < 5:
            ears.publish(mic(envelope.body.first_sample + 1))
        depth -= 1

    ears.subscribe(MicChunk, echo)
    async with hub, ears:
        ears.publish(mic(0))
        await settle()
    assert deepest == 1


def test_two_runs_with_the_same_delays_are_the_same() -> None:
    async def conversation() -> list[tuple[int, str, int]]:
        chance = random.Random(7)
        broker = InprocBroker(
            clock_ns, lambda envelope: None if chance.random() < 0.1 else chance.random() / 10
        )
        hub, log = broker.hub_bus(), []
        agents = [broker.agent_bus(f"ears{n}", HELLO) for n in range(3)]
        hub.subscribe(ResponseDelta, lambda e, _: log.append((clock_ns(), e.src, e.order)))
        async with hub, agents[0], agents[1], agents[2]:
            for agent in agents:
                agent.subscribe(
                    MicChunk,
                    lambda e, _, bus=agent: bus.publish(about(ResponseDelta(text="."), e.robot)),
                )
                agent.serve(lambda e, _, bus=agent: bus.publish(about(ResponseDelta(text="!"))))
            for number in range(50):
                hub.publish(mic(number))
                hub.send(f"ears{number % 3}", about(SpeechCredit(until_ms=number)))
                await asyncio.sleep(0.02)
            await asyncio.sleep(5)
        return log

    first, second = run(conversation()), run(conversation())
    assert first == second
    assert [order for _, _, order in first] == list(range(1, len(first) + 1))

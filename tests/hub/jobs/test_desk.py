"""Jobs over the inproc bus, in virtual time: admitted, joined, failed, cancelled."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from hub.broker.inproc import InprocAgentBus, InprocBroker, InprocHubBus
from hub.counters import Counters
from hub.errors import AgentMissing, Busy, JobError, JobTimeout
from hub.jobs.admission import JobLimits
from hub.jobs.desk import SPEECH_WAIT_S, JobDesk
from protocols.envelope import AnyEnvelope, Envelope, Message
from protocols.messages.agent import AgentHello, AgentKind, AgentState
from protocols.messages.audio import SpeechChunk
from protocols.messages.job import (
    JobCancel,
    JobDone,
    JobFailed,
    PlanDone,
    PlanRequest,
    SpeakRequest,
)
from protocols.messages.model import ModelState
from protocols.messages.speech import SpeechCredit
from tests.virtual_time import clock_ns, settle, virtual

WORLD: dict[str, Any] = {"robot_id": "r1", "seq": 1}
SPEAK = SpeakRequest(text="hello", rate_hz=16_000)


@dataclass
class Agent:
    """An agent that does what a test makes it do; also its line in the registry."""

    instance: str
    kind: AgentKind
    role: str = "primary"
    backend: str = "scripted"
    capacity: int = 2
    active: int = 0
    state: AgentState = AgentState.READY
    model: str = ""
    info: dict[str, str] = field(default_factory=dict)
    progress: str = ""
    has_models: bool = True
    engine: ModelState | None = None
    got: list[AnyEnvelope] = field(default_factory=list)
    answer: Callable[["Agent", AnyEnvelope], None] | None = None
    bus: InprocAgentBus | None = None

    def take(self, envelope: AnyEnvelope, blob: bytes) -> None:
        self.got.append(envelope)
        if self.answer is not None:
            self.answer(self, envelope)

    def says(self, to: AnyEnvelope, body: Message, blob: bytes = b"") -> None:
        assert self.bus is not None
        self.bus.publish(Envelope(robot=to.robot, job=to.job, body=body), blob)

    def bodies(self) -> list[Message]:
        return [envelope.body for envelope in self.got]


class FakeRegistry:
    """Picks the first agent of a kind and role."""

    def __init__(self, agents: list[Agent]) -> None:
        self.linked = agents

    def pick(self, kind: AgentKind, role: str | None = None) -> Agent | None:
        fits = (a for a in self.linked if a.kind is kind and role in (None, a.role))
        return next(fits, None)

    def agents(self) -> list[Agent]:
        return self.linked


@dataclass
class Office:
    desk: JobDesk
    hub: InprocHubBus
    broker: InprocBroker
    counters: Counters
    registry: FakeRegistry


@asynccontextmanager
async def office(*agents: Agent, limits: JobLimits | None = None) -> AsyncIterator[Office]:
    broker = InprocBroker(clock_ns)
    hub, counters = broker.hub_bus(), Counters()
    registry = FakeRegistry(list(agents))
    desk = JobDesk(hub, registry, limits or JobLimits(), counters)
    async with hub:
        for agent in agents:
            agent.bus = broker.agent_bus(agent.instance, AgentHello(kind=agent.kind))
            agent.bus.serve(agent.take)
            await agent.bus.open()
        yield Office(desk, hub, broker, counters, registry)
        for agent in agents:
            assert agent.bus is not None
            await agent.bus.close()


def planner(answer: Callable[[Agent, AnyEnvelope], None] | None = None, **more: Any) -> Agent:
    return Agent("planner-primary-1", AgentKind.PLANNER, answer=answer, **more)


def speaker(answer: Callable[[Agent, AnyEnvelope], None] | None = None, **more: Any) -> Agent:
    return Agent("tts-primary-1", AgentKind.TTS, answer=answer, **more)


def plans(*actions: dict[str, Any]) -> Callable[[Agent, AnyEnvelope], None]:
    def answer(agent: Agent, envelope: AnyEnvelope) -> None:
        if isinstance(envelope.body, PlanRequest):
            agent.says(envelope, PlanDone(actions=actions))

    return answer


def fails(code: str) -> Callable[[Agent, AnyEnvelope], None]:
    def answer(agent: Agent, envelope: AnyEnvelope) -> None:
        if isinstance(envelope.body, PlanRequest | SpeakRequest):
            agent.says(envelope, JobFailed(code=code, detail="it broke"))

    return answer


def chunk(first: int) -> SpeechChunk:
    return SpeechChunk(phrase=0, first_sample=first, rate_hz=16_000)


def speaks_for(seconds: int) -> Callable[[Agent, AnyEnvelope], None]:
    """A tts that sends 100 ms chunks up to its credit, however long the text."""
    sent = {"samples": 0}

    def answer(agent: Agent, envelope: AnyEnvelope) -> None:
        if not isinstance(envelope.body, SpeechCredit):
            return
        until = min(envelope.body.until_ms * 16, seconds * 16_000)
        while sent["samples"] < until:
            agent.says(envelope, chunk(sent["samples"]), bytes(3_200))
            sent["samples"] += 1_600
        if sent["samples"] == seconds * 16_000:
            agent.says(envelope, JobDone(samples=sent["samples"]))

    return answer


async def listen(speech: AsyncIterator[bytes]) -> bytes:
    return b"".join([pcm async for pcm in speech])


@virtual
async def test_a_plan_is_answered_under_its_own_job_number() -> None:
    agent = planner(plans({"action": "emote", "name": "happy"}))
    async with office(agent) as there:
        first, second = await asyncio.gather(
            there.desk.plan(WORLD, 5.0), there.desk.plan({**WORLD, "seq": 2}, 5.0)
        )
        assert first.actions == second.actions == ({"action": "emote", "name": "happy"},)
        assert len({envelope.job for envelope in agent.got}) == 2
        assert {envelope.robot for envelope in agent.got} == {"r1"}
        assert there.desk.plan_admission.admitted == 2
        assert there.desk.plan_admission.inflight == 0


@virtual
async def test_a_plan_that_comes_too_late_is_cancelled_at_the_agent() -> None:
    agent = planner()
    async with office(agent) as there:
        with pytest.raises(JobTimeout):
            await there.desk.plan(WORLD, 2.0)
        await settle()
        assert [type(body) for body in agent.bodies()] == [PlanRequest, JobCancel]
        agent.says(agent.got[0], PlanDone(actions=()))
        await settle()
        assert there.counters.read()["job_facts.of_no_job"] == 1


@virtual
async def test_a_client_that_disconnects_cancels_its_plan_at_the_agent() -> None:
    agent = planner()
    async with office(agent) as there:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.5):
                await there.desk.plan(WORLD, 60.0)
        await settle()
        assert isinstance(agent.bodies()[-1], JobCancel)
        assert there.counters.read() == {"jobs.cancelled": 1}


@virtual
async def test_a_failed_plan_carries_the_agents_code_and_is_not_cancelled() -> None:
    agent = planner(fails("backend_timeout"))
    async with office(agent) as there:
        with pytest.raises(JobError, match="it broke") as raised:
            await there.desk.plan(WORLD, 5.0)
        assert raised.value.code == "backend_timeout"
        await settle()
        assert len(agent.got) == 1


@virtual
async def test_without_a_planner_there_is_no_plan() -> None:
    async with office() as there:
        with pytest.raises(AgentMissing):
            await there.desk.plan(WORLD, 5.0)


@virtual
async def test_a_planner_that_is_lost_fails_its_plans_at_once() -> None:
    agent = planner()
    async with office(agent) as there, asyncio.TaskGroup() as tasks:
        plan = tasks.create_task(_failure_of(there.desk.plan(WORLD, 60.0)))
        await settle()
        there.desk.peer_lost(agent.instance)
        assert isinstance(await plan, AgentMissing)


async def _failure_of(work: Any) -> JobError:
    with pytest.raises(JobError) as raised:
        await work
    return raised.value


@virtual
async def test_an_agent_that_is_not_linked_any_more_counts_as_missing() -> None:
    agent = planner()
    async with office(agent) as there:
        ghost = Agent("planner-primary-9", AgentKind.PLANNER)
        there.registry.linked.insert(0, ghost)
        with pytest.raises(AgentMissing):
            await there.desk.plan(WORLD, 5.0)


@virtual
async def test_where_the_setting_says_so_the_reflex_planner_answers_for_a_failed_model() -> None:
    reflex = Agent(
        "planner-reflex-2", AgentKind.PLANNER, role="reflex", answer=plans({"action": "say"})
    )
    for broken in (fails("backend_unavailable"), None):
        async with office(planner(broken), reflex, limits=JobLimits(plan_falls_back=True)) as there:
            done = await there.desk.plan(WORLD, 5.0)
            assert done.actions == ({"action": "say"},)


@virtual
async def test_busy_is_not_a_failure_that_the_reflex_planner_would_cover() -> None:
    agent = planner(backend="vllm", capacity=8)
    async with (
        office(agent, limits=JobLimits(plan_falls_back=True)) as there,
        asyncio.TaskGroup() as tasks,
    ):
        running = tasks.create_task(there.desk.plan(WORLD, 60.0))
        await settle()
        with pytest.raises(Busy) as raised:
            await there.desk.plan(WORLD, 60.0)
        assert raised.value.retry_after_s == 1
        assert there.desk.plan_admission.rejected == 1
        agent.says(agent.got[0], PlanDone(actions=()))
        await running
        agent.answer = plans()
        await there.desk.plan(WORLD, 60.0)


@virtual
async def test_an_embedded_backend_takes_as_many_as_it_announced() -> None:
    agent = planner(backend="reflex", capacity=3)
    async with office(agent) as there, asyncio.TaskGroup() as tasks:
        running = [tasks.create_task(there.desk.plan(WORLD, 60.0)) for _ in range(3)]
        await settle()
        with pytest.raises(Busy):
            await there.desk.plan(WORLD, 60.0)
        for envelope in list(agent.got):
            agent.says(envelope, PlanDone(actions=()))
        assert len(await asyncio.gather(*running)) == 3


@virtual
async def test_speech_of_any_length_comes_whole_by_credit() -> None:
    agent = speaker(speaks_for(30))
    async with office(agent) as there:
        pcm = await listen(there.desk.speak(SPEAK, "r1"))
        assert len(pcm) == 30 * 32_000
        granted = [b.until_ms for b in agent.bodies() if isinstance(b, SpeechCredit)]
        assert granted[0] == 4_000
        assert granted == sorted(granted)
        assert not any(isinstance(body, JobCancel) for body in agent.bodies())


@virtual
async def test_a_reader_that_stops_reading_stops_the_credit() -> None:
    agent = speaker(speaks_for(60))
    async with office(agent) as there:
        speech = there.desk.speak(SPEAK)
        await anext(speech)
        await asyncio.sleep(100)
        assert max(b.until_ms for b in agent.bodies() if isinstance(b, SpeechCredit)) <= 8_000
        await speech.aclose()
        await settle()
        assert isinstance(agent.bodies()[-1], JobCancel)


@virtual
async def test_the_end_waits_for_chunks_that_control_has_overtaken() -> None:
    def answer(agent: Agent, envelope: AnyEnvelope) -> None:
        if isinstance(envelope.body, SpeakRequest):
            agent.says(envelope, JobDone(samples=320))
            loop = asyncio.get_running_loop()
            loop.call_later(0.2, agent.says, envelope, chunk(0), b"\x01\x00" * 320)

    async with office(speaker(answer)) as there:
        assert await listen(there.desk.speak(SPEAK)) == b"\x01\x00" * 320
        assert there.counters.read() == {}


@virtual
async def test_a_lost_chunk_ends_the_wait_and_is_counted() -> None:
    def answer(agent: Agent, envelope: AnyEnvelope) -> None:
        if isinstance(envelope.body, SpeakRequest):
            agent.says(envelope, chunk(0), bytes(320))
            agent.says(envelope, chunk(480), bytes(320))
            agent.says(envelope, JobDone(samples=960))

    async with office(speaker(answer)) as there:
        assert len(await listen(there.desk.speak(SPEAK))) == 640
        assert there.counters.read() == {"speak_samples.lost": 320 + 320}


@virtual
async def test_chunks_of_another_agent_or_another_job_are_not_spoken() -> None:
    def answer(agent: Agent, envelope: AnyEnvelope) -> None:
        if isinstance(envelope.body, SpeakRequest):
            stale: AnyEnvelope = Envelope(job=envelope.job - 1, body=envelope.body)
            agent.says(stale, chunk(0), b"\x66" * 320)
            agent.says(envelope, chunk(0), bytes(320))
            agent.says(envelope, chunk(0), b"\x66" * 320)
            agent.says(envelope, JobDone(samples=160))

    async with office(speaker(answer)) as there:
        assert await listen(there.desk.speak(SPEAK)) == bytes(320)
        assert there.counters.read() == {
            "speech_chunks.of_no_job": 1,
            "speech_chunks.refused": 1,
        }


@virtual
async def test_speech_that_fails_in_the_middle_gives_what_there_is_and_then_its_code() -> None:
    def answer(agent: Agent, envelope: AnyEnvelope) -> None:
        if isinstance(envelope.body, SpeakRequest):
            agent.says(envelope, chunk(0), bytes(320))
            loop = asyncio.get_running_loop()
            loop.call_later(0.1, agent.says, envelope, JobFailed(code="espeak_exec_failed"))

    async with office(speaker(answer)) as there:
        speech = there.desk.speak(SPEAK)
        assert await anext(speech) == bytes(320)
        with pytest.raises(JobError) as raised:
            await anext(speech)
        assert raised.value.code == "espeak_exec_failed"


@virtual
async def test_a_speaker_that_stays_silent_is_given_up() -> None:
    agent = speaker()
    async with office(agent) as there:
        began = asyncio.get_running_loop().time()
        with pytest.raises(JobTimeout):
            await listen(there.desk.speak(SPEAK))
        assert asyncio.get_running_loop().time() - began == pytest.approx(SPEECH_WAIT_S)
        await settle()
        assert isinstance(agent.bodies()[-1], JobCancel)


@virtual
async def test_a_second_request_to_orpheus_is_shed_at_the_default_threshold() -> None:
    agent = speaker(backend="orpheus", capacity=8)
    async with office(agent) as there:
        speech = there.desk.speak(SPEAK)
        async with asyncio.TaskGroup() as tasks:
            first = tasks.create_task(_failure_of(anext(speech)))
            await settle()
            with pytest.raises(Busy):
                await anext(there.desk.speak(SPEAK))
            there.desk.peer_lost(agent.instance)
            assert isinstance(await first, AgentMissing)


@virtual
async def test_an_orpheus_with_a_voice_to_shed_to_takes_as_much_as_it_announces() -> None:
    agent = speaker(backend="orpheus", capacity=2, info={"fallback": "espeak"})
    async with office(agent) as there, asyncio.TaskGroup() as tasks:
        waiting = [tasks.create_task(_failure_of(anext(there.desk.speak(SPEAK)))) for _ in range(2)]
        await settle()
        with pytest.raises(Busy):
            await anext(there.desk.speak(SPEAK))
        there.desk.peer_lost(agent.instance)
        assert [type(await each) for each in waiting] == [AgentMissing] * 2


@virtual
async def test_job_numbers_of_two_runs_of_the_hub_never_meet() -> None:
    numbers = []
    for boot in (1, 2):
        broker = InprocBroker(clock_ns)
        hub = broker.hub_bus(boot)
        agent = planner(plans())
        desk = JobDesk(hub, FakeRegistry([agent]))
        agent.bus = broker.agent_bus(agent.instance, AgentHello(kind=agent.kind))
        agent.bus.serve(agent.take)
        async with hub, agent.bus:
            await desk.plan(WORLD, 1.0)
        numbers.append(agent.got[0].job)
    assert numbers[0] != numbers[1]

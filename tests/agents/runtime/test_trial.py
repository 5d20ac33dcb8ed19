"""An agent that only tries its engine: what it reports, wherever that ends."""

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from agents.ears.agent import Ears
from agents.ears.backends.scripted import ScriptedActivity
from agents.ears.endpointing import INSTANT
from agents.planner.backends.auto import OnceItStarts as PatientPlanner
from agents.recorder.agent import Recorder
from agents.recorder.backends.scripted import ScriptedTape
from agents.runtime.errors import AgentError, BackendUnavailable
from agents.runtime.life import Agent, Loaded
from agents.runtime.service import AnyService, Backend, Emit, Inbox, Scope
from agents.runtime.slot import About, EngineSlot, SlotOptions
from agents.runtime.trial import Trial
from agents.stt.waiting import OnceItStarts as PatientRecogniser
from protocols.marks import MarkKind, mark
from protocols.messages.agent import AgentKind
from protocols.messages.audio import SpeechChunk, UtteranceChunk
from protocols.messages.job import JobDone, SpeakRequest
from protocols.messages.session import SessionAssign
from protocols.messages.transcript import TranscriptFailed, TranscriptFinal
from protocols.messages.turn import ResponseDelta, ResponseMeta
from protocols.messages.voice import UtteranceFinish
from protocols.trial import Stage, TrialLine, TrialReport, TrialStep
from tests.fakes.services import Script, ScriptedBackend, ScriptedService

SECOND = bytes(2 * 16_000)


class Counted(ScriptedService):
    """Counts what it loses."""

    counters = Counter({"late_audio": 2, "never": 0})


class Unreachable(ScriptedBackend):
    """An engine whose server does not answer."""

    capacity, model = 1, ""

    def __init__(self) -> None:
        super().__init__(error=BackendUnavailable("http://h/v1: nobody answers"))


class Slotted:
    """The backend of an agent whose engine is in a slot."""

    name = "slotted"

    def __init__(self, slot: EngineSlot[ScriptedBackend]) -> None:
        self._slot = slot

    async def start(self) -> None:
        await self._slot.start()

    async def close(self) -> None:
        await self._slot.close()


async def tried(
    kind: AgentKind, agent: Agent, sound: bytes = b""
) -> tuple[TrialReport, list[TrialLine]]:
    lines: list[TrialLine] = []
    async with asyncio.timeout(10):
        works = await Trial(kind, lines.append).run(agent, sound)
    *steps, report = lines
    assert isinstance(report, TrialReport)
    assert works is (report.stage is Stage.DONE)
    assert not any(isinstance(step, TrialReport) for step in steps)
    return report, steps


def planner(script: Script, backend: ScriptedBackend | None = None) -> Agent:
    service = ScriptedService(Scope.TURN, script)
    return Agent(backend or ScriptedBackend(), (service,), capacity=1, model="small")


async def talk(inbox: Inbox, emit: Emit) -> None:
    await anext(inbox)
    emit(ResponseMeta(emotion="happy"))
    emit(ResponseDelta(text="hello"))
    await asyncio.Event().wait()  # nobody waits for the rest


async def test_a_planner_is_tried_until_its_first_words() -> None:
    backend = ScriptedBackend()

    report, steps = await tried(AgentKind.PLANNER, planner(talk, backend))

    assert (report.stage, report.backend, report.model) == (Stage.DONE, backend.name, "small")
    assert report.load_s >= 0
    assert report.answer_ms >= 0
    assert report.memory_mib > 10
    assert list(dict.fromkeys(step.stage for step in steps)) == [Stage.LOAD, Stage.ANSWER]


async def test_what_an_agent_turned_out_to_be_is_reported() -> None:
    agent = planner(talk)._replace(loaded=lambda: Loaded(2, "large", {"reason": "it was there"}))

    report, _ = await tried(AgentKind.PLANNER, agent)

    assert (report.model, report.reason) == ("large", "it was there")


@pytest.mark.parametrize("warm_up", [True, False])
async def test_an_engine_in_a_slot_is_loaded_before_it_is_asked(warm_up: bool) -> None:
    engine = ScriptedBackend()
    slot = EngineSlot(
        engine, lambda name: engine, lambda one: About(one.name, 1), SlotOptions(warm_up=warm_up)
    )

    async def script(inbox: Inbox, emit: Emit) -> None:
        assert slot.serving is engine
        async with slot.lease():
            emit(ResponseDelta(text="hello"))

    services = (ScriptedService(Scope.TURN, script),)
    agent = Agent(Slotted(slot), services, capacity=1, slot=slot)

    report, _ = await tried(AgentKind.PLANNER, agent)

    assert report.stage is Stage.DONE
    assert engine.closed == 1


async def test_an_engine_that_cannot_be_loaded_is_reported_with_its_reason() -> None:
    backend = ScriptedBackend(error=BackendUnavailable("no model\n  on disk", "llm_model_missing"))

    report, _ = await tried(AgentKind.PLANNER, planner(talk, backend))

    assert (report.stage, report.code) == (Stage.LOAD, "llm_model_missing")
    assert report.error == "no model on disk"
    assert (report.load_s, report.answer_ms) == (-1, -1)


@pytest.mark.parametrize("patient", [PatientPlanner, PatientRecogniser])
async def test_nobody_waits_for_a_server_that_is_not_there(
    patient: Callable[[Any], Backend],
) -> None:
    agent = planner(talk)._replace(backend=patient(Unreachable()))

    report, steps = await tried(AgentKind.PLANNER, agent)

    assert (report.stage, report.code) == (Stage.LOAD, "backend_unavailable")
    assert report.error == "http://h/v1: nobody answers"
    assert any("nobody answers" in step.step for step in steps if isinstance(step, TrialStep))


def failing(error: Exception) -> Script:
    async def script(inbox: Inbox, emit: Emit) -> None:
        raise error

    return script


async def silent(inbox: Inbox, emit: Emit) -> None:
    """Ends without a word."""


@pytest.mark.parametrize(
    ("script", "code", "error"),
    [
        (failing(AgentError("it stammers", "llm_error")), "llm_error", "it stammers"),
        (failing(ZeroDivisionError("by zero")), "crashed", "ZeroDivisionError: by zero"),
        (silent, "no_answer", "it ended without an answer"),
    ],
)
async def test_an_engine_that_does_not_answer_is_reported(
    script: Script, code: str, error: str
) -> None:
    report, _ = await tried(AgentKind.PLANNER, planner(script))

    assert (report.stage, report.code, report.error) == (Stage.ANSWER, code, error)
    assert report.load_s >= 0


async def test_what_an_agent_counted_as_lost_is_reported() -> None:
    agent = Agent(ScriptedBackend(), (Counted(Scope.TURN, talk),), capacity=1)

    report, _ = await tried(AgentKind.PLANNER, agent)

    assert report.drops == {"late_audio": 2}


async def test_a_voice_is_tried_until_its_first_sound() -> None:
    async def speak(inbox: Inbox, emit: Emit) -> None:
        request = (await anext(inbox)).envelope.body
        assert isinstance(request, SpeakRequest)
        emit(SpeechChunk(phrase=0, first_sample=0, rate_hz=request.rate_hz), b"\0\0")
        await asyncio.Event().wait()

    service = ScriptedService(
        Scope.JOB, speak, opens={SpeakRequest}, produces={SpeechChunk, JobDone}
    )
    other = ScriptedService(Scope.TURN)

    report, _ = await tried(AgentKind.TTS, Agent(ScriptedBackend(), (other, service), capacity=1))

    assert report.stage is Stage.DONE
    assert other.begun == 0


def recogniser(answer: Callable[[int], TranscriptFinal | TranscriptFailed]) -> Agent:
    """Answers with what it makes of the number of samples it was given."""

    async def script(inbox: Inbox, emit: Emit) -> None:
        samples = 0
        async for item in inbox:
            match item.envelope.body:
                case UtteranceChunk(first_sample=first):
                    assert first == samples
                    samples += len(item.blob) // 2
                case UtteranceFinish(last_sample=last):
                    assert last == samples
                    emit(answer(samples))

    service: AnyService = ScriptedService(
        Scope.SESSION, script, opens={SessionAssign}, produces={TranscriptFinal, TranscriptFailed}
    )
    return Agent(ScriptedBackend(), (service,), capacity=1)


@pytest.mark.parametrize(
    ("text", "note"), [("good day", "heard “good day”"), ("", "heard no word")]
)
async def test_a_recogniser_is_given_the_whole_recording(text: str, note: str) -> None:
    def answer(samples: int) -> TranscriptFinal:
        assert samples == 16_000
        return TranscriptFinal(utterance=1, text=text)

    report, _ = await tried(AgentKind.STT, recogniser(answer), SECOND)

    assert (report.stage, report.note) == (Stage.DONE, note)


async def test_a_recogniser_that_fails_says_so_with_its_code() -> None:
    agent = recogniser(lambda _: TranscriptFailed(utterance=1, code="stt_lost", detail="no memory"))

    report, _ = await tried(AgentKind.STT, agent, SECOND)

    assert (report.stage, report.code, report.error) == (Stage.ANSWER, "stt_lost", "no memory")


def ears() -> Agent:
    activity = ScriptedActivity()
    return Agent(activity, (Ears(activity, rules=INSTANT),), capacity=1)


async def test_ears_are_tried_with_a_recording_as_it_is_spoken() -> None:
    chunk = 640
    begins, ends = (mark(kind).ljust(chunk, b"\0") for kind in (MarkKind.START, MarkKind.STOP))
    sound = begins + bytes(chunk * 15) + ends

    report, _ = await tried(AgentKind.EARS, ears(), sound)

    assert report.stage is Stage.DONE
    assert 0 <= report.answer_ms < 5_000


async def test_ears_that_hear_nobody_are_deaf(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agents.runtime.trial_work.PATIENCE_S", 0.1)

    report, _ = await tried(AgentKind.EARS, ears(), bytes(640))

    assert (report.stage, report.code) == (Stage.ANSWER, "deaf")


@pytest.mark.parametrize(("room", "stage"), [(5, Stage.DONE), (0, Stage.ANSWER)])
async def test_a_recorder_writes_an_entry(room: int, stage: Stage) -> None:
    tape = ScriptedTape(room)

    report, _ = await tried(AgentKind.RECORDER, Agent(tape, (Recorder(tape),), capacity=1))

    assert report.stage is stage
    assert len(tape.entries) == min(room, 1)
    assert report.code == ("" if room else "not_recorded")


async def test_an_agent_without_a_piece_of_work_is_only_loaded() -> None:
    report, steps = await tried(AgentKind.MEMORY, Agent(ScriptedBackend(), (), capacity=1))

    assert (report.stage, report.answer_ms) == (Stage.DONE, -1)
    assert {step.stage for step in steps} == {Stage.LOAD}

"""The promises of the runtime, each on the inproc bus in virtual time."""

import asyncio
import time

import pytest

from agents.runtime.errors import AgentError, BackendBusy, UndeclaredOutput
from agents.runtime.service import Emit, Inbox, Scope
from protocols.messages.agent import AgentDrain
from protocols.messages.audio import MicChunk, SpeechChunk, UtteranceChunk
from protocols.messages.job import JobCancel, JobDone, JobFailed, SpeakRequest
from protocols.messages.session import Attention, AttentionSet, SessionAssign, SessionRelease
from protocols.messages.speech import SpeechCredit, SpeechFinish, SpeechRequest
from protocols.messages.transcript import TranscriptFinal
from protocols.messages.turn import (
    ResponseDelta,
    ResponseDone,
    TurnCancel,
    TurnFailed,
    TurnStart,
)
from protocols.messages.voice import UtteranceFinish, VoiceStarted
from protocols.qos import QOS, QosClass
from tests.agents.runtime.rig import AGENT, running
from tests.fakes.services import ScriptedBatch, ScriptedService
from tests.virtual_time import names, settle, virtual

START = TurnStart(user_text="hello")
SPEAK = SpeakRequest(text="hello", rate_hz=16_000)
CANCEL = TurnCancel(reason="barge-in")


def request(phrase: int) -> SpeechRequest:
    return SpeechRequest(phrase=phrase, text="hi", rate_hz=16_000)


async def stuck(inbox: Inbox, emit: Emit) -> None:
    """Read the opening message and nothing more."""
    await anext(inbox)
    await asyncio.sleep(1_000_000)


# order


@virtual
async def test_messages_of_a_scope_come_in_order_and_end_with_the_closing_one() -> None:
    service = ScriptedService()
    async with running(service) as rig:
        rig.hub.order(START, turn=1)
        for phrase in range(20):
            rig.hub.order(request(phrase), turn=1)
        rig.hub.order(SpeechFinish(phrases=20), turn=1)
        rig.hub.order(request(99), turn=1)
        await settle()
    assert service.bodies == [START, *map(request, range(20)), SpeechFinish(phrases=20)]
    assert service.finished == 1


@virtual
async def test_scopes_do_not_wait_for_each_other() -> None:
    async def answer(inbox: Inbox, emit: Emit) -> None:
        item = await anext(inbox)
        if item.envelope.robot == "slow":
            await asyncio.sleep(60)
        emit(ResponseDone())

    async with running(ScriptedService(script=answer)) as rig:
        rig.hub.order(START, "slow", turn=1)
        rig.hub.order(START, "fast", turn=1)
        await settle()
        assert [e.robot for e in rig.hub.got] == ["fast"]
        await asyncio.sleep(60)
        await settle()
        assert [e.robot for e in rig.hub.got] == ["fast", "slow"]


@virtual
async def test_several_services_share_a_process() -> None:
    turns, jobs = ScriptedService(), ScriptedService(Scope.JOB)
    async with running(turns, jobs) as rig:
        rig.hub.order(START, turn=1)
        rig.hub.order(SPEAK, job=7)
        await settle()
        assert rig.runner.active == 2
    assert turns.bodies == [START]
    assert jobs.bodies == [SPEAK]


# identity


@virtual
async def test_what_is_emitted_bears_the_identity_of_its_scope() -> None:
    async def answer(inbox: Inbox, emit: Emit) -> None:
        await anext(inbox)
        emit(ResponseDelta(text="a"))
        second = await anext(inbox)
        emit(SpeechChunk(phrase=0, first_sample=0, rate_hz=16_000), b"\1\0", t_src_ns=5)
        assert isinstance(second.envelope.body, SpeechCredit)

    service = ScriptedService(script=answer)
    async with running(service) as rig:
        rig.hub.order(START, turn=3, epoch=2)
        await settle()
        rig.hub.order(SpeechCredit(until_ms=100), turn=3, epoch=2)
        await settle()
        delta, chunk = rig.hub.got
    for envelope in (delta, chunk):
        assert (envelope.robot, envelope.session) == ("r1", "s1")
        assert (envelope.epoch, envelope.turn, envelope.job) == (2, 3, 0)
        assert envelope.src == AGENT
    assert [delta.cause, chunk.cause] == [item.envelope.id for item in service.read]
    assert delta.t_src_ns > 0
    assert chunk.t_src_ns == 5


@virtual
async def test_output_that_was_not_declared_ends_the_runner() -> None:
    async def forge(inbox: Inbox, emit: Emit) -> None:
        emit(TranscriptFinal(utterance=1, text="no business of mine"))

    async def scenario() -> None:
        async with running(ScriptedService(script=forge)) as rig:
            rig.hub.order(START, turn=1)
            await settle()

    with pytest.raises(ExceptionGroup) as raised:
        await scenario()
    assert raised.group_contains(UndeclaredOutput)


# cancelling


@virtual
async def test_cancel_overtakes_a_full_inbox() -> None:
    service = ScriptedService(script=stuck)
    async with running(service) as rig:
        rig.hub.order(START, turn=1)
        for until_ms in range(200):
            rig.hub.order(SpeechCredit(until_ms=until_ms), turn=1)
        await settle()
        rig.hub.order(CANCEL, turn=1)
        await settle()
        assert service.cancelled == 1
        assert rig.runner.active == 0
    assert service.bodies == [START]


@virtual
async def test_a_cancel_ends_all_older_turns_of_its_robot_and_no_other() -> None:
    service = ScriptedService(script=stuck)
    async with running(service) as rig:
        for turn in (1, 2, 3):
            rig.hub.order(START, turn=turn)
        rig.hub.order(START, "r2", turn=1)
        await settle()
        rig.hub.order(CANCEL, turn=2)
        await settle()
        assert service.cancelled == 2
        assert rig.runner.active == 2
        assert rig.runner.fences == {"r1": 2}


@virtual
async def test_a_fence_refuses_a_late_open() -> None:
    service = ScriptedService()
    async with running(service) as rig:
        rig.hub.order(CANCEL, turn=5)
        rig.hub.order(START, turn=5)
        rig.hub.order(START, turn=4)
        await settle()
        assert service.begun == 0
        assert rig.runner.drops == {"fenced_open": 2}
        rig.hub.order(START, turn=6)
        await settle()
        assert service.begun == 1


@virtual
async def test_output_of_a_fenced_scope_is_thrown_away() -> None:
    results: list[bool] = []

    async def stubborn(inbox: Inbox, emit: Emit) -> None:
        results.append(emit(ResponseDelta(text="before")))
        try:
            await asyncio.sleep(10)
        finally:
            results.append(emit(ResponseDelta(text="after")))

    async with running(ScriptedService(script=stubborn)) as rig:
        rig.hub.order(START, turn=1)
        await settle()
        rig.hub.order(CANCEL, turn=1)
        await settle()
        assert rig.hub.bodies() == [ResponseDelta(text="before")]
        assert rig.runner.drops == {"stale_output": 1}
    assert results == [True, False]


@virtual
async def test_an_error_after_the_cancel_is_nobodys_business() -> None:
    async def sore_loser(inbox: Inbox, emit: Emit) -> None:
        try:
            await asyncio.sleep(10)
        finally:
            raise AgentError("cut off")

    async with running(ScriptedService(script=sore_loser)) as rig:
        rig.hub.order(START, turn=1)
        await settle()
        rig.hub.order(CANCEL, turn=1)
        await settle()
        assert rig.hub.bodies() == []


@virtual
async def test_a_job_is_cancelled_by_its_number() -> None:
    service = ScriptedService(Scope.JOB, stuck)
    async with running(service) as rig:
        rig.hub.order(SPEAK, job=1)
        rig.hub.order(SPEAK, job=2)
        await settle()
        rig.hub.order(JobCancel(), job=1)
        await settle()
        assert service.cancelled == 1
        assert rig.runner.active == 1


# failing


@pytest.mark.parametrize(
    ("scope", "opening", "failure"),
    [
        (Scope.TURN, START, TurnFailed),
        (Scope.SESSION, SessionAssign(), TurnFailed),
        (Scope.JOB, SPEAK, JobFailed),
    ],
)
def test_an_agent_error_ends_its_scope_with_its_code(
    scope: Scope,
    opening: TurnStart | SessionAssign | SpeakRequest,
    failure: type[TurnFailed | JobFailed],
) -> None:
    async def fail(inbox: Inbox, emit: Emit) -> None:
        raise BackendBusy("one at a time")

    @virtual
    async def scenario() -> None:
        service = ScriptedService(scope, fail)
        async with running(service) as rig:
            rig.hub.order(opening, turn=4, job=9)
            await settle()
            assert rig.hub.bodies() == [failure(code="backend_busy", detail="one at a time")]
            assert (rig.hub.got[0].turn, rig.hub.got[0].job) == (4, 9)
            assert rig.runner.active == 0

    scenario()


@virtual
async def test_an_agent_error_leaves_other_scopes_alone() -> None:
    async def fail_first(inbox: Inbox, emit: Emit) -> None:
        item = await anext(inbox)
        if item.envelope.turn == 1:
            raise AgentError("unlucky")
        await asyncio.sleep(1)
        emit(ResponseDone())

    async with running(ScriptedService(script=fail_first)) as rig:
        rig.hub.order(START, turn=1)
        rig.hub.order(START, turn=2)
        await asyncio.sleep(2)
        assert names(rig.hub.bodies()) == ["TurnFailed", "ResponseDone"]


@virtual
async def test_any_other_exception_ends_the_runner_loudly() -> None:
    async def bug(inbox: Inbox, emit: Emit) -> None:
        raise ZeroDivisionError

    async def scenario() -> None:
        async with running(ScriptedService(script=bug)) as rig:
            rig.hub.order(START, turn=1)
            await settle()

    with pytest.raises(ExceptionGroup) as raised:
        await scenario()
    assert raised.group_contains(ZeroDivisionError)


@virtual
async def test_a_service_that_does_not_read_fails_its_scope() -> None:
    service = ScriptedService(script=stuck)
    async with running(service) as rig:
        rig.hub.order(START, turn=1)
        for until_ms in range(QOS[QosClass.CONTROL].bound_bytes // 256 + 1):
            rig.hub.order(SpeechCredit(until_ms=until_ms), turn=1)
            await asyncio.sleep(0)
        await settle()
        assert [b.code for b in rig.hub.bodies(TurnFailed)] == ["inbox_overrun"]  # type: ignore[attr-defined]
        assert service.cancelled == 1


# finished stays finished


@virtual
async def test_a_finished_turn_stays_finished() -> None:
    service = ScriptedService()
    async with running(service) as rig:
        rig.hub.order(START, turn=2)
        rig.hub.order(SpeechFinish(phrases=0), turn=2)
        await settle()
        rig.hub.order(request(0), turn=2)
        rig.hub.order(START, turn=2)
        rig.hub.order(START, turn=1)
        await settle()
        assert service.begun == service.finished == 1
        assert rig.runner.drops == {"no_scope": 1, "finished_open": 2}


@virtual
async def test_a_finished_job_stays_finished_whatever_the_order_of_numbers() -> None:
    service = ScriptedService(Scope.JOB, closes={SpeakRequest})
    async with running(service) as rig:
        for job in (7, 6, 7):
            rig.hub.order(SPEAK, job=job)
            await settle()
        assert service.finished == 2
        assert rig.runner.drops == {"finished_open": 1}


# sessions


@virtual
async def test_a_session_hears_its_robot_and_no_other() -> None:
    service = ScriptedService(Scope.SESSION)
    chunk = UtteranceChunk(utterance=1, first_sample=0)
    async with running(service) as rig:
        rig.hub.order(SessionAssign())
        await settle()
        rig.hub.media(chunk, b"\1\0")
        rig.hub.media(chunk, b"\2\0", robot="r2")
        await settle()
        rig.hub.order(SessionRelease())
        await settle()
        rig.hub.media(chunk, b"\3\0")
        await settle()
        assert [item.blob for item in service.read] == [b"", b"\1\0", b""]
        assert service.finished == 1
        assert rig.runner.drops == {}


@virtual
async def test_a_release_ends_a_session_that_does_not_declare_it() -> None:
    service = ScriptedService(Scope.SESSION, closes=set())
    async with running(service) as rig:
        rig.hub.order(SessionAssign())
        rig.hub.order(SessionRelease())
        await settle()
        assert service.bodies == [SessionAssign()]
        assert service.finished == 1


@virtual
async def test_a_newer_connection_replaces_the_session_of_an_older_one() -> None:
    service = ScriptedService(Scope.SESSION)
    finish = UtteranceFinish(utterance=1, first_sample=0, last_sample=9)
    async with running(service) as rig:
        rig.hub.order(SessionAssign(), epoch=1)
        await settle()
        rig.hub.order(SessionAssign(), epoch=2, session="s2")
        rig.hub.order(finish, epoch=1)
        rig.hub.order(SessionAssign(), epoch=1)
        await settle()
        assert service.cancelled == 1
        assert rig.runner.active == 1
        assert rig.runner.drops == {"no_scope": 1, "finished_open": 1}


@virtual
async def test_the_end_of_a_replaced_session_does_not_touch_the_new_one() -> None:
    said: list[bool] = []

    async def last_words(inbox: Inbox, emit: Emit) -> None:
        try:
            async for _ in inbox:
                pass
        finally:
            said.append(emit(TranscriptFinal(utterance=1, text="")))

    async with running(ScriptedService(Scope.SESSION, last_words)) as rig:
        rig.hub.order(SessionAssign(), epoch=1)
        await settle()
        rig.hub.order(SessionAssign(), epoch=2)
        await settle()
        assert said == [False]
        assert rig.runner.active == 1
        rig.hub.order(SessionRelease(), epoch=2)
        await settle()
        assert said == [False, True]


@virtual
async def test_messages_of_an_older_connection_do_not_reach_the_new_one() -> None:
    service = ScriptedService(Scope.SESSION)
    async with running(service) as rig:
        rig.hub.order(SessionAssign(), epoch=2)
        await settle()
        rig.hub.media(UtteranceChunk(utterance=1, first_sample=0), b"\0\0", epoch=1)
        await settle()
        assert service.bodies == [SessionAssign()]
        assert rig.runner.drops == {"stale_input": 1}


@virtual
async def test_audio_at_its_bound_loses_its_oldest_and_is_counted() -> None:
    service = ScriptedService(Scope.SESSION, stuck)
    second = b"\0" * 32_000
    async with running(service) as rig:
        rig.hub.order(SessionAssign())
        await settle()
        for _ in range(5):
            rig.hub.media(UtteranceChunk(utterance=1, first_sample=0), second)
        await settle()
        assert rig.runner.drops == {"inbox.mic": 3}


# batch services


@virtual
async def test_a_batch_service_is_told_when_the_lane_is_drained() -> None:
    service = ScriptedBatch()
    async with running(service) as rig:
        rig.hub.order(SessionAssign(), "r1")
        rig.hub.order(SessionAssign(), "r2")
        await settle()
        for robot in ("r1", "r2", "r3"):
            rig.hub.media(MicChunk(first_sample=0), b"\0\0", robot)
        await settle()
        rig.hub.order(AttentionSet(attention=Attention.MUTED), "r2")
        rig.hub.order(SessionRelease(), "r1")
        await settle()
        assert [e.robot for e in rig.hub.got] == ["r1", "r2", "r2"]
    assert service.log == [
        *("open r1", "open r2"),
        *("MicChunk r1", "MicChunk r2", "drained"),
        *("AttentionSet r2", "close r1", "close r2"),
    ]


@virtual
async def test_an_agent_error_closes_one_session_of_a_batch_service() -> None:
    service = ScriptedBatch(BackendBusy("too many"))
    async with running(service) as rig:
        rig.hub.order(SessionAssign(), "r1")
        rig.hub.order(SessionAssign(), "r2")
        await settle()
        rig.hub.media(MicChunk(first_sample=0), b"\0\0", "r1")
        await settle()
        assert rig.hub.bodies() == [TurnFailed(code="backend_busy", detail="too many")]
        assert rig.runner.active == 1


@virtual
async def test_an_agent_error_in_a_batch_closes_only_the_session_it_is_of() -> None:
    service = ScriptedBatch(unfit={"r1": BackendBusy("too many")})
    async with running(service) as rig:
        for robot in ("r1", "r2"):
            rig.hub.order(SessionAssign(), robot)
        await settle()
        for _ in range(2):
            for robot in ("r1", "r2"):
                rig.hub.media(MicChunk(first_sample=0), b"\0\0", robot)
            await settle()
        failed = TurnFailed(code="backend_busy", detail="too many")
        told = [(e.robot, type(e.body)) for e in rig.hub.got]
        assert told == [
            ("r1", VoiceStarted),
            ("r2", VoiceStarted),
            ("r1", TurnFailed),
            ("r2", VoiceStarted),
        ]
        assert failed in rig.hub.bodies()
        assert rig.runner.active == 1


@virtual
async def test_a_bug_in_a_batch_service_ends_the_runner() -> None:
    async def scenario() -> None:
        async with running(ScriptedBatch(ZeroDivisionError())) as rig:
            rig.hub.order(SessionAssign())
            await settle()
            rig.hub.media(MicChunk(first_sample=0), b"\0\0")
            await settle()

    with pytest.raises(ExceptionGroup) as raised:
        await scenario()
    assert raised.group_contains(ZeroDivisionError)


@virtual
async def test_a_replaced_session_of_a_batch_service_emits_nothing() -> None:
    service = ScriptedBatch()
    async with running(service) as rig:
        rig.hub.order(SessionAssign(), epoch=1)
        await settle()
        older = service.emits["r1"]
        rig.hub.order(SessionAssign(), epoch=2)
        await settle()
        assert not older(VoiceStarted(utterance=1, first_sample=0))
        assert service.emits["r1"](VoiceStarted(utterance=1, first_sample=0))


# leaving


@virtual
async def test_a_lost_link_cancels_every_scope_and_keeps_the_fences() -> None:
    turns, jobs = ScriptedService(script=stuck), ScriptedService(Scope.JOB, stuck)
    async with running(turns, jobs, ScriptedBatch()) as rig:
        rig.hub.order(CANCEL, turn=1)
        rig.hub.order(START, turn=2)
        rig.hub.order(SPEAK, job=1)
        rig.hub.order(SessionAssign())
        await settle()
        assert rig.runner.active == 3
        rig.hub.broker.cut(AGENT)
        await settle()
        assert rig.runner.active == 0
        assert turns.cancelled == jobs.cancelled == 1
        await asyncio.sleep(1)
        rig.hub.order(START, turn=1)
        rig.hub.order(SPEAK, job=1)
        await settle()
        assert turns.begun == 1
        assert jobs.begun == 2


@virtual
async def test_a_draining_agent_finishes_what_it_does_and_refuses_the_rest() -> None:
    async def answer(inbox: Inbox, emit: Emit) -> None:
        await asyncio.sleep(1)
        emit(ResponseDone())

    async with running(ScriptedService(script=answer), ScriptedService(Scope.JOB)) as rig:
        rig.hub.order(START, turn=1)
        rig.hub.order(AgentDrain())
        rig.hub.order(START, turn=2)
        rig.hub.order(SPEAK, job=1)
        await settle()
        assert names(rig.hub.bodies()) == ["TurnFailed", "JobFailed"]
        assert {b.code for b in rig.hub.bodies(TurnFailed, JobFailed)} == {"agent_draining"}  # type: ignore[attr-defined]
        await asyncio.sleep(2)
        assert names(rig.hub.bodies()) == ["TurnFailed", "JobFailed", "ResponseDone"]
        assert rig.runner.active == 0


def test_thirty_seconds_of_conversation_take_milliseconds() -> None:
    async def talk(inbox: Inbox, emit: Emit) -> None:
        for _ in range(30):
            await asyncio.sleep(0.1)
            emit(ResponseDelta(text="bla"))
        emit(ResponseDone())

    @virtual
    async def conversation() -> int:
        async with running(ScriptedService(script=talk)) as rig:
            for turn in range(1, 11):
                rig.hub.order(START, turn=turn)
                await asyncio.sleep(3.01)
            return len(rig.hub.got)

    began = time.perf_counter()
    assert conversation() == 10 * 31
    assert time.perf_counter() - began < 5


@virtual
async def test_a_job_ends_with_what_the_service_says() -> None:
    async def speak(inbox: Inbox, emit: Emit) -> None:
        emit(SpeechChunk(phrase=0, first_sample=0, rate_hz=16_000), b"\0\0")
        emit(JobDone(samples=1))

    async with running(ScriptedService(Scope.JOB, speak)) as rig:
        rig.hub.order(SPEAK, job=5)
        await settle()
        assert {(e.job, e.turn) for e in rig.hub.got} == {(5, 0)}
        assert sorted(names(rig.hub.bodies())) == ["JobDone", "SpeechChunk"]

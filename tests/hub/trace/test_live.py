"""A whole conversation in virtual time, seen by the tap."""

import asyncio

from hub.trace import entries as e
from hub.trace.check import examine
from hub.trace.entries import Entry, decode_entry, encode_entry
from hub.trace.tap import Tap
from hub.trace.timeline import Lane, timelines
from protocols.envelope import Envelope
from protocols.messages.face import Conversation
from protocols.messages.robot import Face, Hello, SpeechFrame, TurnEnd
from protocols.messages.turn import Outcome, TurnEnded
from protocols.qos import QueueDepth
from tests.conversations.stage import Robot, Stage, stage
from tests.virtual_time import clock_ns, names, until, virtual

SAID = "tell me about the hidden garden"


async def converse(theatre: Stage, said: str = SAID) -> Robot:
    robot = await theatre.connect(Robot("r1"))
    await asyncio.sleep(0.2)
    robot.speak(said)
    await robot.next(TurnEnd)
    return robot


def facts(told: list[Entry], topic: str) -> list[e.Fact]:
    return [entry for entry in told if isinstance(entry, e.Fact) and entry.topic == topic]


@virtual
async def test_a_conversation_is_told_in_order_and_is_clean() -> None:
    async with stage() as theatre:
        await converse(theatre)
    told = theatre.trace
    assert [decode_entry(encode_entry(entry)) for entry in told] == told
    assert [entry.n for entry in told] == list(range(1, len(told) + 1))
    assert [entry.t_ns for entry in told] == sorted(entry.t_ns for entry in told)
    verdict = examine(told)
    assert verdict.violation is None
    assert (verdict.turns, verdict.robots, verdict.holes) == (1, 1, 0)


@virtual
async def test_no_word_is_told_and_no_sound() -> None:
    async with stage() as theatre:
        theatre.tap.add(lambda _: None, media=True)
        await converse(theatre)
    assert facts(theatre.trace, "turn.ended")
    assert not any("garden" in repr(entry) for entry in theatre.trace)
    assert not any(getattr(entry, "pcm", b"") for entry in theatre.trace)


@virtual
async def test_words_and_sound_are_told_when_recording_is_on() -> None:
    async with stage() as theatre:
        theatre.tap.words = True
        theatre.tap.add(lambda _: None, media=True)
        await converse(theatre)
    ended = facts(theatre.trace, "turn.ended")[0].body
    assert isinstance(ended, TurnEnded)
    assert ended.user_text == SAID
    sound = [entry for entry in theatre.trace if isinstance(entry, e.SpeechOut | e.MicIn)]
    assert {type(entry) for entry in sound} == {e.SpeechOut, e.MicIn}
    assert all(entry.pcm for entry in sound)


@virtual
async def test_causes_lead_from_the_turn_to_the_end_of_the_utterance() -> None:
    async with stage() as theatre:
        await converse(theatre)
    told = theatre.trace
    by_n = {entry.n: entry for entry in told}
    by_id = {entry.id: entry for entry in told if isinstance(entry, e.Fact | e.Command)}
    began = facts(told, "turn.started")[0]
    final = by_n[began.by]
    assert isinstance(final, e.Fact)
    assert final.topic == "transcript.final"
    assert began.cause == final.id
    finish = by_id[final.cause]
    assert isinstance(finish, e.Command)
    assert finish.topic == "utterance.finish"
    ended = by_n[finish.by]
    assert isinstance(ended, e.Fact)
    assert ended.topic == "utterance.ended"


@virtual
async def test_each_microphone_chunk_is_told_only_to_those_who_want_media() -> None:
    async with stage() as theatre:
        await theatre.connect(Robot("r1"))
        await asyncio.sleep(1)
        assert not any(isinstance(entry, e.MicIn) for entry in theatre.trace)
        theatre.tap.add(lambda _: None, media=True)
        await asyncio.sleep(1)
        assert sum(isinstance(entry, e.MicIn) for entry in theatre.trace) == 50


@virtual
async def test_a_turn_is_shown_as_a_timeline() -> None:
    async with stage() as theatre:
        await converse(theatre)
    told = theatre.trace
    (shown,) = timelines(told)
    assert (shown.robot, shown.turn, shown.outcome) == ("r1", 1, Outcome.DONE)
    assert {moment.lane for moment in shown.moments} == set(Lane)
    assert (shown.moments[0].ms, shown.moments[0].what) == (0, "voice.started ← ears")
    assert [m.ms for m in shown.moments] == sorted(m.ms for m in shown.moments)
    assert shown.segments
    assert list(timelines(told, robot="r2")) == []
    assert list(timelines(told, turn=2)) == []


@virtual
async def test_a_turn_that_never_ended_is_shown_too() -> None:
    async with stage() as theatre:
        await converse(theatre)
    ended = facts(theatre.trace, "turn.ended")[0]
    (shown,) = timelines(entry for entry in theatre.trace if entry.n < ended.n)
    assert (shown.turn, shown.outcome) == (1, "")


@virtual
async def test_what_goes_to_the_wrong_robot_is_noticed_at_once() -> None:
    async with stage() as theatre:
        await converse(theatre)
        wrong = theatre.tap.connect("r2", 1, "sess-2", Hello(), False, Robot("r2"))
        wrong.send_speech(SpeechFrame(epoch=1, turn=1, first_sample=0, samples=2), bytes(4))
        assert theatre.monitor.counts["I7"] == 1
        theatre.monitor.violations.clear()


@virtual
async def test_speech_is_told_at_the_rate_its_connection_asked_for() -> None:
    async with stage() as theatre:
        link = theatre.tap.connect(
            "r2", 1, "sess-2", Hello(speech_rate_hz=24_000), False, Robot("r2")
        )
        link.send_speech(SpeechFrame(epoch=1, turn=1, first_sample=0, samples=240), bytes(480))
        theatre.monitor.violations.clear()
    [spoken] = [entry for entry in theatre.trace if isinstance(entry, e.SpeechOut)]
    assert (spoken.samples, spoken.rate_hz) == (240, 24_000)


@virtual
async def test_speech_that_waits_for_the_robot_is_measured_against_its_credit() -> None:
    async with stage() as theatre:
        robot = await theatre.connect(Robot("r1"))
        await asyncio.sleep(0.2)
        robot.speak(" ".join(["word"] * 40))
        await until(lambda: robot.played_ms(1) > 200)
        for _ in range(20):
            theatre.tap.depths(theatre.sessions.depths())
            theatre.tap.depths(theatre.bus.depths())
            await asyncio.sleep(0.1)
    full = [x for x in theatre.trace if isinstance(x, e.Depth) and x.queue == "playout_ms"]
    assert max(entry.depth for entry in full) > 3_000
    assert all(entry.depth <= entry.bound for entry in full)


@virtual
async def test_nothing_is_told_of_a_connection_that_was_closed() -> None:
    told: list[e.Entry] = []
    tap = Tap(clock_ns)
    tap.add(told.append)
    link = tap.connect("r1", 1, "sess-1", Hello(), False, Robot("r1"))
    link.close(4010, "draining")
    link.send(Face(conversation=Conversation.IDLE))
    link.gone(1006, "")
    assert names(told) == ["Opened", "Closed"]


def test_a_tap_that_nobody_listens_to_makes_no_entries() -> None:
    tap = Tap(lambda: 1)
    tap.depths([QueueDepth("outbox", "r1", 1, 2)])
    tap.fact(Envelope(body=TurnEnded(outcome=Outcome.DONE)), acting=False)
    assert tap.next_n() == 1

"""Every invariant finds what was planted, and nothing in a clean trace."""

from collections.abc import Callable

import msgspec
import pytest

from hub.trace.check import check, examine
from hub.trace.entries import Fact, Lost, decode_entry, encode_entry
from hub.trace.invariants.base import Recent
from hub.trace.monitor import Monitor
from protocols.messages.action import ActionDone, ActionRequested
from protocols.messages.robot import (
    Action,
    Emotion,
    Face,
    Gestures,
    Played,
    SpeechText,
    TurnEnd,
)
from protocols.messages.speech import SpeechPlayed, SpeechRequest
from protocols.messages.turn import (
    Outcome,
    Priority,
    ResponseDelta,
    ResponseDone,
    TurnEnded,
    TurnStart,
    TurnStarted,
)
from tests.hub.trace.story import FRAME, Story, conversation

CALM = Emotion(turn=1, emotion="neutral", intensity=0.5)


def action(turn: int = 3, **fields: object) -> Action:
    return Action(**{"id": "a1", "epoch": 1, "turn": turn, "action": "gesture"} | fields)  # type: ignore[arg-type]


def third_turn() -> Story:
    story = conversation()
    story.begins(3)
    return story


def test_a_conversation_is_clean() -> None:
    story = conversation()
    story.closes()
    story.stops()
    verdict = examine(story.entries)
    assert verdict.violation is None
    assert (verdict.turns, verdict.robots, verdict.holes, verdict.complete) == (2, 1, 0, True)


def test_conversations_of_two_robots_are_clean_however_they_interleave() -> None:
    story = Story()
    story.starts()
    story.connects("r1")
    story.connects("r2")
    for turn in (1, 2):
        for robot in ("r1", "r2"):
            story.begins(turn, robot)
        for robot in ("r2", "r1"):
            story.answers(turn, robot)
        for robot in ("r1", "r2"):
            story.ends(turn, Outcome.CANCELLED, robot)
    assert check(story.entries) is None


def test_a_robot_that_returns_goes_on_with_its_turn() -> None:
    story = Story()
    story.starts()
    story.connects()
    story.begins()
    story.answers(frames=3)
    story.closes(code=1006)
    story.connects(epoch=2, order=2, resumed=True)
    story.sends_speech(1, FRAME)
    story.sends_speech(1, 2 * FRAME)
    story.plays(1, 3)
    story.ends(1, played_ms=60)
    assert check(story.entries) is None


def test_a_mood_of_no_turn_is_behind_no_fence() -> None:
    story = third_turn()
    story.cuts(3)
    story.tells(Emotion(turn=0, emotion="sleepy", intensity=0.5))
    assert check(story.entries) is None


def test_turns_that_a_killed_hub_left_are_not_held_against_it() -> None:
    story = third_turn()
    story.starts(boot=2)
    story.connects(epoch=2)
    story.begins(4)
    story.ends(4)
    story.stops()
    assert check(story.entries) is None


# what was planted, by the invariant that it breaks


def emotion_behind_a_fence(story: Story) -> None:
    story.cuts(3)
    story.tells(Emotion(turn=3, emotion="sad", intensity=0.5))


def action_behind_a_fence(story: Story) -> None:
    story.cuts(3)
    story.tells(action())


def speech_behind_a_fence(story: Story) -> None:
    story.cuts(3)
    story.sends_speech(3)


def speech_behind_a_fence_of_an_earlier_connection(story: Story) -> None:
    story.cuts(3)
    story.closes(code=1006)
    story.connects(epoch=2, resumed=True)
    story.sends_speech(3)


def an_epoch_used_twice(story: Story) -> None:
    story.closes()
    story.opens(epoch=1)


def an_epoch_used_again_by_another_run(story: Story) -> None:
    story.starts(boot=2)
    story.opens(epoch=1)


def two_live_connections(story: Story) -> None:
    story.opens(epoch=2)


def a_message_on_a_replaced_connection(story: Story) -> None:
    story.closes()
    story.opens(epoch=2)
    story.tells(Face(conversation="idle"), connection=1, epoch=1)


def a_gap_in_the_facts(story: Story) -> None:
    story.fact(ResponseDelta(text=""), turn=3, order=99)


def a_number_twice_in_the_facts(story: Story) -> None:
    story.fact(ResponseDelta(text=""), turn=3)
    last = story.entries[-1]
    assert isinstance(last, Fact)
    story.fact(ResponseDelta(text=""), turn=3, order=last.order)


def a_gap_in_what_a_robot_is_told(story: Story) -> None:
    story.tells(Face(conversation="idle", order=2))
    story.tells(Face(conversation="idle", order=4))


def another_message_under_a_number_that_comes_again(story: Story) -> None:
    story.tells(TurnEnd(turn=2, outcome=Outcome.DONE, order=2))
    story.closes(code=1006)
    story.connects(epoch=2, order=1, resumed=True)


def an_action_requested_twice(story: Story) -> None:
    for _ in range(2):
        story.fact(ActionRequested(action="gesture", id="a1"), turn=3)


def an_action_sent_twice(story: Story) -> None:
    story.tells(action())
    story.tells(action())


def an_action_done_twice(story: Story) -> None:
    story.tells(action())
    for _ in range(2):
        story.fact(ActionDone(id="a1", ok=True))


def an_action_sent_again_after_its_ttl(story: Story) -> None:
    story.tells(action(ttl_ms=2))
    story.closes(code=1006)
    story.connects(epoch=2, order=1, resumed=True)
    story.tells(action(ttl_ms=2))


def an_action_sent_again_after_it_was_done(story: Story) -> None:
    story.tells(action())
    story.fact(ActionDone(id="a1", ok=True))
    story.closes(code=1006)
    story.connects(epoch=2, order=1, resumed=True)
    story.tells(action())


def an_overfull_queue(story: Story) -> None:
    story.depth("outbox", 65, 64)


def speech_of_a_turn_of_another_robot(story: Story) -> None:
    story.connects("r2")
    story.sends_speech(3, robot="r2")


def face_of_a_turn_of_another_robot(story: Story) -> None:
    story.connects("r2")
    story.tells(Emotion(turn=3, emotion="sad", intensity=0.5), "r2")


def a_session_of_another_robot(story: Story) -> None:
    story.opens("r2", session="sess-r1")


def speech_of_another_epoch(story: Story) -> None:
    story.sends_speech(3, frame_epoch=7)


def two_responses_on_one_connection(story: Story) -> None:
    story.sends_speech(3, 5 * FRAME)
    story.sends_speech(3, 2 * FRAME)


def more_acknowledged_than_sent(story: Story) -> None:
    story.sends_speech(3)
    story.hears(Played(epoch=1, turn=3, samples=FRAME + 1))


def more_reported_than_sent(story: Story) -> None:
    story.sends_speech(3)
    story.fact(SpeechPlayed(played_ms=21), turn=3)


def more_heard_than_sent(story: Story) -> None:
    story.sends_speech(3)
    story.ends(3, played_ms=21)


def an_end_twice(story: Story) -> None:
    story.ends(3)
    story.fact(TurnEnded(outcome=Outcome.FAILED), turn=3)


def a_turn_started_twice(story: Story) -> None:
    story.fact(TurnStarted(priority=Priority.USER), turn=3)


def two_live_turns(story: Story) -> None:
    story.fact(TurnStarted(priority=Priority.USER), turn=4)


def speech_after_the_end(story: Story) -> None:
    story.ends(3)
    story.sends_speech(3)


def gestures_after_the_end(story: Story) -> None:
    story.ends(3)
    story.tells(Gestures(turn=3, names=("nod",)))


def words_after_the_end(story: Story) -> None:
    story.ends(3)
    story.tells(SpeechText(turn=3, phrase=0, text=""))


def a_request_after_the_end(story: Story) -> None:
    story.ends(3)
    story.command(SpeechRequest(phrase=1, text="", rate_hz=16_000), "tts-primary-4", turn=3)


def a_start_after_the_end(story: Story) -> None:
    story.ends(3)
    story.command(TurnStart(user_text=""), "planner-reflex-5", turn=3)


def text_after_the_response(story: Story) -> None:
    story.fact(ResponseDone(), turn=3, src="planner-primary-9")
    story.fact(ResponseDelta(text=""), turn=3, src="planner-primary-9")


def a_response_done_twice(story: Story) -> None:
    for _ in range(2):
        story.fact(ResponseDone(), turn=3, src="planner-primary-9")


def a_turn_that_never_ends(story: Story) -> None:
    story.stops()


PLANTED: dict[str, tuple[Callable[[Story], None], ...]] = {
    "I1": (
        emotion_behind_a_fence,
        action_behind_a_fence,
        speech_behind_a_fence,
        speech_behind_a_fence_of_an_earlier_connection,
    ),
    "I2": (
        an_epoch_used_twice,
        an_epoch_used_again_by_another_run,
        two_live_connections,
        a_message_on_a_replaced_connection,
    ),
    "I3": (
        a_gap_in_the_facts,
        a_number_twice_in_the_facts,
        a_gap_in_what_a_robot_is_told,
        another_message_under_a_number_that_comes_again,
    ),
    "I5": (
        an_action_requested_twice,
        an_action_sent_twice,
        an_action_done_twice,
        an_action_sent_again_after_its_ttl,
        an_action_sent_again_after_it_was_done,
    ),
    "I6": (an_overfull_queue,),
    "I7": (
        speech_of_a_turn_of_another_robot,
        face_of_a_turn_of_another_robot,
        a_session_of_another_robot,
        speech_of_another_epoch,
        two_responses_on_one_connection,
    ),
    "I11": (more_acknowledged_than_sent, more_reported_than_sent, more_heard_than_sent),
    "I12": (
        an_end_twice,
        a_turn_started_twice,
        two_live_turns,
        speech_after_the_end,
        gestures_after_the_end,
        words_after_the_end,
        a_request_after_the_end,
        a_start_after_the_end,
        text_after_the_response,
        a_response_done_twice,
        a_turn_that_never_ends,
    ),
}


@pytest.mark.parametrize(
    ("invariant", "plant"),
    [(invariant, plant) for invariant, plants in PLANTED.items() for plant in plants],
    ids=lambda value: getattr(value, "__name__", value),
)
def test_a_planted_violation_is_found_and_named(
    invariant: str, plant: Callable[[Story], None]
) -> None:
    story = third_turn()
    assert check(story.entries) is None
    plant(story)
    violation = check(story.entries)
    assert violation is not None
    assert violation.invariant == invariant
    assert violation.message


@pytest.mark.parametrize("size", [1, 5, 400])
def test_no_hole_in_a_clean_trace_is_taken_for_a_violation(size: int) -> None:
    story = conversation("r2", conversation("r1"))
    story.closes("r1")
    story.connects("r1", epoch=2, order=1, resumed=True)
    story.begins(3)
    story.answers(3)
    story.ends(3)
    story.stops()
    for at in range(1, len(story.entries)):
        left = story.entries[:at] + story.entries[at + size :]
        assert check(left) is None, f"without {size} entries from {at} on"


def test_a_hole_is_counted_and_measured() -> None:
    story = conversation()
    story.loses(7)
    story.begins(3)
    story.loses(2)
    story.begins(4)
    verdict = examine(story.entries)
    assert (verdict.holes, verdict.longest_hole) == (2, 7)


def test_entries_that_the_tap_lost_are_a_hole() -> None:
    story = conversation()
    story.loses(4)
    story.add(Lost, count=5)
    story.begins(3)
    verdict = examine(story.entries)
    assert (verdict.holes, verdict.longest_hole, verdict.violation) == (1, 5, None)


def test_the_chain_leads_back_to_what_the_user_said() -> None:
    story = third_turn()
    story.answers(3)
    story.ends(3)
    story.command(SpeechRequest(phrase=1, text="", rate_hz=16_000), "tts", turn=3, by=began(story))
    violation = check(story.entries)
    assert violation is not None
    assert [line.split("  ")[1].split(" ")[0] for line in violation.chain] == [
        "speech.request",
        "turn.started",
        "transcript.final",
        "utterance.finish",
        "utterance.ended",
    ]


def began(story: Story) -> int:
    starts = [e for e in story.entries if isinstance(e, Fact) and e.topic == "turn.started"]
    return starts[-1].n


def test_entries_survive_being_written_down() -> None:
    for entry in conversation().entries:
        assert decode_entry(encode_entry(entry)) == entry


def test_an_entry_that_nobody_knows_is_refused() -> None:
    with pytest.raises(msgspec.DecodeError):
        decode_entry(msgspec.msgpack.encode({"type": "unheard-of", "n": 1, "t_ns": 1}))


def test_the_monitor_counts_all_and_holds_the_first() -> None:
    monitor = Monitor()
    story = third_turn()
    story.ends(3)
    for frame in range(200):
        story.sends_speech(3, frame * FRAME)
    for entry in story.entries:
        monitor.take(entry)
    assert monitor.counts["I12"] == 200
    assert len(monitor.violations) == 100
    assert {name for name, count in monitor.counts.items() if count} == {"I12"}


def test_what_is_remembered_is_bounded() -> None:
    recent: Recent[int, int] = Recent(3)
    for number in range(5):
        recent[number] = number
    recent[2] = 7
    assert recent == {2: 7, 3: 3, 4: 4}

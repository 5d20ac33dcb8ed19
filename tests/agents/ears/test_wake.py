"""Ears that wait for a wake word: what the hub is told of, and what a recogniser gets."""

import numpy as np
import pytest

from agents.ears.agent import Ears
from agents.ears.backends.base import Call
from agents.ears.backends.scripted import ScriptedActivity, ScriptedTurnModel, ScriptedWake
from agents.ears.endpointing import DEFAULT_RULES
from agents.runtime.errors import BackendUnavailable
from protocols.marks import MarkKind, marked_chunk
from protocols.messages.session import Attention, AttentionSet, SessionAssign
from protocols.messages.voice import (
    DropReason,
    UtteranceDropped,
    UtteranceEnded,
    VoiceStarted,
    VoiceStopped,
    WakeDetected,
    WakeUnheard,
)
from tests.agents.ears.microphone import Microphone, Samples, silence

WAITS = SessionAssign(attention=Attention.WAKE_WORD)


def ears(turn_model: ScriptedTurnModel | None = None, wake: ScriptedWake | None = None) -> Ears:
    return Ears(ScriptedActivity(), turn_model, wake or ScriptedWake(), rules=DEFAULT_RULES)


def sound(*parts: bytes | Samples) -> Samples:
    return np.concatenate(
        [np.frombuffer(part, np.int16) if isinstance(part, bytes) else part for part in parts]
    )


def said(seconds: float) -> Samples:
    """A voice that goes on for so long."""
    return sound(marked_chunk(MarkKind.START, 160), silence(seconds))


class Lingering(ScriptedWake):
    """Goes on hearing a word once it was said, as streaming models do for a while."""

    def memory(self) -> list[str]:  # type: ignore[override]
        return []

    def hear(self, memory: list[str], pcm: bytes) -> Call | None:  # type: ignore[override]
        call = super().hear(None, pcm)
        memory += [call.word] if call else []
        return Call(memory[-1], 1.0) if memory else None


class Lost(ScriptedWake):
    """Has no model any more for the first microphone that asks."""

    def __init__(self) -> None:
        self.asked = 0

    def memory(self) -> None:
        self.asked += 1
        if self.asked == 1:
            raise BackendUnavailable("the model is gone")


CALL = marked_chunk(MarkKind.WAKE, 160, "okay_nabu")
END = marked_chunk(MarkKind.STOP, 160)
PAUSE = silence(1.5)
QUESTION = sound(said(1.0), END, PAUSE)


def kinds(microphone: Microphone) -> list[type]:
    return [type(message) for message in microphone.messages]


def dropped(microphone: Microphone) -> list[DropReason]:
    return [m.reason for m in microphone.messages if isinstance(m, UtteranceDropped)]


def ended(microphone: Microphone) -> list[UtteranceEnded]:
    return [m for m in microphone.messages if isinstance(m, UtteranceEnded)]


def woken(microphone: Microphone) -> list[WakeDetected]:
    return [m for m in microphone.messages if isinstance(m, WakeDetected)]


def test_what_is_said_without_the_wake_word_is_reported_as_not_addressed_and_sent_to_nobody() -> (
    None
):
    turn_model = ScriptedTurnModel()
    microphone = Microphone(ears(turn_model), WAITS)
    microphone.hear(sound(QUESTION, QUESTION))
    assert dropped(microphone) == [DropReason.NOT_ADDRESSED] * 2
    assert microphone.emitted == [e for e in microphone.emitted if not e.blob]
    assert kinds(microphone) == [UtteranceDropped] * 2
    assert not turn_model.asked


def test_what_follows_the_wake_word_in_one_breath_is_an_utterance_that_begins_there() -> None:
    microphone = Microphone(ears(), WAITS)
    before = said(0.6)
    microphone.hear(sound(before, CALL, silence(1.0), END, PAUSE))
    [call] = woken(microphone)
    assert (call.word, call.last_sample) == ("okay_nabu", len(before) + 160)
    [end] = ended(microphone)
    assert end.first_sample == call.last_sample
    assert len(microphone.sound(end.utterance)) // 2 == end.last_sample - end.first_sample
    assert kinds(microphone).index(WakeDetected) < kinds(microphone).index(VoiceStarted)


def test_after_the_wake_word_alone_everything_is_taken_until_the_hub_says_otherwise() -> None:
    microphone = Microphone(ears(), WAITS)
    microphone.hear(sound(said(0.4), CALL, END, PAUSE, QUESTION))
    [call] = woken(microphone)
    assert len(ended(microphone)) == 1
    microphone.order(AttentionSet(attention=Attention.WAKE_WORD, wake_sample=call.last_sample))
    microphone.hear(QUESTION)
    assert len(ended(microphone)) == 1
    assert dropped(microphone)[-1] is DropReason.NOT_ADDRESSED


def test_a_wake_word_opens_ears_once_and_not_again_when_somebody_speaks_later() -> None:
    microphone = Microphone(ears(wake=Lingering()), WAITS)
    microphone.hear(sound(said(0.4), CALL, END, PAUSE))
    [call] = woken(microphone)
    microphone.order(AttentionSet(attention=Attention.WAKE_WORD, wake_sample=call.last_sample))
    microphone.hear(QUESTION)
    assert woken(microphone) == [call]
    assert dropped(microphone)[-1] is DropReason.NOT_ADDRESSED


def test_an_order_to_sleep_that_the_wake_word_has_overtaken_is_not_obeyed() -> None:
    microphone = Microphone(ears(), WAITS)
    microphone.hear(sound(said(0.4), CALL, END, PAUSE))
    microphone.order(AttentionSet(attention=Attention.WAKE_WORD))
    microphone.hear(QUESTION)
    assert len(ended(microphone)) == 1


def test_an_utterance_that_was_begun_is_ended_although_ears_fall_asleep_meanwhile() -> None:
    microphone = Microphone(ears(), WAITS)
    microphone.order(AttentionSet(attention=Attention.WAKE_WORD, awake=True))
    microphone.hear(said(0.5))
    microphone.order(AttentionSet(attention=Attention.WAKE_WORD))
    microphone.hear(sound(END, PAUSE, QUESTION))
    assert len(ended(microphone)) == 1
    assert dropped(microphone) == [DropReason.NOT_ADDRESSED]


def test_a_voice_from_before_the_window_opened_is_none_of_the_robots() -> None:
    microphone = Microphone(ears(), WAITS)
    microphone.hear(sound(said(0.4), CALL, END, PAUSE))
    [call] = woken(microphone)
    known = call.last_sample
    microphone.order(AttentionSet(attention=Attention.WAKE_WORD, wake_sample=known))
    microphone.emitted.clear()
    microphone.hear(said(0.5))
    microphone.order(AttentionSet(attention=Attention.WAKE_WORD, awake=True, wake_sample=known))
    microphone.hear(sound(silence(0.5), END, PAUSE))
    assert not microphone.emitted
    microphone.hear(QUESTION)
    assert len(ended(microphone)) == 1


def test_a_wake_word_that_the_robot_heard_itself_counts_from_where_it_ended() -> None:
    microphone = Microphone(ears(), WAITS)
    microphone.hear(said(0.5))
    at = microphone.at
    microphone.order(AttentionSet(attention=Attention.WAKE_WORD, awake=True, wake_sample=at))
    microphone.hear(sound(silence(0.5), END, PAUSE))
    [end] = ended(microphone)
    assert end.first_sample == at


def test_the_button_works_while_the_wake_word_is_waited_for() -> None:
    microphone = Microphone(ears(), WAITS)
    microphone.order(AttentionSet(attention=Attention.PUSH_TO_TALK, held=True))
    microphone.hear(sound(said(0.5), END))
    microphone.order(AttentionSet(attention=Attention.WAKE_WORD))
    assert len(ended(microphone)) == 1
    microphone.hear(QUESTION)
    assert dropped(microphone) == [DropReason.NOT_ADDRESSED]


def test_ears_without_a_wake_word_engine_say_so_and_hear_nothing() -> None:
    deaf = Ears(ScriptedActivity(), rules=DEFAULT_RULES)
    microphone = Microphone(deaf, WAITS)
    microphone.hear(QUESTION)
    assert kinds(microphone) == [WakeUnheard, UtteranceDropped]
    microphone.order(AttentionSet(attention=Attention.WAKE_WORD, awake=True))
    microphone.hear(QUESTION)
    assert kinds(microphone)[2] is VoiceStarted
    assert kinds(microphone)[-2:] == [VoiceStopped, UtteranceEnded]
    microphone.order(AttentionSet(attention=Attention.PUSH_TO_TALK, held=True))
    microphone.order(AttentionSet(attention=Attention.WAKE_WORD))
    assert kinds(microphone).count(WakeUnheard) == 1, "not each time the button is let go of"


def test_a_microphone_that_cannot_be_listened_to_ends_alone() -> None:
    service = ears(wake=Lost())
    deaf, other = (Microphone(service, WAITS, robot=robot) for robot in ("robot1", "robot2"))
    call = sound(said(0.4), CALL).tobytes()
    for microphone in (deaf, other):
        microphone.put(call)
    [(robot, error)] = service.drained().items()
    assert (robot, error.code) == ("robot1", "backend_unavailable")
    service.close(robot)
    assert len(woken(other)) == 1
    other.hear(sound(silence(0.5), END, PAUSE))
    assert len(ended(other)) == 1


def test_a_microphone_that_cannot_be_listened_to_fails_on_what_comes_next_as_well() -> None:
    microphone = Microphone(ears(wake=Lost()), WAITS)
    microphone.put(sound(said(0.4)).tobytes())
    with pytest.raises(BackendUnavailable):
        microphone.order(AttentionSet(attention=Attention.WAKE_WORD))


def test_long_talk_that_is_not_for_the_robot_is_not_kept() -> None:
    microphone = Microphone(ears(), WAITS)
    microphone.hear(said(25.0), (16_000,))
    held = microphone._ears._listeners["robot1"]._tape
    assert held.end - held.first <= 9 * 16_000

"""Ears as the runtime sees them: microphone chunks and orders in, facts and speech out."""

import asyncio
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.ears.agent import CLOSE_WAIT_S, Ears
from agents.ears.backends.base import Heard
from agents.ears.backends.scripted import ScriptedActivity, ScriptedTurnModel
from agents.ears.endpointing import DEFAULT_RULES, INSTANT
from protocols.marks import MarkKind, marked_chunk
from protocols.messages.audio import UtteranceChunk
from protocols.messages.session import Attention, AttentionSet, Endpointing, SessionAssign
from protocols.messages.voice import (
    DropReason,
    EndReason,
    UtteranceClose,
    UtteranceDrop,
    UtteranceDropped,
    UtteranceEnded,
    VoiceConfirmed,
    VoiceStarted,
    VoiceStopped,
)
from tests.agents.ears.microphone import Microphone, Samples, noise, silence
from tests.virtual_time import names, settle, virtual

START = np.frombuffer(marked_chunk(MarkKind.START, 320, "hello"), np.int16)
STOP = np.frombuffer(marked_chunk(MarkKind.STOP, 320), np.int16)
SPEECH = np.concatenate((silence(0.5), START, noise(1.0), STOP, silence(2.0)))

CLIENT = SessionAssign(endpointing=Endpointing.CLIENT)


def scripted(**changes: float) -> Ears:
    """Ears that hear marks, under the rules of real ones."""
    return Ears(ScriptedActivity(), rules=replace(DEFAULT_RULES, **changes))  # type: ignore[arg-type]


def instant() -> Ears:
    return Ears(ScriptedActivity(), rules=INSTANT)


def ended(microphone: Microphone) -> list[UtteranceEnded]:
    return [m for m in microphone.messages if isinstance(m, UtteranceEnded)]


def dropped(microphone: Microphone) -> list[DropReason]:
    return [m.reason for m in microphone.messages if isinstance(m, UtteranceDropped)]


def test_an_utterance_is_reported_in_order_and_its_sound_is_sent_whole() -> None:
    microphone = Microphone(scripted())
    microphone.hear(SPEECH)
    assert names(microphone.messages) == [
        "VoiceStarted", "VoiceConfirmed", "VoiceLasted", "VoiceStopped", "UtteranceEnded",
    ]  # fmt: skip
    [end] = ended(microphone)
    assert microphone.sound(1) == SPEECH[end.first_sample : end.last_sample].tobytes()
    assert end.first_sample == 8_000 - 4_800
    assert end.speech_end_sample == 8_000 + 320 + 16_000


def test_speech_goes_out_while_it_is_spoken_and_before_its_end_is_told() -> None:
    microphone = Microphone(scripted())
    microphone.hear(SPEECH)
    chunks = [e for e in microphone.emitted if isinstance(e.message, UtteranceChunk)]
    for one, other in pairwise(chunks):
        assert one.message.first_sample + len(one.blob) // 2 == other.message.first_sample
        assert other.heard - one.heard <= 1_920
    assert isinstance(microphone.emitted[-1].message, UtteranceEnded)


def test_onset_is_told_within_150_ms() -> None:
    microphone = Microphone(scripted())
    microphone.hear(SPEECH)
    started = next(e for e in microphone.emitted if isinstance(e.message, VoiceStarted))
    assert started.heard - 8_000 <= 150 * 16


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(1, 20_000), min_size=1, max_size=8))
def test_the_same_samples_give_the_same_events_in_whatever_chunks(sizes: list[int]) -> None:
    whole, pieces = Microphone(scripted()), Microphone(scripted())
    whole.hear(SPEECH)
    pieces.hear(SPEECH, sizes)
    assert pieces.messages == whole.messages
    assert pieces.sound(1) == whole.sound(1)


def test_a_burst_after_a_stall_is_judged_like_the_same_sound_on_time() -> None:
    on_time, late = Microphone(scripted()), Microphone(ears := scripted())
    on_time.hear(SPEECH)
    for at in range(0, len(SPEECH), 320):
        late.put(SPEECH[at : at + 320].tobytes())
    ears.drained()
    assert late.messages == on_time.messages


def test_a_marked_chunk_starts_and_ends_an_utterance_at_once() -> None:
    microphone = Microphone(instant())
    microphone.hear(START)
    assert names(microphone.messages) == ["VoiceStarted", "VoiceConfirmed"]
    microphone.hear(silence(0.2))
    microphone.hear(STOP)
    assert names(microphone.messages[2:]) == ["VoiceStopped", "UtteranceEnded"]


def test_lost_sound_is_no_silence_and_is_counted() -> None:
    ears = scripted()
    microphone = Microphone(ears)
    microphone.hear(SPEECH[:20_000])
    microphone.put(SPEECH[20_000:21_600].tobytes(), lose=True)
    microphone.hear(SPEECH[21_600:])
    [end] = ended(microphone)
    assert ears.counters["samples_missing"] == 1_600
    assert len(microphone.sound(1)) // 2 == end.last_sample - end.first_sample - 1_600


def test_sound_that_comes_again_is_cut_off() -> None:
    ears = scripted()
    microphone = Microphone(ears)
    for at in range(0, len(SPEECH), 320):
        microphone.put(SPEECH[at : at + 320].tobytes())
        microphone.at -= 100 if at % 3_200 == 0 and at else 0
        if at % 3_200 == 0 and at:
            microphone.put(SPEECH[at + 220 : at + 320].tobytes())
        ears.drained()
    assert ears.counters["samples_repeated"] > 0
    [end] = ended(microphone)
    assert microphone.sound(1) == SPEECH[end.first_sample : end.last_sample].tobytes()


@pytest.mark.parametrize("pcm", [b"", b"\0", b"\0\0\0"])
def test_bytes_that_are_no_samples_are_counted_and_harm_nothing(pcm: bytes) -> None:
    ears = scripted()
    microphone = Microphone(ears)
    microphone.put(pcm)
    microphone.at = 0
    microphone.hear(SPEECH)
    assert ears.counters["bad_audio"] == 1
    assert len(ended(microphone)) == 1


def test_sound_for_a_robot_without_a_session_is_counted() -> None:
    ears = scripted()
    microphone = Microphone(ears)
    ears.close("robot1")
    microphone.hear(silence(0.1))
    assert ears.counters["no_session"] == 5


def test_robots_are_judged_apart() -> None:
    ears = scripted()
    speaking, quiet = Microphone(ears, robot="robot1"), Microphone(ears, robot="robot10")
    for at in range(0, len(SPEECH), 320):
        speaking.put(SPEECH[at : at + 320].tobytes())
        quiet.put(bytes(640))
        ears.drained()
    assert len(ended(speaking)) == 1
    assert not quiet.emitted


def test_utterance_numbers_go_on_over_a_takeover() -> None:
    ears = scripted()
    Microphone(ears).hear(SPEECH)
    second = Microphone(ears)
    second.hear(SPEECH)
    assert [end.utterance for end in ended(second)] == [2]


def test_times_are_those_of_the_sample_a_fact_is_about() -> None:
    microphone = Microphone(scripted(), t0_ns=5_000_000_000)
    microphone.hear(SPEECH)
    times = {type(e.message): e.t_src_ns - 5_000_000_000 for e in microphone.emitted}
    assert times[VoiceStarted] == 8_000 * 62_500
    assert times[VoiceStopped] == times[UtteranceEnded] == 24_320 * 62_500


# attention


def test_a_muted_robot_hears_nothing() -> None:
    microphone = Microphone(scripted(), SessionAssign(attention=Attention.MUTED))
    microphone.hear(SPEECH)
    assert not microphone.emitted


def test_muting_drops_what_is_being_said() -> None:
    microphone = Microphone(scripted())
    microphone.hear(SPEECH[:16_000])
    microphone.order(AttentionSet(attention=Attention.MUTED))
    microphone.hear(SPEECH[16_000:])
    assert dropped(microphone) == [DropReason.MUTED]
    microphone.order(AttentionSet(attention=Attention.OPEN))
    microphone.hear(SPEECH)
    assert [end.utterance for end in ended(microphone)] == [2]


def test_push_to_talk_hears_only_while_the_button_is_held() -> None:
    microphone = Microphone(scripted(), SessionAssign(attention=Attention.PUSH_TO_TALK))
    microphone.hear(SPEECH)
    assert not microphone.emitted
    pressed = microphone.at
    microphone.order(AttentionSet(attention=Attention.PUSH_TO_TALK, held=True))
    microphone.hear(SPEECH)
    microphone.order(AttentionSet(attention=Attention.PUSH_TO_TALK))
    [end] = ended(microphone)
    assert end.reason is EndReason.CLIENT
    assert (end.first_sample, end.last_sample) == (pressed - 4_800, microphone.at)
    assert len(microphone.sound(1)) // 2 == end.last_sample - end.first_sample


def test_a_button_held_over_silence_is_dropped() -> None:
    microphone = Microphone(scripted(), SessionAssign(attention=Attention.PUSH_TO_TALK))
    microphone.order(AttentionSet(attention=Attention.PUSH_TO_TALK, held=True))
    microphone.hear(silence(1.0))
    microphone.order(AttentionSet(attention=Attention.PUSH_TO_TALK))
    assert dropped(microphone) == [DropReason.TOO_SHORT]


# the client ends utterances


def test_a_client_that_closes_gets_everything_since_the_last_close() -> None:
    microphone = Microphone(scripted(), CLIENT)
    for _ in range(2):
        microphone.hear(SPEECH[:30_001])
        microphone.order(UtteranceClose(last_sample=microphone.at))
    assert [(e.first_sample, e.last_sample, e.reason) for e in ended(microphone)] == [
        (0, 30_001, EndReason.CLIENT),
        (30_001, 60_002, EndReason.CLIENT),
    ]
    assert microphone.sound(2) == SPEECH[:30_001].tobytes()
    assert {VoiceStarted, VoiceConfirmed, VoiceStopped} <= {type(m) for m in microphone.messages}


def test_closing_on_nothing_drops_as_empty() -> None:
    microphone = Microphone(scripted(), CLIENT)
    microphone.order(UtteranceClose())
    assert dropped(microphone) == [DropReason.EMPTY]


def test_a_close_that_overtook_sound_waits_for_it() -> None:
    microphone = Microphone(scripted(), CLIENT)
    microphone.hear(SPEECH[:16_000])

    @virtual
    async def overtaken() -> None:
        microphone.order(UtteranceClose(last_sample=19_700))
        assert not ended(microphone)
        microphone.hear(SPEECH[16_000:20_000], [1_000])
        await asyncio.sleep(2 * CLOSE_WAIT_S)

    overtaken()
    assert [end.last_sample for end in ended(microphone)] == [19_700]
    assert microphone.sound(1) == SPEECH[:19_700].tobytes()
    microphone.hear(SPEECH[20_000:23_000])
    microphone.order(UtteranceClose(last_sample=23_000))
    assert microphone.sound(2) == SPEECH[19_700:23_000].tobytes()


@virtual
async def test_sound_that_a_close_has_taken_begins_nothing_more() -> None:
    microphone = Microphone(instant(), CLIENT)
    said = np.concatenate((START, noise(0.1), STOP))
    ends = []
    for _ in range(2):
        ends.append(microphone.at + len(said))
        microphone.order(UtteranceClose(last_sample=ends[-1]))
        microphone.hear(np.concatenate((said, START)), [len(said) + len(START)])
    assert [(end.utterance, end.last_sample) for end in ended(microphone)] == [
        (1, ends[0]),
        (2, ends[1]),
    ]
    assert dropped(microphone) == []


def test_a_cancel_forgets_all_that_was_said_even_what_is_on_its_way() -> None:
    microphone = Microphone(scripted(), CLIENT)
    microphone.hear(SPEECH[:16_000])
    microphone.order(UtteranceDrop(utterance=0, reason=DropReason.MUTED, last_sample=24_000))
    assert dropped(microphone) == [DropReason.MUTED]
    microphone.put(SPEECH[16_000:17_000].tobytes(), lose=True)
    microphone.hear(SPEECH[17_000:30_000])
    microphone.order(UtteranceClose(last_sample=30_000))
    [end] = ended(microphone)
    assert (end.first_sample, end.last_sample) == (24_000, 30_000)
    assert microphone.sound(end.utterance) == SPEECH[24_000:30_000].tobytes()


def test_what_is_said_after_a_cancel_is_kept_even_if_it_came_before_it() -> None:
    microphone = Microphone(scripted(), CLIENT)
    microphone.hear(SPEECH[:24_000])
    microphone.order(UtteranceDrop(utterance=0, reason=DropReason.MUTED, last_sample=16_000))
    microphone.order(UtteranceClose(last_sample=24_000))
    [end] = ended(microphone)
    assert (end.first_sample, end.last_sample) == (16_000, 24_000)
    assert microphone.sound(end.utterance) == SPEECH[16_000:24_000].tobytes()


def test_a_cancel_leaves_a_robot_that_is_spoken_to_silent_until_the_next_voice() -> None:
    microphone = Microphone(scripted())
    microphone.hear(SPEECH[:16_000])
    microphone.order(UtteranceDrop(utterance=1, reason=DropReason.MUTED, last_sample=16_000))
    microphone.hear(SPEECH[16_000:])
    assert not ended(microphone)
    assert not dropped(microphone)
    microphone.hear(SPEECH)
    assert len(ended(microphone)) == 1


@virtual
async def test_a_close_does_not_wait_for_ever() -> None:
    ears = scripted()
    microphone = Microphone(ears, CLIENT)
    microphone.hear(SPEECH[:16_000])
    microphone.order(UtteranceClose(last_sample=16_640))
    await asyncio.sleep(CLOSE_WAIT_S + 0.01)
    assert [end.last_sample for end in ended(microphone)] == [16_000]
    assert ears.counters["close_short_of_audio"] == 1


def test_a_close_after_the_hubs_own_end_changes_nothing() -> None:
    microphone = Microphone(scripted())
    microphone.hear(SPEECH)
    before = list(microphone.messages)
    microphone.order(UtteranceClose(last_sample=microphone.at))
    assert microphone.messages == before


def test_a_close_that_overtook_sound_does_not_cut_an_utterance_that_the_hub_ends() -> None:
    microphone = Microphone(scripted())
    microphone.hear(SPEECH[:20_000])
    microphone.order(UtteranceClose(last_sample=len(SPEECH)))
    assert ended(microphone) == []
    microphone.hear(SPEECH[20_000:])
    [end] = ended(microphone)
    assert end.speech_end_sample == 8_000 + 320 + 16_000


def test_a_forgotten_utterance_is_told_no_more() -> None:
    microphone = Microphone(scripted())
    microphone.hear(SPEECH[:16_000])
    microphone.order(UtteranceDrop(utterance=1, reason=DropReason.ECHO))
    so_far = len(microphone.emitted)
    microphone.hear(SPEECH[16_000:])
    assert len(microphone.emitted) == so_far


# the turn model


@virtual
async def test_the_turn_model_is_asked_about_the_utterance_and_ends_it() -> None:
    model = ScriptedTurnModel(lambda pcm: 0.9)
    microphone = Microphone(Ears(ScriptedActivity(), model))
    for at in range(0, len(SPEECH), 320):
        microphone.hear(SPEECH[at : at + 320])
        await settle(3)
    [end] = ended(microphone)
    assert end.reason is EndReason.TURN_MODEL
    assert end.last_sample - end.speech_end_sample < 250 * 16
    [asked] = model.asked
    assert asked == SPEECH[end.first_sample : end.first_sample + len(asked) // 2].tobytes()


@virtual
async def test_a_turn_model_that_says_not_done_only_makes_ears_more_patient() -> None:
    microphone = Microphone(Ears(ScriptedActivity(), ScriptedTurnModel(lambda pcm: 0.1)))
    for at in range(0, len(SPEECH), 320):
        microphone.hear(SPEECH[at : at + 320])
        await settle(3)
    [end] = ended(microphone)
    assert end.reason is EndReason.SILENCE
    assert end.last_sample - end.speech_end_sample > 1_200 * 16


class Recorded:
    """A voice activity that notes the size of each batch."""

    name = "recorded"
    window = 512

    def __init__(self) -> None:
        self.batches: list[int] = []

    async def start(self) -> None: ...

    async def close(self) -> None: ...

    def memory(self) -> None: ...

    def score(self, heard: list[Heard]) -> list[float]:
        self.batches.append(len(heard))
        return [0.0] * len(heard)


def test_windows_of_all_robots_are_judged_in_one_call() -> None:
    activity = Recorded()
    ears = Ears(activity)  # type: ignore[arg-type]
    microphones = [Microphone(ears, robot=f"robot{n}") for n in range(8)]
    sound: Samples = silence(512 * 3 / 16_000)
    for microphone in microphones:
        microphone.put(sound.tobytes())
    ears.drained()
    assert activity.batches == [8, 8, 8]

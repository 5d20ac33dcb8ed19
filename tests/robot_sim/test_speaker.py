"""The loudspeaker: exact to the sample, and deaf to what was flushed."""

from dataclasses import dataclass, field

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from protocols.identity import Stamp
from protocols.messages.robot import Playing, SpeechFrame
from robot_sim.speaker import Cue, Moment, Speaker

RATE_HZ = 16_000
MS = 1_000_000
FRAME = 320


@dataclass
class Rig:
    """A speaker with a clock, whose tape is kept. Sample ``i`` of turn ``t`` has value
    ``t * 5000 + i % 4999 + 1``, so that what sounds tells where it comes from."""

    now_ms: float = 0
    sounded: bytearray = field(default_factory=bytearray)

    def __post_init__(self) -> None:
        self.speaker = Speaker(RATE_HZ, 0, self.sounded.extend)

    @property
    def now_ns(self) -> int:
        return round(self.now_ms * MS)

    def feed(self, turn: int, first: int, samples: int = FRAME, energy: int = 9) -> list[Cue]:
        pcm = (turn * 5000 + np.arange(first, first + samples) % 4999 + 1).astype("<i2")
        header = SpeechFrame(epoch=1, turn=turn, first_sample=first, samples=samples, energy=energy)
        return self.speaker.feed(header, pcm.tobytes(), self.now_ns)

    def say(self, turn: int, ms: int, first_ms: int = 0) -> None:
        for at in range(first_ms * 16, (first_ms + ms) * 16, FRAME):
            self.feed(turn, at)

    def wait(self, ms: float, tick_ms: float = 10) -> list[Cue]:
        cues: list[Cue] = []
        end = self.now_ms + ms
        while self.now_ms < end:
            self.now_ms = min(end, self.now_ms + tick_ms)
            cues += self.speaker.advance(self.now_ns)
        return cues

    def heard(self, turn: int) -> list[int]:
        """The samples of ``turn`` on the tape, in the order they sounded, as indices."""
        tape = np.frombuffer(bytes(self.sounded), "<i2")
        return [int(v) - turn * 5000 - 1 for v in tape if v // 5000 == turn and v]


def moments(cues: list[Cue]) -> list[tuple[Moment, int]]:
    return [(cue.moment, cue.played.samples) for cue in cues]


def test_an_end_that_overtook_its_speech_ends_it() -> None:
    rig = Rig()
    rig.speaker.finish(1, 640, rig.now_ns)
    rig.say(1, 40)
    assert moments(rig.wait(100))[-1] == (Moment.ENDED, 640)
    assert not rig.speaker.busy


def test_what_is_buffered_plays_in_real_time() -> None:
    rig = Rig()
    rig.say(1, 200)
    rig.wait(50)
    assert rig.heard(1) == list(range(800))
    assert rig.speaker.samples_played(1) == 800


def test_playback_is_reported_every_100_ms_and_at_the_end() -> None:
    rig = Rig()
    rig.say(1, 260)
    rig.speaker.finish(1, 260 * 16, rig.now_ns)
    assert moments(rig.wait(400)) == [
        (Moment.BEGAN, 160),
        (Moment.GOES_ON, 160 + 1600),
        (Moment.GOES_ON, 160 + 3200),
        (Moment.ENDED, 4160),
    ]
    assert not rig.speaker.busy


def test_a_held_response_goes_on_at_the_held_sample() -> None:
    rig = Rig()
    rig.say(1, 300)
    rig.wait(105)
    [cue] = rig.speaker.hold(1, rig.now_ns)
    assert cue == Cue(Moment.HELD, cue.played)
    assert cue.played.samples == 105 * 16
    assert rig.wait(500) == []
    rig.speaker.release(1, rig.now_ns)
    rig.wait(50)
    assert rig.heard(1) == list(range(155 * 16))
    assert rig.speaker.playing is not None
    assert rig.speaker.playing.underruns == 0


def test_a_ducked_response_is_quieter_until_it_is_released() -> None:
    rig = Rig()
    rig.say(2, 100)
    rig.speaker.duck(2, -20.0, rig.now_ns)
    rig.wait(10)
    rig.speaker.release(2, rig.now_ns)
    rig.wait(10)
    tape = np.frombuffer(bytes(rig.sounded), "<i2")
    assert list(tape[:2]) == [1000, 1000]
    assert list(tape[160:162]) == [10161, 10162]


def test_what_is_flushed_is_silent_from_the_very_sample() -> None:
    rig = Rig()
    rig.say(1, 300)
    rig.wait(33)
    cues, flushed = rig.speaker.flush(Stamp(1, 1), rig.now_ns)
    assert moments(cues)[-1] == (Moment.FLUSHED, 528)
    assert (flushed.epoch, flushed.turn, flushed.samples) == (1, 1, 528)
    rig.wait(300)
    assert len(rig.heard(1)) == 528


def test_frames_at_or_below_the_fence_are_refused_and_counted() -> None:
    rig = Rig()
    rig.speaker.flush(Stamp(1, 2), rig.now_ns)
    rig.feed(1, 0)
    rig.feed(2, 0)
    rig.feed(3, 0)
    rig.wait(40)
    assert rig.speaker.counters == {"fenced": 2}
    assert rig.heard(1) == rig.heard(2) == []
    assert len(rig.heard(3)) == FRAME


def test_a_flush_of_a_turn_that_has_ended_reports_all_of_it() -> None:
    rig = Rig()
    rig.say(1, 100)
    rig.speaker.finish(1, 1600, rig.now_ns)
    rig.wait(150)
    cues, flushed = rig.speaker.flush(Stamp(1, 1), rig.now_ns)
    assert cues == []
    assert flushed.samples == 1600


def test_an_empty_buffer_in_the_middle_is_an_underrun_at_the_end_it_is_none() -> None:
    rig = Rig()
    rig.say(1, 20)
    rig.wait(40)
    rig.say(1, 20, first_ms=20)
    rig.wait(40)
    [end] = rig.speaker.finish(1, 640, rig.now_ns)
    assert end.moment is Moment.ENDED
    assert end.played.underruns == 1


def test_repeated_frames_sound_once_and_missing_ones_as_silence() -> None:
    rig = Rig()
    rig.feed(1, 0)
    rig.feed(1, 0)
    rig.feed(1, 160)
    rig.feed(1, 640)
    rig.wait(100)
    assert rig.heard(1) == [*range(480), *range(640, 960)]
    assert rig.speaker.counters == {"duplicate": 1, "gap": 1}
    assert rig.speaker.samples_played(1) == 960


def test_a_response_may_begin_in_its_middle_after_a_resume() -> None:
    rig = Rig()
    rig.say(1, 40, first_ms=500)
    [began, *_] = rig.wait(30)
    assert began.played.samples == 8000 + 160
    assert rig.speaker.counters == {}


def test_a_newer_turn_waits_for_the_older_and_ends_it() -> None:
    rig = Rig()
    rig.say(1, 40)
    rig.say(2, 40)
    assert [(c.moment, c.played.turn) for c in rig.wait(100)] == [
        (Moment.BEGAN, 1),
        (Moment.ENDED, 1),
        (Moment.BEGAN, 2),
    ]
    rig.feed(1, 640)
    assert rig.speaker.counters == {"late": 1}


def test_another_hub_may_begin_its_turns_at_one_again() -> None:
    rig = Rig()
    rig.speaker.flush(Stamp(4, 90), rig.now_ns)
    rig.speaker.forget(rig.now_ns)
    rig.feed(1, 0)
    rig.wait(20)
    assert len(rig.heard(1)) == FRAME


def test_energy_is_that_of_the_frame_that_sounds() -> None:
    rig = Rig()
    rig.feed(1, 0, energy=40)
    rig.feed(1, 320, energy=200)
    rig.wait(10)
    assert rig.speaker.energy == 40
    rig.wait(20)
    assert rig.speaker.energy == 200
    rig.wait(50)
    assert rig.speaker.energy == 0


OPS = st.lists(
    st.one_of(
        st.tuples(st.just("say"), st.integers(1, 4), st.integers(0, 12)),
        st.tuples(st.just("hold"), st.integers(1, 4), st.just(0)),
        st.tuples(st.just("release"), st.integers(1, 4), st.just(0)),
        st.tuples(st.just("flush"), st.integers(0, 4), st.just(0)),
        st.tuples(st.just("wait"), st.integers(1, 50), st.just(0)),
    ),
    max_size=40,
)


@given(OPS)
def test_nothing_flushed_ever_sounds_and_every_turn_sounds_in_order(
    ops: list[tuple[str, int, int]],
) -> None:
    rig = Rig()
    fence, silent_after = 0, dict[int, int]()
    for verb, number, more in ops:
        match verb:
            case "say":
                rig.feed(number, more * FRAME)
            case "hold":
                rig.speaker.hold(number, rig.now_ns)
            case "release":
                rig.speaker.release(number, rig.now_ns)
            case "flush":
                _, flushed = rig.speaker.flush(Stamp(1, number), rig.now_ns)
                fence = max(fence, number)
                silent_after |= {t: len(rig.heard(t)) for t in range(1, fence + 1)}
                assert flushed.samples == rig.speaker.samples_played(number)
            case "wait":
                rig.wait(number)
        assert all(len(rig.heard(turn)) == n for turn, n in silent_after.items())
    for turn in range(1, 5):
        heard = rig.heard(turn)
        assert heard == sorted(set(heard))
    assert len(rig.sounded) == 2 * (rig.now_ns * RATE_HZ // 1_000_000_000)


def test_it_says_where_the_newest_response_stands() -> None:
    rig = Rig()
    assert rig.speaker.position is None
    rig.say(1, 300)
    rig.wait(100)
    assert rig.speaker.position == Playing(turn=1, samples=1600, received=4800)
    rig.speaker.finish(1, 4800, rig.now_ns)
    rig.wait(300)
    assert rig.speaker.position == Playing(turn=1, samples=4800, received=4800)


def test_reports_after_a_return_carry_the_number_of_the_new_connection() -> None:
    rig = Rig()
    rig.say(1, 300)
    rig.wait(20)
    rig.speaker.adopt(2)
    assert {cue.played.epoch for cue in rig.wait(300)} == {2}

"""Speech at another tempo: as long as it should be, at its own pitch, with its marks in place."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from math import prod

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.runtime.errors import AgentError
from agents.tts.agent import Jobs
from agents.tts.backends.scripted import ScriptedVoice
from agents.tts.parts import Marks, Sound
from agents.tts.tempo import Share, Tempo, at_tempo, shared, steps_of
from protocols.messages.speech import VisemeMark, WordMark
from tests.agents.tts.spoken import job
from tests.fakes.speech_server import tone
from tests.fakes.two_lists import served
from tests.virtual_time import virtual

RATE_HZ = 24_000
SECOND = tone(RATE_HZ)


def stretched(pcm: bytes, factor: float, step: int = 4_800) -> bytes:
    tempo = Tempo(factor, RATE_HZ)
    made = [tempo.feed(pcm[at : at + step]) for at in range(0, len(pcm), step)]
    return b"".join(made) + tempo.finish()


@pytest.mark.parametrize("factor", [0.25, 0.4, 0.9, 1.3, 2.0, 3.1, 4.0])
def test_sound_is_stretched_to_its_length_at_its_own_pitch(factor: float) -> None:
    made = np.frombuffer(stretched(SECOND, factor), "<i2")
    assert len(made) == pytest.approx(RATE_HZ / factor, rel=0.02, abs=RATE_HZ * 0.03)
    middle = made[len(made) // 4 : len(made) * 3 // 4]
    spectrum = np.abs(np.fft.rfft(middle * np.hanning(len(middle))))
    assert np.argmax(spectrum) * RATE_HZ / len(middle) == pytest.approx(440, abs=12)
    assert np.abs(middle.astype(int)).mean() == pytest.approx(8_000 * 2 / np.pi, rel=0.1)


def test_it_is_the_same_however_it_was_cut() -> None:
    assert stretched(SECOND, 1.7, 1_002) == stretched(SECOND, 1.7, len(SECOND))


def test_nothing_becomes_nothing_and_a_moment_a_moment() -> None:
    assert stretched(b"", 2.0) == b""
    assert len(stretched(SECOND[:20], 2.0)) <= 40


@given(st.floats(0.25, 4.0))
def test_the_steps_of_a_factor_are_those_a_filter_does_well(factor: float) -> None:
    steps = steps_of(factor)
    assert prod(steps) == pytest.approx(factor)
    assert all(0.5 <= step <= 2.0 for step in steps)


@given(st.floats(0.1, 10.0), st.floats(0.25, 4.0))
def test_what_an_engine_cannot_do_of_a_speed_is_left_to_be_stretched(
    rate: float, speed: float
) -> None:
    share = shared(rate, speed, 0.5, 2.0)
    assert 0.5 <= share.rate <= 2.0
    assert share.rate * share.stretch == pytest.approx(min(2.0, max(0.5, rate)) * speed)


def test_what_it_can_do_is_its_own() -> None:
    assert shared(1.0, 1.5, 0.5, 2.0) == Share(1.5, 1.0)
    assert shared(1.0, 4.0, 0.5, 2.0) == Share(2.0, 2.0)


class Spoken:
    """Parts of a phrase, at two rates; says whether they were closed."""

    def __init__(self) -> None:
        self.closed = False

    async def parts(self) -> AsyncGenerator[Sound | Marks, None]:
        try:
            yield Marks((WordMark("one", 0, 1_000),), (VisemeMark("w", 500),))
            yield Sound(SECOND)
            yield Marks((WordMark("two", 1_000, 2_000),))
            yield Sound(tone(16_000), 16_000)
        finally:
            self.closed = True


async def test_marks_move_with_their_sound_and_a_change_of_rate_is_kept() -> None:
    parts = [part async for part in at_tempo(Spoken().parts(), 2.0, RATE_HZ)]
    assert [part for part in parts if isinstance(part, Marks)] == [
        Marks((WordMark("one", 0, 500),), (VisemeMark("w", 250),)),
        Marks((WordMark("two", 500, 1_000),)),
    ]
    for rate_hz in (RATE_HZ, 16_000):
        sounds = [p.pcm for p in parts if isinstance(p, Sound) and p.rate_hz == rate_hz]
        assert len(b"".join(sounds)) // 2 == pytest.approx(rate_hz / 2, rel=0.05)


async def test_the_usual_tempo_is_left_alone() -> None:
    parts = [part async for part in at_tempo(Spoken().parts(), 1.001, RATE_HZ)]
    assert parts == [part async for part in Spoken().parts()]


async def test_closing_it_closes_the_voice() -> None:
    spoken = Spoken()
    async with aclosing(at_tempo(spoken.parts(), 2.0, RATE_HZ)) as parts:
        await anext(parts)
    assert spoken.closed


@virtual
async def test_a_speed_that_is_none_is_refused() -> None:
    for speed in (0.2, 4.1, -1.0, float("nan")):
        with pytest.raises(AgentError) as raised:
            await served(Jobs(ScriptedVoice()), job("hello", speed=speed))
        assert raised.value.code == "bad_speed"

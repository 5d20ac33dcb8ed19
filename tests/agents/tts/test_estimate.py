import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.tts.backends.base import Marks, Sound
from agents.tts.estimate import (
    HOLD_MS,
    MOST_MS,
    EstimatedSpeech,
    EstimatedTimes,
    Pace,
    Weight,
    spread,
    units_of,
    weigh,
)
from protocols.messages.speech import WordMark

RATE_HZ = 24_000
TEXTS = st.lists(
    st.sampled_from(["a", "robot", "3.5", "–", "你好", "end.", "well,"]), min_size=1
).map(" ".join)


@pytest.mark.parametrize(
    ("word", "weight"),
    [
        ("robot", Weight(5, 0)),
        ("robot,", Weight(5, 3)),
        ("robot.", Weight(5, 6)),
        ('robot."', Weight(5, 6)),
        ("3.5", Weight(8, 0)),
        ("50%", Weight(13, 0)),
        ("–", Weight(0, 0)),
        ("你好", Weight(6, 0)),
        ("...", Weight(0, 6)),
    ],
)
def test_a_word_weighs_what_is_said_of_it(word: str, weight: Weight) -> None:
    assert weigh(word) == weight


def test_the_pause_at_the_end_of_a_text_is_not_part_of_it() -> None:
    assert units_of("Stop. Go now!") == 4 + 6 + 2 + 3
    assert units_of("") == 0


def test_words_share_audio_of_known_length_by_their_letters_and_pauses() -> None:
    assert spread(["Hi,", "robot"], 100, 1_100) == (
        WordMark("Hi,", 100, 300),
        WordMark("robot", 600, 1_100),
    )


def test_words_without_a_sound_take_no_time_but_the_last_one_ends_with_the_audio() -> None:
    assert spread(["–", "ok", "–"], 0, 200) == (
        WordMark("–", 0, 0),
        WordMark("ok", 0, 200),
        WordMark("–", 200, 200),
    )
    assert spread(["–"], 0, 200) == (WordMark("–", 0, 200),)


def test_a_word_is_marked_when_its_audio_is_about_to_come_and_not_sooner() -> None:
    times = EstimatedTimes("one two three", 100)
    assert times.before(1, 100) == (WordMark("one", 0, 100),)
    assert times.before(300, 300) == ()
    assert times.before(301, 400) == (WordMark("two", 300, 400),)
    assert times.before(10_000, 10_000) == ()
    assert times.finish(10_000) == (WordMark("three", 600, 10_000),)
    assert times.finish(10_000) == ()


def test_audio_that_ends_early_presses_the_rest_together() -> None:
    times = EstimatedTimes("one two three", 100)
    times.before(1, 300)
    assert times.finish(500) == (WordMark("two", 300, 375), WordMark("three", 375, 500))


def test_the_pace_follows_the_voice_and_stays_within_reason() -> None:
    pace = Pace(70)
    for _ in range(30):
        pace.learn(10, 500)
    assert pace.ms_per_unit == pytest.approx(50, abs=0.1)
    pace.learn(0, 500)
    for _ in range(60):
        pace.learn(1, 60_000)
    assert pace.ms_per_unit == pytest.approx(MOST_MS, abs=0.1)


def speak(text: str, sizes: list[int], pace: Pace, factor: float = 1.0) -> list[Marks | Sound]:
    speech = EstimatedSpeech(text, RATE_HZ, pace, factor)
    parts = [part for size in sizes for part in speech.add(bytes(size * 2))]
    return [*parts, *speech.finish()]


@given(TEXTS, st.lists(st.integers(0, 30_000), min_size=1, max_size=20), st.floats(25, 250))
def test_every_word_is_marked_once_in_order_and_no_later_than_it_ends(
    text: str, sizes: list[int], ms_per_unit: float
) -> None:
    given_ms, ended_ms, words = 0, 0, []
    for part in speak(text, sizes, Pace(ms_per_unit)):
        if isinstance(part, Sound):
            given_ms += len(part.pcm) * 1000 // (2 * RATE_HZ)
            continue
        for mark in part.words:
            words.append(mark.text)
            assert ended_ms <= mark.start_ms <= mark.end_ms
            assert mark.end_ms >= given_ms - 1
            ended_ms = mark.end_ms
    assert " ".join(words) == text
    assert ended_ms == sum(sizes) * 1000 // RATE_HZ


@given(TEXTS, st.lists(st.integers(0, 30_000), min_size=1, max_size=20))
def test_all_audio_is_given_out_as_it_came(text: str, sizes: list[int]) -> None:
    pcm = b"".join(part.pcm for part in speak(text, sizes, Pace()) if isinstance(part, Sound))
    assert len(pcm) == 2 * sum(sizes)


def test_no_word_is_claimed_before_its_audio() -> None:
    speech, given_ms = EstimatedSpeech("one two three four five", RATE_HZ, Pace(100)), 0
    for _ in range(20):
        for part in speech.add(bytes(2 * RATE_HZ // 10)):
            if isinstance(part, Marks):
                assert all(mark.start_ms < given_ms + 100 + HOLD_MS for mark in part.words)
            else:
                given_ms += len(part.pcm) * 1000 // (2 * RATE_HZ)


def test_the_first_audio_is_not_kept_waiting() -> None:
    speech = EstimatedSpeech("one two", RATE_HZ, Pace())
    parts = speech.add(bytes(2 * RATE_HZ // 10))
    assert [type(part) for part in parts] == [Marks, Sound]


def test_what_a_voice_speaks_faster_is_learned_at_its_usual_rate() -> None:
    pace = Pace(100)
    speak("one two", [RATE_HZ * 3 // 10], pace, factor=2.0)
    assert pace.ms_per_unit == pytest.approx(100)

"""The pure helpers of a turn, as tables."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.session.heard import TOLERANCE_MS, heard_text, heard_words, spread_marks
from hub.session.phrases import MAX_CHARS, cut
from hub.session.preemption import Claim, Voice, decide, voice_may
from hub.session.waterfall import Stage, segments
from hub.session.words import Act, instant_act, is_aside, is_backchannel
from protocols.messages.session import EchoCanceller
from protocols.messages.speech import WordMark
from protocols.messages.turn import Priority

SAFETY, USER, PLAN, AMBIENT = Priority.SAFETY, Priority.USER, Priority.PLAN, Priority.AMBIENT


@pytest.mark.parametrize(
    ("holder", "new", "granted"),
    [
        (SAFETY, SAFETY, True),
        (SAFETY, USER, False),
        (USER, SAFETY, True),
        (USER, USER, True),
        (USER, PLAN, False),
        (USER, AMBIENT, False),
        (PLAN, USER, True),
        (PLAN, PLAN, False),
        (AMBIENT, PLAN, True),
        (AMBIENT, AMBIENT, False),
        (None, AMBIENT, True),
    ],
)
def test_who_yields_to_whom(holder: Priority | None, new: Priority, granted: bool) -> None:
    verdict = decide(None if holder is None else Claim(holder), Claim(new))
    assert verdict.granted is granted
    assert bool(verdict.reason) is not granted


@pytest.mark.parametrize("new", [USER, PLAN, AMBIENT])
def test_what_may_not_be_interrupted_yields_to_safety_alone(new: Priority) -> None:
    assert not decide(Claim(PLAN, interruptible=False), Claim(new)).granted
    assert decide(Claim(PLAN, interruptible=False), Claim(SAFETY)).granted


@pytest.mark.parametrize(
    ("holder", "audible", "aec", "means"),
    [
        (None, False, EchoCanceller.NONE, Voice.LISTEN),
        (Claim(USER), True, EchoCanceller.DEVICE, Voice.BARGE_IN),
        (Claim(USER), True, EchoCanceller.HUB, Voice.BARGE_IN),
        (Claim(USER), True, EchoCanceller.NONE, Voice.IGNORE),
        (Claim(USER), False, EchoCanceller.NONE, Voice.REOPEN),
        (Claim(PLAN), False, EchoCanceller.NONE, Voice.IGNORE),
        (Claim(PLAN), True, EchoCanceller.DEVICE, Voice.BARGE_IN),
        (Claim(PLAN, interruptible=False), True, EchoCanceller.DEVICE, Voice.IGNORE),
    ],
)
def test_what_a_voice_means(
    holder: Claim | None, audible: bool, aec: EchoCanceller, means: Voice
) -> None:
    assert voice_may(holder, audible, aec) is means


@pytest.mark.parametrize(
    ("text", "first", "final", "phrases", "rest"),
    [
        ("Hello there. How are", True, False, ("Hello there.",), " How are"),
        ("Hi. How are you? ", True, False, ("Hi. How are you?",), " "),
        ("3.5 meters", True, False, (), "3.5 meters"),
        ("Well, I think so", True, False, (), "Well, I think so"),
        ("Well then my friend, I", True, False, ("Well then my friend,",), " I"),
        ("Yes.", True, False, (), "Yes."),
        ("Yes.", True, True, ("Yes.",), ""),
        ("It is. And it was so. Then", False, False, (), "It is. And it was so. Then"),
        ("", True, True, (), ""),
        ("   ", True, True, (), "   "),
    ],
)
def test_phrases_are_cut_where_they_can_be_spoken(
    text: str, first: bool, final: bool, phrases: tuple[str, ...], rest: str
) -> None:
    found = cut(text, first, final)
    assert found == (phrases, rest)


@given(st.text(alphabet="ab .,!?\n", max_size=900), st.integers(1, 40))
def test_no_word_is_lost_however_the_text_arrives(text: str, size: int) -> None:
    phrases: list[str] = []
    rest = ""
    for start in range(0, len(text), size):
        found = cut(rest + text[start : start + size], not phrases, False)
        phrases += found.phrases
        rest = found.rest
    phrases += cut(rest, not phrases, True).phrases
    assert "".join(" ".join(phrases).split()) == "".join(text.split())
    assert all(0 < len(p) <= MAX_CHARS for p in phrases)


MARKS = (WordMark("Hello", 0, 300), WordMark("there", 300, 600), WordMark("you", 700, 900))


@pytest.mark.parametrize(
    ("played_ms", "text"),
    [
        (0, ""),
        (219, ""),
        (220, "Hello"),
        (519, "Hello"),
        (520, "Hello there."),
        (820, "Hello there. You, you!"),
    ],
)
def test_a_word_is_heard_when_its_end_was_played(played_ms: int, text: str) -> None:
    assert heard_text("Hello there. You, you!", MARKS, played_ms) == text


@given(
    st.lists(st.sampled_from(["one", "two", "three,", "four."]), max_size=12), st.integers(0, 4000)
)
def test_what_was_heard_is_a_prefix_and_never_more_than_was_played(
    words: list[str], played_ms: int
) -> None:
    text = " ".join(words)
    marks = tuple(WordMark(w.strip(",."), 200 * i, 200 * i + 200) for i, w in enumerate(words))
    heard = heard_text(text, marks, played_ms)
    assert text.startswith(heard)
    count = heard_words(marks, played_ms)
    assert len(heard.split()) == count
    assert count * 200 <= played_ms + TOLERANCE_MS or count == 0


@given(st.text(alphabet="abc ", max_size=60), st.integers(0, 500), st.integers(1, 5000))
def test_estimated_marks_tile_the_phrase(text: str, first_ms: int, length_ms: int) -> None:
    marks = spread_marks(text, first_ms, first_ms + length_ms)
    assert [m.text for m in marks] == text.split()
    assert all(a.end_ms == b.start_ms for a, b in pairwise(marks))
    if marks:
        assert (marks[0].start_ms, marks[-1].end_ms) == (first_ms, first_ms + length_ms)


@pytest.mark.parametrize(
    ("text", "act"),
    [
        ("stop", Act.STOP),
        ("Stop!", Act.STOP),
        ("okay robot, be quiet please", Act.STOP),
        ("louder", Act.LOUDER),
        ("not so loud please", Act.QUIETER),
        ("stop at the door", None),
        ("do not stop", None),
        ("", None),
        ("please", None),
    ],
)
def test_only_a_bare_instant_word_acts_at_once(text: str, act: Act | None) -> None:
    assert instant_act(text) is act


@pytest.mark.parametrize(
    ("text", "is_one"), [("mm-hmm", True), ("oh I see", True), ("", True), ("I see a cat", False)]
)
def test_a_backchannel_says_nothing(text: str, is_one: bool) -> None:
    assert is_backchannel(text) is is_one


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("uh huh", True), ("buddy", True), ("but ah", True), ("", True), ("Wait!", False),
        ("oh no", False), ("hold on", False), ("my buddy", False), ("I see a cat", False),
    ],
)  # fmt: skip
def test_a_lone_word_beside_the_robots_speech_is_an_aside_unless_it_calls(
    text: str, is_one: bool
) -> None:
    assert is_aside(text) is is_one


@given(st.dictionaries(st.sampled_from(list(Stage)), st.integers(0, 10**12)))
def test_segments_add_up_to_the_whole_and_are_never_negative(stages: dict[Stage, int]) -> None:
    found = segments(stages)
    assert all(s.ms >= 0 for s in found)
    if len(stages) > 1:
        at = [stages[s] for s in sorted(stages)]
        assert round(sum(s.ms for s in found) * 1000) == max(at) // 1000 - at[0] // 1000

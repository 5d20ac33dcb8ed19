"""What the guard keeps back, what it lets pass, and that disguises do not help."""

import ast
import re
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import agents.planner.reflex
from hub.session import guard, phrases
from hub.session.guard_phrases import HEARD, SPOKEN
from hub.session.guard_replies import ANSWERS, INSTEAD, NOTES
from hub.session.guard_words import Category
from hub.session.state import Policy
from tests.hub.session.guard_sentences import (
    FORBIDDEN_EITHER_WAY,
    FORBIDDEN_TO_HEAR,
    FORBIDDEN_TO_SAY,
    INNOCENT,
)


def cases(*tables: dict[str, tuple[str, ...]]) -> list[tuple[str, str]]:
    return [(why, text) for table in tables for why, texts in table.items() for text in texts]


def reflex_lines() -> list[str]:
    """Everything with a space that stands in the reflex planner as a text."""
    folder = Path(agents.planner.reflex.__path__[0])
    trees = [ast.parse((folder / f"{n}.py").read_text()) for n in ("replies", "smalltalk", "rules")]
    texts = [
        node.value
        for tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
    return [text for text in texts if " " in text]


SAID = cases(FORBIDDEN_EITHER_WAY, FORBIDDEN_TO_SAY)
HEARD_WORDS = cases(FORBIDDEN_EITHER_WAY, FORBIDDEN_TO_HEAR)
# A link in Greek letters is no link, and a number is no word.
WORDS_SAID = [text for why, text in SAID if why != "contact"]
SPOKEN_INNOCENT = [*INNOCENT, *reflex_lines()]


@pytest.mark.parametrize(("why", "sentence"), SAID)
def test_a_forbidden_sentence_is_replaced_by_the_one_for_its_kind(why: str, sentence: str) -> None:
    assert guard.checked(sentence) == (INSTEAD[Category(why)], why)


@pytest.mark.parametrize(("why", "words"), HEARD_WORDS)
def test_forbidden_words_become_a_note_that_says_their_kind(why: str, words: str) -> None:
    assert guard.heard(words) == (NOTES[Category(why)], why)


@pytest.mark.parametrize("sentence", SPOKEN_INNOCENT)
def test_an_innocent_sentence_is_spoken_as_it_is(sentence: str) -> None:
    assert guard.checked(sentence) == (sentence, None)


@pytest.mark.parametrize("words", INNOCENT)
def test_innocent_words_are_heard_as_they_are(words: str) -> None:
    assert guard.heard(words) == (words, None)


def test_there_are_enough_innocent_sentences_to_say_so() -> None:
    assert len(INNOCENT) >= 150
    assert len(reflex_lines()) >= 60


def test_innocent_sentences_are_innocent_in_any_company() -> None:
    for first, second in pairwise(SPOKEN_INNOCENT):
        assert guard.checked(second, before=first).kept_back is None, (first, second)


def test_what_is_said_instead_passes_the_guard_itself() -> None:
    policy = Policy()
    said = [*INSTEAD.values(), *ANSWERS.values(), policy.filler, policy.apology]
    for text in said:
        for phrase in phrases.cut(text, first=True, final=True).phrases:
            assert guard.checked(phrase) == (phrase, None)


def test_every_category_has_its_phrases() -> None:
    assert set(INSTEAD) == set(Category)
    assert {*SPOKEN, Category.HARMED, Category.FAULT} == set(Category)
    assert set(ANSWERS) == set(NOTES) == {*HEARD, Category.FAULT}
    assert len(set(INSTEAD.values())) == len(set(NOTES.values())) + 4 == len(INSTEAD)


def test_of_several_kinds_the_gravest_counts() -> None:
    assert guard.heard("Fuck, I want to kill myself.").kept_back is Category.SELF_HARM
    assert guard.checked("You are stupid and I will kill you.").kept_back is Category.VIOLENCE


# disguises

DISGUISED = (
    "k1ll y0urself",
    "K!LL yourself",
    "k i l l yourself",
    "k.i.l.l. yourself",
    "K-I-L-L yourself",
    "ki-ll yourself",
    "kiiiill yourself",
    "kkkilll yourself",
    "k i l l y o u r s e l f",
    "ｋｉｌｌ ｙｏｕｒｓｅｌｆ",
    "𝓴𝓲𝓵𝓵 yourself",
    "ⓚⓘⓛⓛ yourself",
    "🅺🅸🅻🅻 yourself",
    "ᴋɪʟʟ yourself",
    "кіll yourself",
    "κιll yourself",
    "k\u200bi\u200dl\u2060l yourself",
    "k\u00adill yourself",
    "k̶i̶l̶l̶ yourself",
    "ḱíłḷ yourself",
    "kill\u00a0yourself",
    "kill_yourself",
    "kill...yourself",
    "kill,yourself",
    "\u202ekill\u202c yourself",
    "Kill\nyourself",
)


@pytest.mark.parametrize("sentence", DISGUISED)
def test_a_disguise_does_not_help(sentence: str) -> None:
    assert guard.checked(sentence).kept_back is Category.SELF_HARM
    assert guard.heard(sentence).kept_back is Category.SELF_HARM


@pytest.mark.parametrize(
    "sentence",
    ["F u c k you", "f.u.c.k.", "F. U. C. K.", "fuuuuck", "f**k you", "f#ck", "fսck", "fμck", "sh1t", "$hit",
     "a$$hole", "@sshole", "b!tch", "b1tch", "5hit", "sh*t", "s.h.i.t", "s h i t", "ƒuck", "ḟüċḳ"],
)  # fmt: skip
def test_a_rude_word_is_known_in_any_dress(sentence: str) -> None:
    assert guard.heard(sentence).kept_back is Category.PROFANITY


UNSEEN = ("\u200b", "\u200c", "\u200d", "\u2060", "\ufeff", "\u00ad", "\u0301", "\u0336", "\ufe0f")
LOOK_ALIKES = {
    "a": "аα", "c": "сϲ", "d": "ԁ", "e": "еε", "g": "ɡ", "h": "һ", "i": "іι", "j": "ј", "k": "кκ",
    "n": "ո", "o": "оοօ", "p": "рρ", "q": "ԛ", "s": "ѕ", "t": "тτ", "u": "υս", "v": "νѵ", "w": "ԝω",
    "x": "хχ", "y": "уγ", "m": "м",
}  # fmt: skip


def full_width(letter: str) -> str:
    return chr(ord(letter) + 0xFEE0) if "!" <= letter <= "~" and letter.isalpha() else letter


@st.composite
def disguised(draw: st.DrawFn, sentences: list[str]) -> tuple[str, str]:
    """A forbidden sentence, and the same in letters that only look or hide differently."""
    sentence = draw(st.sampled_from(sentences))
    random = draw(st.randoms(use_true_random=False))
    out = []
    for letter in sentence:
        match random.randrange(8):
            case 0:
                out.append(full_width(letter))
            case 1:
                out.append(letter + random.choice(UNSEEN))
            case 2:
                out.append(random.choice(LOOK_ALIKES.get(letter.lower(), letter)))
            # The case of a letter after a full stop may tell where a sentence begins.
            case 3 if letter.isalpha() and not letter.isupper():
                out.append(letter.upper())
            case _:
                out.append(letter)
    return sentence, "".join(out)


@given(disguised(WORDS_SAID))
def test_a_forbidden_sentence_is_kept_back_in_any_letters(pair: tuple[str, str]) -> None:
    plain, text = pair
    assert guard.checked(text).kept_back == guard.checked(plain).kept_back


@given(disguised([text for _, text in HEARD_WORDS]))
def test_forbidden_words_are_kept_back_in_any_letters(pair: tuple[str, str]) -> None:
    plain, text = pair
    assert guard.heard(text).kept_back == guard.heard(plain).kept_back


# properties

FRAGMENTS = st.sampled_from([*INNOCENT, *(t for _, t in SAID), *(t for _, t in HEARD_WORDS)])
TEXTS = st.one_of(
    st.text(max_size=80),
    st.lists(FRAGMENTS, max_size=3).map(" ".join),
    st.lists(
        st.sampled_from(sorted({w for t in WORDS_SAID for w in t.split()})), max_size=14
    ).map(" ".join),
)  # fmt: skip


@given(TEXTS, TEXTS)
def test_what_was_checked_passes_when_it_is_checked_again(text: str, before: str) -> None:
    once = guard.checked(text, before)
    assert guard.checked(once.text, before) == (once.text, None)


@given(TEXTS)
def test_a_note_heard_again_is_the_same_note(text: str) -> None:
    once = guard.heard(text)
    assert guard.heard(once.text) == once
    assert guard.heard(f"{once.text} and one thing more").kept_back == once.kept_back or (
        once.kept_back is None
    )


@settings(max_examples=40)
@given(st.text(alphabet=st.sampled_from("kilfuckyo u.*1!\u0301а"), max_size=2_000))
def test_no_text_is_too_strange_to_be_read(text: str) -> None:
    for verdict in (guard.checked(text, text), guard.heard(text)):
        assert verdict.kept_back is not Category.FAULT


class Unreadable(str):
    """A text that breaks who reads it."""

    __slots__ = ()

    def isascii(self) -> bool:
        raise RuntimeError("cannot be read")


def test_a_guard_that_fails_says_something_safe() -> None:
    assert guard.checked(Unreadable("hello")) == (INSTEAD[Category.FAULT], Category.FAULT)
    assert guard.heard(Unreadable("hello")) == (NOTES[Category.FAULT], Category.FAULT)
    assert guard.checked("hello there", Unreadable("x")) == ("hello there", None)


# sentences in pieces


@pytest.mark.parametrize(("why", "sentence"), [c for c in SAID if c[0] != "contact"])
def test_a_sentence_cut_between_any_two_words_is_caught_by_its_end(why: str, sentence: str) -> None:
    words = sentence.split()
    for at in range(1, len(words)):
        first, second = " ".join(words[:at]), " ".join(words[at:])
        caught = [guard.checked(first).kept_back, guard.checked(second, before=first).kept_back]
        assert any(caught), (first, second)


@pytest.mark.parametrize("number", ["Call 555-123-4567.", "My number is 0170 1234567."])
def test_a_telephone_number_in_two_pieces_is_caught(number: str) -> None:
    first, second = number.rsplit(" ", 1)
    assert guard.checked(second, before=first).kept_back is Category.CONTACT


def test_two_words_are_not_taken_for_one() -> None:
    assert guard.checked("is red.", before="My pen").kept_back is None


def test_what_was_said_long_before_does_not_matter() -> None:
    before = "I will kill " + "and then we went home to have some tea and bread " * 4
    assert guard.checked("you", before=before).kept_back is None


def test_the_end_of_one_sentence_does_not_go_with_the_beginning_of_the_next() -> None:
    assert guard.checked("You are nice.", before="There is nothing to kill.").kept_back is None
    assert guard.checked("you", before="I will kill").kept_back is Category.VIOLENCE


@pytest.mark.parametrize("cut_at", range(229, 241))
def test_a_cut_in_the_middle_of_a_word_hides_nothing(cut_at: int) -> None:
    text = "." * cut_at + "fuck" + "." * 40
    pieces = phrases.cut(text, first=True, final=True).phrases
    assert len(pieces) == 2
    before = ""
    caught = []
    for piece in pieces:
        caught.append(guard.checked(piece, before).kept_back)
        before = f"{before} {piece}".strip()
    assert any(caught)


def test_the_unbroken_text_that_is_looked_at_is_no_longer_than_a_phrase_may_be() -> None:
    assert guard.UNBROKEN_CHARS < phrases.MAX_CHARS
    # As many phrases as the engine passes on are at least as long as what is looked at.
    assert (guard.BEFORE_PHRASES - 1) * phrases.NEXT_MIN_CHARS >= guard.BEFORE_CHARS


# actions


def test_what_an_action_says_is_checked_and_nothing_else_of_it() -> None:
    nod = {"action": "gesture", "name": "nod", "params": {}}
    kind, rude = {"action": "say", "text": "Hello!"}, {"action": "say", "text": "I hate you."}
    actions, why = guard.checked_actions([nod, kind, rude])
    assert actions == [nod, kind, {"action": "say", "text": INSTEAD[Category.UNKIND]}]
    assert why == (Category.UNKIND,)
    assert rude["text"] == "I hate you."


# tone


def test_who_feels_bad_is_sent_to_a_person_and_not_lectured() -> None:
    answer = guard.answer_to(Category.SELF_HARM)
    assert "a grown-up you trust" in answer
    assert not re.search(r"\b(must not|wrong|bad|don't|should not|never)\b", answer)


def test_a_category_without_an_answer_of_its_own_has_one() -> None:
    assert guard.answer_to(Category.CONTACT) == ANSWERS[Category.FAULT]

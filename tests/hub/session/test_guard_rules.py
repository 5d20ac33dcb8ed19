"""The notation of the guard's table, and how words are read."""

import pytest

from hub.session.guard_fold import Vocabulary, readings, visible
from hub.session.guard_rules import BadPhrase, Lexicon, parse

SETS = {"<you>": "you him(self) my_friend"}


def lexicon(*phrases: str, harmless: tuple[str, ...] = (), deniable: bool = False) -> Lexicon[str]:
    sets = frozenset({"bad"}) if deniable else frozenset[str]()
    return Lexicon({"bad": phrases}, SETS, harmless, sets)


def finds(words: Lexicon[str], text: str) -> bool:
    return bool(words.found_in(visible(text)))


@pytest.mark.parametrize(
    ("phrase", "hits", "misses"),
    [
        ("+boo", ("boo", "Boo!", "they say boo"), ("boot", "taboo")),
        ("+boo(s,ed)", ("boo", "boos", "booed"), ("booing",)),
        ("i +boo|jeer_at <you>", ("I boo you", "I jeer at my friend"), ("I boo it", "boo you")),
        ("+boo <you>", ("boo himself", "boo him"), ("boo friend",)),
        ("i really? +boo", ("I boo", "I really boo"), ("I never boo",)),
        (
            "i ~ +boo",
            ("I boo", "I do so very much boo"),
            ("I do so very very much boo", "I do. Boo"),
        ),
        ("i ~ +boo", ("I will boo",), ("I will not boo", "I don't boo", "I never boo")),
        (". +boo", ("boo", "Hey you. Boo!"), ("you boo",)),
        ("+boo .|now", ("boo", "boo now"), ("boo then",)),
        ("dont +boo", ("don't boo", "don’t boo", "dont boo"), ("do boo",)),
    ],
)
def test_the_notation(phrase: str, hits: tuple[str, ...], misses: tuple[str, ...]) -> None:
    words = lexicon(phrase)
    assert [text for text in hits if not finds(words, text)] == []
    assert [text for text in misses if finds(words, text)] == []


@pytest.mark.parametrize("phrase", ["boo", "+boo <them>", "+boo)", "+b-o", ""])
def test_a_phrase_that_does_not_follow_the_notation_is_an_error(phrase: str) -> None:
    with pytest.raises(BadPhrase):
        parse(phrase, SETS)


def test_a_harmless_expression_counts_for_nothing() -> None:
    words = lexicon("+kill", harmless=("+kill the? lights",))
    assert not finds(words, "Kill the lights!")
    assert not finds(words, "kill lights")
    assert finds(words, "Kill the lights, then kill him.")


def test_a_denial_right_before_a_phrase_voids_it_and_a_proposal_does_not() -> None:
    words = lexicon("+boo", deniable=True)
    for text in ("never boo", "you must not even try to boo", "I don't think you should boo"):
        assert not finds(words, text)
    for text in (
        "why not boo",
        "why don't you boo",
        "can't you boo",
        "don't worry, boo",
        "Not now. Boo!",
    ):
        assert finds(words, text)
    assert finds(lexicon("+boo"), "never boo")


def test_a_phrase_is_found_behind_one_that_is_denied() -> None:
    assert finds(lexicon("+boo", deniable=True), "never boo and then boo")


# reading

VOCABULARY = Vocabulary(
    {"kill", "you", "a", "fish", "shot", "shoot", "pass", "ass"}, {"kill", "ass"}
)


def read(text: str) -> list[str]:
    return [" ".join(r.words).strip(" .") for r in readings(visible(text), VOCABULARY)]


@pytest.mark.parametrize(
    ("text", "as_meant"),
    [
        ("k1ll you", "kill you"),
        ("ki11 you", "kill you"),
        ("k i l l you", "kill you"),
        ("k.i.l.l you", "kill you"),
        ("k i l l y o u", "kill you"),
        ("kiiiill you", "kill you"),
        ("a$$", "ass"),
        ("k*ll you", "kill you"),
        ("kill-you", "kill you"),
    ],
)
def test_words_are_read_as_they_are_meant(text: str, as_meant: str) -> None:
    assert as_meant in read(text)


@pytest.mark.parametrize(
    "text",
    ["I am 8 and he is 10", "see you at 3 pm", "a well known fish", "well-known", "K1 you",
     "c l a s s", "p a s s i n g", "hmm", "1 2 3"],
)  # fmt: skip
def test_plain_words_have_one_reading_and_no_forbidden_word_in_any(text: str) -> None:
    for reading in read(text):
        assert not {"kill", "ass"} & set(reading.split())


def test_a_plain_sentence_is_read_once() -> None:
    assert read("I like a fish. You do not, he said!") == ["i like a fish . you do not he said"]


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("plain", "plain"),
        ("ｆｕｌｌ", "full"),
        ("𝓼𝓬𝓻𝓲𝓹𝓽", "script"),
        ("зд\u0430", "здa"),
        ("z\u200be\u0301ro", "zero"),
        ("tab\there", "tab here"),
        ("\ud800lone", "lone"),
        ("🄰🅱🅲🇩", "Abcd"),
    ],
)
def test_a_text_is_seen_as_it_looks(text: str, seen: str) -> None:
    assert visible(text) == seen

import pytest

from agents.tts.backends.base import Marks
from agents.tts.backends.espeak_phonemes import phonemes_of
from agents.tts.kokoro_tokens import VOCABULARY, SpokenWord, Tokens, marks_of, tokens_of
from protocols.messages.speech import VisemeMark, WordMark

SYMBOLS = {number: symbol for symbol, number in VOCABULARY.items()}


def symbols(tokens: Tokens) -> str:
    return "".join(SYMBOLS[number] for number in tokens.ids)


def said(text: str, language: str = "en-us") -> str:
    return symbols(tokens_of(phonemes_of(text, language), language))


def test_the_vocabulary_is_the_models() -> None:
    assert len(VOCABULARY) == 114
    assert [VOCABULARY[s] for s in ";…A Yᵊˈᵻɡ"] == [1, 10, 24, 16, 41, 42, 156, 177, 92]


@pytest.mark.parametrize(
    ("text", "spelled"),
    [
        ("Hello, world!", "həlˈO, wˈɜɹld!"),
        ("judges", "ʤˈʌʤᵻz"),
        ("three boys", "θɹˈi bˈYz"),
        ("Wait – now…", "wˈAt — nˈW…"),
        ('"quoted"', 'kwˈOɾᵻd"'),
    ],
)
def test_american_words_are_spelled_as_the_model_learned_them(text: str, spelled: str) -> None:
    assert said(text) == spelled


def test_british_and_foreign_words_are_spelled_their_own_way() -> None:
    assert said("go", "en-gb") == "ɡˈQ"
    assert said("vida", "es") == "bˈiða"


def test_words_that_are_spoken_as_one_share_its_phonemes() -> None:
    words = phonemes_of("out of the 42", "en-us")
    assert [word.text for word in words] == ["out", "of", "the", "42"]
    assert [bool(word.phonemes) for word in words].count(False) >= 1
    assert len(words[3].phonemes) > 5


def test_symbols_that_the_model_lacks_are_left_out() -> None:
    word = SpokenWord("x", ("ˈa", "☃", "b"))
    assert tokens_of([word], "xx", {"a": 1, "b": 2}) == Tokens(
        (1, 2), ((0, 2),), (("a", 0), ("b", 1))
    )


def test_words_and_phonemes_sound_when_their_tokens_do() -> None:
    words = [SpokenWord("Hi,", ("h", "ˈaɪ")), SpokenWord("you.", ("j", "uː"))]
    tokens = tokens_of(words, "en-us")
    assert symbols(tokens) == "hˈI, ju."
    assert marks_of(words, tokens, range(0, 900, 100)) == Marks(
        (WordMark("Hi,", 0, 300), WordMark("you.", 500, 700)),
        (VisemeMark("h", 0), VisemeMark("aɪ", 100), VisemeMark("j", 500), VisemeMark("uː", 600)),
    )


def test_a_word_without_phonemes_shares_the_time_of_the_one_before_it() -> None:
    words = [
        SpokenWord("–", ()),
        SpokenWord("of", ("ʌ", "v", "ð", "ə")),
        SpokenWord("the", ()),
        SpokenWord("–", ()),
    ]
    tokens = tokens_of(words, "en-us")
    assert symbols(tokens) == "— ʌvðə —"
    marks = marks_of(words, tokens, range(0, 900, 100)).words
    assert marks == (
        WordMark("–", 0, 0),
        WordMark("of", 200, 360),
        WordMark("the", 360, 600),
        WordMark("–", 600, 600),
    )


def test_text_without_any_phoneme_has_marks_of_no_length() -> None:
    words = [SpokenWord("你好", ()), SpokenWord("!", ())]
    assert marks_of(words, Tokens((), (None, None), ()), [0]).words == (
        WordMark("你好", 0, 0),
        WordMark("!", 0, 0),
    )

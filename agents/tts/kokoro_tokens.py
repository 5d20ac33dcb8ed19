"""From phonemes to the symbols that Kokoro was trained on, and from its durations to times.

Vocabulary: ``config.json`` of hexgrad/Kokoro-82M (Apache-2.0). English diphthongs, affricates and
r-coloured vowels are single symbols of its own (hexgrad/misaki, ``EN_PHONES.md``).
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from agents.tts.estimate import spread
from agents.tts.parts import Marks
from agents.tts.speakable import after_word
from protocols.messages.speech import VisemeMark, WordMark

MAX_TOKENS = 510
"""Longest input, without the padding at both ends."""
PAD = 0

_RUNS = (
    (1, ";:,.!?"), (9, "—…\"()“” ̃ʣʥʦʨᵝꭧAI"), (31, "O"), (33, "Q"), (35, "ST"), (39, "W"),
    (41, "Yᵊabcdef"), (50, "hijklmnopqrstuvwxyzɑɐɒæ"), (75, "βɔɕç"), (80, "ɖðʤə"), (85, "ɚɛɜ"),
    (90, "ɟ"), (92, "ɡ"), (99, "ɥ"), (101, "ɨɪʝ"), (110, "ɯɰŋɳɲɴø"), (118, "ɸθœ"), (123, "ɹ"),
    (125, "ɾɻ"), (128, "ʁɽʂʃʈʧ"), (135, "ʊʋ"), (138, "ʌɣɤ"), (142, "χʎ"), (147, "ʒʔ"),
    (156, "ˈˌː"), (162, "ʰ"), (164, "ʲ"), (169, "↓"), (171, "→↗↘"), (177, "ᵻ"),
)  # fmt: skip
VOCABULARY: Mapping[str, int] = {
    symbol: first + at for first, symbols in _RUNS for at, symbol in enumerate(symbols)
}

_SHARED = (
    ("eɪ", "A"), ("aɪ", "I"), ("aʊ", "W"), ("ɔɪ", "Y"), ("dʒ", "ʤ"), ("tʃ", "ʧ"), ("əl", "ᵊl"),
    ("ɐ", "ə"), ("ʔ", "t"), ("x", "k"), ("r", "ɹ"),
)  # fmt: skip
_AMERICAN = (*_SHARED, ("oʊ", "O"), ("ɜː", "ɜɹ"), ("ɚ", "əɹ"), ("ː", ""))
_BRITISH = (*_SHARED, ("əʊ", "Q"), ("oʊ", "Q"), ("ɚ", "ə"))
_RESPELLED = {"en-us": _AMERICAN, "en": _AMERICAN, "en-gb": _BRITISH}
_PUNCTUATION = str.maketrans({"–": "—", "‘": "", "’": "", "'": ""})
_STRESS = str.maketrans("", "", "ˈˌ")


class SpokenWord(NamedTuple):
    """A whitespace-separated word and its phonemes (IPA with stress). One that is spoken as part
    of the word before it ("of the") has none."""

    text: str
    phonemes: tuple[str, ...]


class Tokens(NamedTuple):
    """Input of the model. ``spans`` tells each word's tokens, its punctuation left out; None for a
    word without any. ``sounds`` are phonemes without stress, each with its first token."""

    ids: tuple[int, ...]
    spans: tuple[tuple[int, int] | None, ...]
    sounds: tuple[tuple[str, int], ...]


def tokens_of(
    words: Sequence[SpokenWord], language: str, vocabulary: Mapping[str, int] = VOCABULARY
) -> Tokens:
    """The tokens of ``words`` in ``language`` (as espeak-ng names it)."""
    ids: list[int] = []
    spans: list[tuple[int, int] | None] = []
    sounds: list[tuple[str, int]] = []
    for word in words:
        if ids and " " in vocabulary and (word.phonemes or _known(_after(word.text), vocabulary)):
            ids.append(vocabulary[" "])
        first = len(ids)
        for phoneme in word.phonemes:
            known = _known(_respelled(phoneme, language), vocabulary)
            if known:
                sounds.append((phoneme.translate(_STRESS), len(ids)))
            ids += known
        spans.append((first, len(ids)) if len(ids) > first else None)
        ids += _known(_after(word.text), vocabulary)
    return Tokens(tuple(ids), tuple(spans), tuple(sounds))


def marks_of(words: Sequence[SpokenWord], tokens: Tokens, edges_ms: Sequence[int]) -> Marks:
    """When words and phonemes sound; token ``n`` does from ``edges_ms[n]`` to ``edges_ms[n + 1]``.

    A word without tokens shares the time of the one before it, by its letters.
    """
    last = len(edges_ms) - 1
    marks: list[WordMark] = []
    begun = ended = edges_ms[0]
    group: list[str] = []
    for word, span in zip(words, tokens.spans, strict=True):
        if span is not None:
            marks += spread(group, begun, ended)
            group, begun = [], max(ended, edges_ms[min(span[0], last)])
            ended = max(begun, edges_ms[min(span[1], last)])
        group.append(word.text)
    marks += spread(group, begun, ended)
    visemes = (VisemeMark(ipa, edges_ms[min(at, last)]) for ipa, at in tokens.sounds)
    return Marks(tuple(marks), tuple(visemes))


def _respelled(phoneme: str, language: str) -> str:
    for ipa, symbol in _RESPELLED.get(language, ()):
        phoneme = phoneme.replace(ipa, symbol)
    return phoneme


def _after(word: str) -> str:
    return after_word(word).translate(_PUNCTUATION)


def _known(symbols: str, vocabulary: Mapping[str, int]) -> list[int]:
    return [vocabulary[symbol] for symbol in symbols if symbol in vocabulary]

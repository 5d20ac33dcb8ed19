"""What a query looks for in the full-text index. Pure.

The index is SQLite's FTS5, whose queries are a language of their own (``AND``, ``NEAR``, ``*``,
columns): nothing of what was asked is read as that language.
"""

import re
import unicodedata

MAX_WORDS = 32
MAX_WORD_CHARS = 64
_SHORT = 2
"""Letters of a part that says nothing on its own."""
_ENDING = re.compile(r"['’]\w{0,2}\b")

_FREQUENT = frozenset(
    [
        "a",
        "about",
        "am",
        "an",
        "and",
        "any",
        "are",
        "as",
        "at",
        "be",
        "been",
        "but",
        "by",
        "can",
        "could",
        "did",
        "do",
        "does",
        "for",
        "from",
        "had",
        "has",
        "have",
        "how",
        "i",
        "if",
        "in",
        "into",
        "is",
        "it",
        "its",
        "me",
        "my",
        "no",
        "not",
        "of",
        "on",
        "or",
        "our",
        "shall",
        "should",
        "so",
        "than",
        "that",
        "the",
        "their",
        "them",
        "then",
        "there",
        "these",
        "they",
        "this",
        "those",
        "to",
        "was",
        "we",
        "were",
        "what",
        "when",
        "where",
        "which",
        "who",
        "whom",
        "whose",
        "why",
        "will",
        "with",
        "would",
        "you",
        "your",
    ]
)
"""English words that nearly every text has. BM25 gives them no weight, but each costs a pass over
all chunks."""


def match_of(query: str) -> str:
    """An FTS5 expression that finds chunks with any word of ``query``; empty if it has no words.

    What is written as one (``0.1.0``, ``HUB_GUARD``, ``barge-in``) is also looked for as one.
    """
    words: dict[str, None] = {}
    for written in unicodedata.normalize("NFKC", query).casefold().split():
        parts = _parts(written)
        if len(parts) > 1:
            words[" ".join(parts)] = None
            parts = [part for part in parts if len(part) > _SHORT]
        words.update(dict.fromkeys(parts))
    rare = [word for word in words if word not in _FREQUENT]
    return " OR ".join(f'"{word}"' for word in (rare or list(words))[:MAX_WORDS])


def _parts(written: str) -> list[str]:
    """Runs of letters, digits and marks, as FTS5's ``unicode61`` separates them; what follows an
    apostrophe is an ending and no word."""
    text = _ENDING.sub(" ", written[:MAX_WORD_CHARS])
    spaced = "".join(char if unicodedata.category(char)[0] in "LNM" else " " for char in text)
    return spaced.split()

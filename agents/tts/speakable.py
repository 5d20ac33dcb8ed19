"""What of a text is spoken: its words, and nothing that is meant for a screen or an engine."""

import re
import unicodedata

_MARKUP = re.compile(
    r"<!--.*?(?:-->|$)"
    r"|<[?!]?/?[A-Za-z][^<>]{0,300}[?/]?>"  # tags of SSML, HTML and emotions
    r"|\*[^*\s][^*\n]{0,64}\*"  # stage directions
    r"|\[[A-Za-z ]{1,32}\]",
    re.DOTALL,
)
_BOLD = re.compile(r"\*\*([^*\n]{1,300})\*\*")
_LINK = re.compile(r"\[([^\[\]\n]{1,300})\]\([^()\s]{0,300}\)")
_NEVER_SPOKEN = frozenset("<>*_`#|\\~^{}[]")
_KEPT_SYMBOLS = frozenset("°©®")
_SILENT = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "So", "Sk", "Me", "Zl", "Zp"})
"""Unicode categories of control characters, emoji and their modifiers."""
_CLAUSE_ENDS = (". ", "! ", "? ", "; ", ", ")
_VARIATION_SELECTORS = range(0xFE00, 0xFE10)


def speakable(text: str) -> str:
    """``text`` as one line of words and punctuation; empty if nothing in it can be spoken."""
    plain = _MARKUP.sub(" ", _LINK.sub(r"\1", _BOLD.sub(r"\1", text)))
    kept = "".join(char if _is_spoken(char) else " " for char in plain)
    line = " ".join(kept.split())
    return line if any(char.isalnum() for char in line) else ""


def _is_spoken(char: str) -> bool:
    if char in _NEVER_SPOKEN or ord(char) in _VARIATION_SELECTORS:
        return False
    return char in _KEPT_SYMBOLS or unicodedata.category(char) not in _SILENT


def in_pieces(text: str, most_chars: int) -> list[str]:
    """``text`` cut at sentences, clauses or words into pieces of at most ``most_chars``."""
    pieces = []
    while len(text) > most_chars:
        head = text[: most_chars + 1]
        clause = max(head.rfind(mark) + 1 for mark in _CLAUSE_ENDS)
        cut = clause or head.rfind(" ")
        cut = cut if cut > 0 else most_chars
        pieces.append(text[:cut].strip())
        text = text[cut:].strip()
    return [piece for piece in (*pieces, text) if piece]


def in_clauses(text: str, first_chars: int, most_chars: int) -> list[str]:
    """``text`` cut into pieces of at most ``most_chars``, each at a clause if it holds one, and
    never within a word. The first has at most ``first_chars`` if a clause ends there."""
    words = text.split()
    pieces: list[str] = []
    while words:
        count = _fitting(words, most_chars)
        if not pieces:
            count = _first_clause(words, first_chars) or count
        pieces.append(" ".join(words[:count]))
        del words[:count]
    return pieces


def _first_clause(words: list[str], most_chars: int) -> int:
    """How many of ``words`` come before the last end of a clause within ``most_chars``."""
    count = _fitting(words, most_chars)
    return count if _ends_clause(words[count - 1]) else 0


def _fitting(words: list[str], most_chars: int) -> int:
    """How many of ``words`` make a piece; at least one."""
    length, count, clauses = -1, 0, 0
    for word in words:
        length += len(word) + 1
        if count and length > most_chars:
            return clauses or count
        count += 1
        clauses = count if _ends_clause(word) else clauses
    return count


def _ends_clause(word: str) -> bool:
    return f"{word} ".endswith(_CLAUSE_ENDS)


def after_word(word: str) -> str:
    """What follows the last letter or digit of ``word``; all of it if it has none."""
    end = len(word)
    while end and not word[end - 1].isalnum():
        end -= 1
    return word[end:]

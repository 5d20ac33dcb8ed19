"""Whether what the user says asks for eyes, and whether a picture may be answered from. Pure.

``ASKS`` is a table of sentences in a small notation. Words stand for themselves; ``(a|b)`` is one
of them, ``[a]`` may be left out, ``*`` is one word, whatever it is, ``$`` is the end of what is said.
``! a|b`` at the end: unless one of these follows. A sentence that begins with ``>`` is an order: it counts only where it opens what
is said, or follows a word that opens an order.
"""

import re
from collections.abc import Iterable

from protocols.messages.turn import Sight, Unseen
from protocols.messages.vision import STALE_FRAME_MS, CameraFrame

MAX_CHARS = 300
"""How much of what is said is looked at, from its end."""
_MS = 1_000_000

COLOURS = "red|green|blue|yellow|orange|pink|purple|white|black|brown|grey|gray"
_SHOWN = f"this|that|these|those|the|my|a|an|any|some|anything|something|{COLOURS}"
_LATER = "later|soon|tomorrow|tonight|next|again|on|then|after|as|at|for|in an|in a"
_ABSTRACT = (
    "point|problem|difference|issue|reason|logic|connection|pattern|future|irony|joke|funny side"
    "|film|movie|game|show|news"
)

ASKS: tuple[str, ...] = (
    # what is there to be seen
    "what (do|can|could) you (see|spot|notice) ! yourself|in him|in her|in them|in me|in us|as|when",
    "what are you (seeing|looking at)",
    "what (else) (do|can) you see",
    "(who|whom) (do|can) you see",
    "how many * [*] (do|can) you see",
    "how many * [*] (are in front of you|am i holding)",
    "(tell me|say|describe) what (you see|you can see|you are seeing|is in front of you)",
    "describe (the (picture|scene|room|view)|your (surroundings|view)|what you see)",
    "(what|who) is [standing|sitting|lying] (in front of|next to|behind|around) you",
    "(what|who) is in the (room|picture)",
    "is (there|anybody|anyone|somebody|someone|something|anything) [*] [*] in front of you",
    # can it see this
    "(do|can|could) you (see|recognise|recognize) (me|us|him|her|my face) ! " + _LATER,
    f"(do|can|could) you (see|recognise|recognize) ({_SHOWN}) "
    f"! {_ABSTRACT}|way|i|you|we|he|she|it|they|this|that|is|are|was|there is|of|* {_ABSTRACT}",
    "can you see [it|now|anything|something] [now|clearly|well] $",
    "are you able to see",
    # look at it
    "> look at (this|that|these|those|my|the|what i|what is) "
    "! time|bright side|big picture|facts|numbers|bigger|from|another way|way|state|it this way",
    "> (have|take) a [good|close|closer|quick] look [at (this|that|it|my|the|me)] $",
    "> (have|take) a [good|close|closer|quick] look at (this|that|these|those|it|my|the|me)",
    # what the user holds, wears and looks like
    "what (am i|is he|is she|are we) (holding|wearing|showing|pointing at|pointing to)",
    "what (do i|have i) [have|got] in my hands",
    "what (do i|have i) [have|got] in my hand",
    "guess what i (am holding|have in my hand)",
    "what is (this|it) $",
    "what is this (thing|here|over here|in my hand)",
    "what is that [thing|*] (over there|there|in my hand|on the table|on the floor|in the corner)",
    "what (are|is) (these|those) [things] $",
    "what do i look like",
    "how do i look [today|now|in this|in these] ! up|for|after|into|it",
    "do i look (happy|sad|tired|good|nice|funny|okay|angry)",
    "am i (smiling|laughing|frowning|wearing)",
    # letters
    "> read (this|that|these|those) ! back|again|morning|week|year|evening|month|time",
    "> read (the|my) (sign|label|note|letter|paper|page|card|screen|text|poster|writing)",
    "> read what (is|it|i|this|stands) ! you",
    "what does (this|that|the|my) [*] (sign|label|note|letter|paper|page|card|screen|display|text"
    "|poster|writing|shirt) say",
    "what does this say",
    "what is written (here|there|on)",
    # colours
    "(what|which) (colour|color) (is|are|has|have|does) (this|that|these|those|my|it)",
    "(what|which) (colour|color) (is|are|has|have|does) the (ball|box|cup|toy|thing|wall|door|car"
    "|shirt|book|pen|bottle|chair|table|light|bag|hat|block|cube)",
    "(what|which) (colour|color) am i",
    f"is (this|that|it|the ball|my *) ({COLOURS})",
    # balls
    f"where is (the|my|a|that) [{COLOURS}] ball",
    f"(is there|are there|do you find|have you found) (a|the|my|any|some) [{COLOURS}] (ball|balls)",
    f"(how many|which) [{COLOURS}] balls",
)

_ORDER = (
    r"(?:^|(?:please|you|robot|hey|hello|hi|now|and|okay|ok|so|here|oh|come|just|look) )"
    r"(?<!did you )(?<!have you )(?<!do you )(?<!if you )(?<!when you )(?<!as you )"
)
_WORD = re.compile(r"[a-z']+")
_TOKEN = re.compile(r"[(\[]|[)\]]|\||[a-z']+|\*|\$")
_SPELLED_OUT = {
    "what's": "what is", "who's": "who is", "where's": "where is", "that's": "that is",
    "it's": "it is", "i'm": "i am", "you're": "you are", "there's": "there is",
    "can't": "can not", "whats": "what is", "colours": "colour", "colors": "color",
}  # fmt: skip


def asks_to_look(text: str) -> bool:
    """Whether ``text`` is answered by looking; English."""
    said = _plain(text)
    return any(pattern.search(said) for pattern in _PATTERNS)


def sight_of(frame: CameraFrame | None, taken_ns: int, now_ns: int) -> Sight:
    """What is known of the newest picture at ``now_ns`` without looking at it: its age, and that it
    is ``missing`` if it may not be answered from. One that may be stale is."""
    if frame is None:
        return Sight(missing=Unseen.NO_FRAME)
    age_ms, error_ms = max(0, now_ns - taken_ns) // _MS, -int(-frame.error_ms // 1)
    stale = age_ms + error_ms > STALE_FRAME_MS
    return Sight(
        age_ms=age_ms,
        error_ms=error_ms,
        by_arrival=frame.by_arrival,
        missing=Unseen.STALE_FRAME if stale else None,
    )


def _plain(text: str) -> str:
    """Lower-case words, each followed by a blank; contractions spelled out."""
    words = _WORD.findall(text.lower().replace("’", "'")[-MAX_CHARS:])
    return "".join(f"{_SPELLED_OUT.get(word, word)} " for word in words)


def _compiled(sentences: Iterable[str]) -> tuple[re.Pattern[str], ...]:
    return tuple(re.compile(_expression(sentence)) for sentence in sentences)


def _expression(sentence: str) -> str:
    sentence, _, unless = sentence.partition(" ! ")
    order, sentence = sentence.startswith("> "), sentence.removeprefix("> ")
    start = _ORDER if order else r"\b"
    after = f"(?!(?:{_read(unless)}))" if unless else ""
    return start + _read(sentence) + after


def _read(sentence: str) -> str:
    """The notation as a regular expression over words that are each followed by a blank."""
    parts = []
    for token in _TOKEN.findall(sentence):
        match token:
            case "(" | "[":
                parts.append("(?:")
            case ")":
                parts.append(")")
            case "]":
                parts.append(")?")
            case "|" | "$":
                parts.append(token)
            case "*":
                parts.append(r"[a-z']+ ")
            case _:
                parts.append(f"{token} ")
    return "".join(parts)


_PATTERNS = _compiled(ASKS)

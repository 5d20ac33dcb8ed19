"""Documents cut into chunks that can be found and quoted. Pure.

Markdown's headings begin sections, and no chunk crosses one. A chunk is a paragraph or an item of a
list, or several where they are short: what is one thought gets one vector. A paragraph that is too
long is cut between rows of a table, else after a sentence, a line or a word, in this order; only
text without any of them is cut anywhere. What follows a cut after a sentence or word begins a
little before it, so that what stands at the seam is whole in one of the two. The work grows with
the length of the text and with nothing else.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

_HEADING = re.compile(r" {0,3}(#{1,6})(?:[ \t]+(.*?))?[ \t]*#*[ \t]*")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
_TELLING_LINE = re.compile(r"^ {0,3}(?:#|```|~~~)", re.MULTILINE)
_THOUGHT_END = re.compile(r"\n[ \t]*\r?\n\s*|\n(?=[ \t]*(?:[-*+]|\d{1,3}[.)])[ \t])")
_ROW_END = re.compile(r"\n(?=[ \t]*\|)")
_SENTENCE_END = re.compile(r"[.!?…][\"'”’)\]]*\s+|[。！？]")
_LINE_END = re.compile(r"\n")
_SPACE = re.compile(r"\s+")
_NOT_BLANK = re.compile(r"\S")
_SEAMS = ((_ROW_END, False), (_SENTENCE_END, True), (_LINE_END, False), (_SPACE, True))
"""Where a thought that is too long is cut, the best first, and whether the rest overlaps it."""
_LONGEST_LINE_SEEN = 1_000
"""Characters of a line that are looked at to see whether it is a heading or a fence."""
_LONGEST_HEADING = 200


class ChunkRules(NamedTuple):
    """Sizes in characters: of English text about four to a token."""

    most: int = 600
    least: int = 150
    """A cut is looked for from here on, so that chunks are neither short nor split needlessly."""
    overlap: int = 100


DEFAULT_RULES = ChunkRules()


class Chunk(NamedTuple):
    """Characters ``first`` to ``last`` (the one after the last) of a document, and the headings
    above them, the outermost first."""

    number: int
    first: int
    last: int
    text: str
    headings: tuple[str, ...] = ()

    @property
    def heading(self) -> str:
        """The headings as one line."""
        return " > ".join(self.headings)


class _Section(NamedTuple):
    first: int
    last: int
    headings: tuple[str, ...]


def chunks_of(text: str, rules: ChunkRules = DEFAULT_RULES) -> Iterator[Chunk]:
    """The chunks of ``text``, in order; none of them is blank."""
    number = 0
    for section in _sections(text):
        for first, last in _cut(text, section.first, section.last, rules):
            yield Chunk(number, first, last, text[first:last], section.headings)
            number += 1


def _sections(text: str) -> Iterator[_Section]:
    """What stands between two headings, with the headings above it."""
    above: list[tuple[int, str]] = []
    first, fence = 0, ""
    for begin, end in _telling_lines(text):
        line = text[begin : min(end, begin + _LONGEST_LINE_SEEN)].rstrip("\r\n")
        fence, was_code = _fence_after(line, fence)
        heading = None if was_code else _HEADING.fullmatch(line)
        if heading is None:
            continue
        yield _Section(first, begin, tuple(title for _, title in above))
        level = len(heading[1])
        title = (heading[2] or "").strip()[:_LONGEST_HEADING]
        above = [one for one in above if one[0] < level] + ([(level, title)] if title else [])
        first = end
    yield _Section(first, len(text), tuple(title for _, title in above))


def _telling_lines(text: str) -> Iterator[tuple[int, int]]:
    """Lines that may be a heading or begin or end a block of code."""
    for found in _TELLING_LINE.finditer(text):
        begin = found.start()
        yield begin, text.find("\n", begin) + 1 or len(text)


def _fence_after(line: str, fence: str) -> tuple[str, bool]:
    """The fence of a code block that is open after ``line``, and whether the line is code."""
    mark = _FENCE.match(line)
    if not fence:
        return (mark[1], True) if mark else ("", False)
    closes = mark is not None and mark[1].startswith(fence) and not line[mark.end() :].strip()
    return ("" if closes else fence), True


def _cut(text: str, first: int, last: int, rules: ChunkRules) -> Iterator[tuple[int, int]]:
    """Ranges of at most ``rules.most`` characters that cover what is not blank."""
    begin = _past_blank(text, first, last)
    while begin < last:
        if last - begin <= rules.most:
            end = following = last
        else:
            end, overlaps = _end(text, begin, rules)
            following = _overlapped(text, begin, end, rules) if overlaps else end
        trimmed = begin + len(text[begin:end].rstrip())
        yield begin, trimmed
        begin = _past_blank(text, following, last)


def _end(text: str, begin: int, rules: ChunkRules) -> tuple[int, bool]:
    """Where a chunk that begins at ``begin`` ends, and whether what follows is to overlap it."""
    window = text[begin : begin + rules.most]
    if (thought := _THOUGHT_END.search(window, rules.least)) is not None:
        return begin + thought.end(), False
    for pattern, overlaps in _SEAMS:
        if (end := _last_end(pattern, window, rules.least)) is not None:
            return begin + end, overlaps
    return begin + rules.most, True


def _overlapped(text: str, begin: int, end: int, rules: ChunkRules) -> int:
    """Where the chunk after a cut at ``end`` begins: at a sentence, else a word, at most
    ``rules.overlap`` characters earlier, and always after ``begin``."""
    earliest = max(begin + 1, end - rules.overlap)
    window = text[earliest:end]
    for pattern in (_SENTENCE_END, _SPACE):
        found = pattern.search(window)
        if found is not None and earliest + found.end() < end:
            return earliest + found.end()
    return end


def _last_end(pattern: re.Pattern[str], window: str, least: int) -> int | None:
    ends = [found.end() for found in pattern.finditer(window, least)]
    return ends[-1] if ends else None


def _past_blank(text: str, begin: int, last: int) -> int:
    """The first character from ``begin`` on that is not blank, else ``last``."""
    found = _NOT_BLANK.search(text, begin, last)
    return found.start() if found is not None else last

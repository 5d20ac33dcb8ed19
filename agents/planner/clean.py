"""Keeps markup out of what is spoken, while the text is still growing.

Models write tags (``<laugh>``), stage directions (``*waves*``, ``[sighs]``) and Markdown although
they are told not to. A tag may be split anywhere over the pieces of a stream, so what could still
become one is held back until it is decided; everything else passes at once.
"""

import re

_TOKEN = re.compile(
    r"</?[A-Za-z][^<>\n]{0,64}>"  # tags
    r"|\*\*(?P<bold>[^*\n]{1,200})\*\*"
    r"|\*[^*\s][^*\n]{0,64}\*"  # stage directions
    r"|\[(?P<link>[^\[\]\n]{1,200})\]\([^()\s]{0,300}\)"
    r"|\[[A-Za-z ]{1,32}\](?!\()"  # more stage directions
    r"|\n[ \t]*(?:#{1,6}|[-•*+])[ \t]+"  # headings and list items
)
_MAY_BECOME_TOKEN = re.compile(
    r"<(?:/?(?:[A-Za-z][^<>\n]{0,64})?)?"
    r"|\*\*?(?:[^*\n]{0,200}\*?)?"
    r"|\[[^\[\]\n]{0,200}(?:\](?:\([^()\s]{0,300})?)?"
    r"|\n[ \t]*(?:#{0,6}|[-•*+])"
)
_PLAIN = re.compile(r"[^<*\[\n`_]+")
_NEVER_SPOKEN = "*`_"


class Cleaner:
    """Text pieces in, speakable text out; the output does not depend on where the input is cut."""

    def __init__(self) -> None:
        # A heading or list item is told by the line break before it; the first line has one too.
        self._held = "\n"
        self._after_space = True

    def feed(self, piece: str) -> str:
        """The text that ``piece`` decides."""
        return self._advance(piece, final=False)

    def finish(self) -> str:
        """What was held back, now that nothing follows."""
        return self._advance("", final=True)

    def _advance(self, piece: str, final: bool) -> str:
        text = self._held + piece
        out: list[str] = []
        at = 0
        while at < len(text):
            if plain := _PLAIN.match(text, at):
                out.append(plain.group())
                at = plain.end()
            elif not final and _MAY_BECOME_TOKEN.fullmatch(text, at):
                break
            elif token := _TOKEN.match(text, at):
                out.append(token["bold"] or token["link"] or " ")
                at = token.end()
            else:
                out.append("" if text[at] in _NEVER_SPOKEN else text[at])
                at += 1
        self._held = text[at:]
        return self._single_spaced("".join(out))

    def _single_spaced(self, text: str) -> str:
        spaced = re.sub(r"\s+", " ", text)
        if self._after_space:
            spaced = spaced.removeprefix(" ")
        if spaced:
            self._after_space = spaced.endswith(" ")
        return spaced


def clean(text: str) -> str:
    """``text`` as it may be spoken; for texts that are whole."""
    cleaner = Cleaner()
    return (cleaner.feed(text) + cleaner.finish()).strip()

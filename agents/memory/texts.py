"""Bytes read as texts, and what of a chunk its vector is made of. Pure."""

import msgspec

from agents.memory.errors import BadTexts, NotText
from agents.memory.limits import MAX_TEXT_CHARS, MAX_TEXTS


def text_of(data: bytes) -> str:
    """A document's text; a byte order mark is no part of it.

    Raises:
        NotText: it is not UTF-8, or holds NULs as no text does.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise NotText(f"byte {error.start} of the document is not UTF-8") from None
    if "\0" in text:
        raise NotText(f"character {text.index(chr(0))} of the document is NUL: it is no text")
    return text


def texts_of(data: bytes) -> list[str]:
    """The texts of an order to embed.

    Raises:
        BadTexts: they are no JSON array of 1 to ``MAX_TEXTS`` texts, none of them empty.
    """
    try:
        texts = msgspec.json.decode(data, type=list[str])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise BadTexts("texts to embed are a JSON array of strings") from None
    if not 1 <= len(texts) <= MAX_TEXTS:
        raise BadTexts(f"1 to {MAX_TEXTS} texts are embedded at once, not {len(texts)}")
    for number, text in enumerate(texts):
        if not text.strip() or len(text) > MAX_TEXT_CHARS:
            raise BadTexts(f"text {number} is empty, or longer than {MAX_TEXT_CHARS} characters")
    return texts


def embedded_as(document: str, heading: str, text: str) -> str:
    """A chunk with what it is about: the headings above it, else its document's name."""
    return f"{heading or document}\n{text}"

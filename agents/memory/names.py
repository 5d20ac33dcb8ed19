"""What knowledge bases, documents and tags may be called. Pure."""

import re
import unicodedata

from agents.memory.errors import BadName

_BASE = re.compile(r"[A-Za-z0-9._-]{1,64}")
MAX_DOCUMENT_NAME = 200
MAX_TAG_CHARS = 48
MAX_TAG_WORDS = 5
"""A tag names something; what was said word for word is longer."""
_TAG = re.compile(r"[^\W_]+(?:[ '’-][^\W_]+)*")
_SOURCE = re.compile(r"[a-z0-9_.-]{0,32}")


def checked_base(name: str) -> str:
    """``name``, if a knowledge base may be called so.

    Raises:
        BadName: it may not.
    """
    if not _BASE.fullmatch(name):
        raise BadName("a knowledge base's name is 1 to 64 of A-Z a-z 0-9 . _ -")
    return name


def checked_document(name: str) -> str:
    """``name``, if a document may be called so.

    Raises:
        BadName: it may not.
    """
    if not name.strip() or len(name) > MAX_DOCUMENT_NAME or not name.isprintable():
        raise BadName(f"a document's name is 1 to {MAX_DOCUMENT_NAME} printable characters")
    return name


def tag_of(text: str) -> str | None:
    """``text`` as a tag: small letters, single spaces. None if it is none: a tag is at most
    ``MAX_TAG_WORDS`` words of letters and digits, joined by spaces, hyphens and apostrophes."""
    tag = " ".join(unicodedata.normalize("NFKC", text[: 4 * MAX_TAG_CHARS]).casefold().split())
    fits = 0 < len(tag) <= MAX_TAG_CHARS and len(text) <= 4 * MAX_TAG_CHARS
    return tag if fits and _TAG.fullmatch(tag) and tag.count(" ") < MAX_TAG_WORDS else None


def is_source(text: str) -> bool:
    """Whether ``text`` may name where a tag comes from."""
    return _SOURCE.fullmatch(text) is not None

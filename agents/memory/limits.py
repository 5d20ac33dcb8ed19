"""How much the memory agent takes on, as numbers."""

from typing import NamedTuple

MAX_DOCUMENT_BYTES = 8 << 20
MAX_TEXTS = 2_048
"""Texts of one order to embed."""
MAX_TEXT_CHARS = 32_768
"""Of one text to embed; how many of its tokens are looked at is the model's."""
MAX_TEXTS_BYTES = 8 << 20
MAX_QUERY_CHARS = 4_096
MAX_PASSAGES = 20
"""The longest answer stays far below the largest message of the control lane."""
MAX_LISTED = 200
"""Documents of one list: with the longest names, most of what a message of the control lane holds."""
CANDIDATES = 50
"""How deep the rankings of vectors and of words go before they are fused."""
CACHED_VECTOR_BYTES = 256 << 20
"""Vectors of all knowledge bases that are kept ready; those of the base asked last always are."""


class BaseLimits(NamedTuple):
    """What one knowledge base holds at the most, and how many bases there are."""

    documents: int = 2_000
    chunks: int = 20_000
    text_bytes: int = 32 << 20
    bases: int = 64

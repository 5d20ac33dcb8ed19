"""What the memory agent keeps: documents to look things up in, and what a robot may remember.

A knowledge base is a name (``[A-Za-z0-9._-]{1,64}``); its documents are cut into chunks, each with
a vector and in a full-text index.
"""

import msgspec

from protocols.envelope import Message
from protocols.messages.blob import BlobRef


class EmbedRequest(Message, tag="embed.request"):
    """Order: vectors of texts; ``texts`` is a JSON array of strings, as a blob."""

    texts: BlobRef


class EmbedDone(Message, tag="embed.done"):
    """``count`` vectors of ``dimensions`` little-endian float32 each, one after the other, of unit
    length. ``truncated`` texts had more tokens than the model looks at."""

    vectors: BlobRef
    count: int
    dimensions: int
    tokens: int = 0
    model: str = ""
    truncated: int = 0


class DocumentAdd(Message, tag="document.add"):
    """Order: keep a document (UTF-8 text or Markdown) in a knowledge base; one of the same name is
    replaced."""

    base: str
    name: str
    content: BlobRef


class DocumentRemove(Message, tag="document.remove"):
    """Order: forget a document; without a name the whole knowledge base."""

    base: str
    name: str = ""


class DocumentsEmbed(Message, tag="documents.embed"):
    """Order: give every chunk of a knowledge base a vector of the model that serves now. Until then
    chunks with vectors of another model, or none, are found by their words alone."""

    base: str


class DocumentsKept(Message, tag="documents.kept"):
    """How much a knowledge base holds after an order, how many chunks the order touched, and how
    many have a vector of the model that serves now."""

    base: str
    documents: int
    chunks: int
    touched: int = 0
    embedded: int = 0


class DocumentsList(Message, tag="documents.list"):
    """Order: which documents does a knowledge base hold? At most ``limit``, by name, from the one
    behind ``after`` on. Without a base: which knowledge bases are there?"""

    base: str = ""
    after: str = ""
    limit: int = 200


class BaseEntry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A knowledge base and how much it holds; ``size_bytes`` of text."""

    base: str
    documents: int
    chunks: int
    size_bytes: int = 0


class DocumentEntry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A document of a knowledge base; it was kept at ``at_s``, seconds since 1970."""

    name: str
    chunks: int
    size_bytes: int = 0
    at_s: float = 0.0


class DocumentsListed(Message, tag="documents.listed"):
    """The documents of a knowledge base, by name, or all bases; ``more`` follow the last one."""

    base: str = ""
    bases: tuple[BaseEntry, ...] = ()
    documents: tuple[DocumentEntry, ...] = ()
    more: bool = False


class RetrieveRequest(Message, tag="retrieve.request"):
    """Order: what do the documents of a knowledge base say on ``query``?"""

    base: str
    query: str
    limit: int = 5


class Passage(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A chunk of a document: its place (``first`` to ``last`` character) and what speaks for it
    (0 to 1). ``similarity`` is the cosine of its vector and the query's, 0 where one has none; the
    score ranks passages and says nothing of how near the best is, this does."""

    document: str
    chunk: int
    text: str
    score: float
    similarity: float = 0.0
    first: int = 0
    last: int = 0
    heading: str = ""


class RetrieveDone(Message, tag="retrieve.done"):
    """The passages, the best first."""

    passages: tuple[Passage, ...] = ()


class Remembered(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An entry of a robot's memory and how strong it still is (0 to 1)."""

    tag: str
    category: str
    strength: float
    valence_bias: float = 0.0
    arousal_bias: float = 0.0
    reinforcements: int = 0


class MemoryNote(Message, tag="memory.note"):
    """Order: the envelope's robot may remember these; each has ``tag`` and ``category`` (``name``,
    ``ritual``, ``topic``, ``tone``, ``preference``), and may have ``valence_bias`` and
    ``arousal_bias`` (-1 to 1). Without consent they are thrown away and counted."""

    tags: tuple[dict[str, str], ...]
    source: str = ""


class MemoryConsent(Message, tag="memory.consent"):
    """Order: whether the envelope's robot may remember at all; no: everything is forgotten."""

    granted: bool


class MemoryForget(Message, tag="memory.forget"):
    """Order: the envelope's robot forgets ``tags``; without any, everything. Whether it may remember
    stays as it is."""

    tags: tuple[str, ...] = ()


class MemoryRecall(Message, tag="memory.recall"):
    """Order: what does the envelope's robot remember now?"""

    limit: int = 20


class MemoryState(Message, tag="memory.state"):
    """What a robot remembers after an order, the strongest first."""

    consent: bool
    entries: tuple[Remembered, ...] = ()
    refused: int = 0

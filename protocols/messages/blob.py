"""Bytes that belong to a job: pictures, documents, images made, vectors.

Whoever needs them asks for them, part by part, so that no more than one part is ever on its way and
nothing has to wait behind it. What a request brings comes down the link to the one instance that
asked (``blob.wanted`` → ``blob.sent``); what a job has made goes up the media lane
(``blob.want`` → ``blob.part``), and a part that is lost is asked for again.
"""

import msgspec

from protocols.envelope import Message

SENT_BYTES = 128 * 1024
"""Largest part down a link: a cancel that comes after it waits less than a millisecond."""
PART_BYTES = 256 * 1024
"""Largest part on the media lane."""


class BlobRef(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Bytes that can be asked for: blob ``index`` of the envelope's job."""

    index: int
    size_bytes: int
    media_type: str = "application/octet-stream"


class BlobWanted(Message, tag="blob.wanted"):
    """Fact: an agent asks for what follows ``offset`` of a blob that came with its job."""

    index: int
    offset: int


class BlobSent(Message, tag="blob.sent"):
    """Order, so to speak: here is what was asked for; at most ``SENT_BYTES``."""

    index: int
    offset: int
    data: bytes


class BlobWant(Message, tag="blob.want"):
    """Order: send what follows ``offset`` of a blob that the job has made."""

    index: int
    offset: int


class BlobPart(Message, tag="blob.part"):
    """Part of what a job has made; the bytes are the message's blob, at most ``PART_BYTES``."""

    index: int
    offset: int


class BlobTaken(Message, tag="blob.taken"):
    """Order: the hub has all blobs of the job; they need not be kept."""

"""Pictures that are made: a job of the image agent."""

from protocols.envelope import Message
from protocols.messages.blob import BlobRef


class ImageRequest(Message, tag="image.request"):
    """Order: make ``count`` pictures of ``prompt``; with ``source``, out of that picture.

    ``strength`` (0 to 1) says how much of the source is given up: that part of ``steps`` is taken.
    With ``mask``, only what is white in it is made anew. Sizes in pixels, multiples of 8.
    The seed of picture n is ``seed + n``; the same request gives the same bytes on one machine.
    """

    prompt: str
    negative_prompt: str = ""
    width: int = 1024
    height: int = 1024
    steps: int = 30
    guidance: float = 7.5
    seed: int = 0
    count: int = 1
    source: BlobRef | None = None
    mask: BlobRef | None = None
    strength: float = 0.8


class ImageProgress(Message, tag="image.progress"):
    """Step ``step`` of ``steps`` of picture ``image`` is done."""

    image: int
    step: int
    steps: int


class ImageDone(Message, tag="image.done"):
    """The pictures are made and can be asked for (``protocols/messages/blob.py``)."""

    images: tuple[BlobRef, ...]
    seeds: tuple[int, ...]
    width: int
    height: int
    model: str = ""

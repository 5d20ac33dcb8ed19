"""Pictures that fit into what clients take.

The SDK's client reads at most 1 MiB of one event of a stream by itself, so a picture that would have
more in base64 goes out as JPEG. Whoever wants every bit has routes that hand out bytes.
"""

from fractions import Fraction
from io import BytesIO
from typing import TYPE_CHECKING

import structlog

from hub.jobs.inference import Picture

if TYPE_CHECKING:
    from av import VideoFrame

MAX_PICTURE_BYTES = 720_000
"""Four thirds of it, and the rest of the message, are less than 1 MiB."""
_QUALITIES = (2, 5, 9, 15, 24, 31)
"""``qscale`` of FFmpeg's encoder: 2 is hardly told from the original, 31 is the worst there is."""

log = structlog.get_logger()


def fitting(picture: Picture) -> Picture:
    """Blocking. ``picture``, as JPEG if it is a larger PNG; the best one that fits, or the smallest
    there is."""
    if len(picture.data) <= MAX_PICTURE_BYTES or picture.media_type != "image/png":
        return picture
    import av

    try:
        with av.open(BytesIO(picture.data), "r", format="png_pipe") as container:
            frame = next(container.decode(video=0)).reformat(format="yuvj444p")
            smaller = b""
            for quality in _QUALITIES:
                smaller = _jpeg(frame, quality)
                if len(smaller) <= MAX_PICTURE_BYTES:
                    break
    except (av.error.FFmpegError, StopIteration, ValueError) as error:
        log.warning("picture not made smaller", error=type(error).__name__)
        return picture
    return Picture(smaller, "image/jpeg")


def _jpeg(frame: "VideoFrame", quality: int) -> bytes:
    import av

    encoder = av.CodecContext.create("mjpeg", "w")
    encoder.width, encoder.height, encoder.pix_fmt = frame.width, frame.height, frame.format.name
    encoder.time_base = Fraction(1)
    encoder.qmin = encoder.qmax = quality
    packets = [*encoder.encode(frame), *encoder.encode(None)]
    return b"".join(bytes(packet) for packet in packets)

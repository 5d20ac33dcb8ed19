"""Masks of OpenAI's clients: what is transparent is made anew. The hub's own: what is white is."""

from fractions import Fraction
from io import BytesIO
from typing import TYPE_CHECKING

from hub.edge.pictures import MAX_PIXELS, BadPicture, SentPicture
from hub.jobs.inference import Picture

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_DEMUXERS = {
    "image/png": "png_pipe", "image/jpeg": "jpeg_pipe", "image/webp": "webp_pipe",
    "image/gif": "gif", "image/bmp": "bmp_pipe",
}  # fmt: skip
"""What reads a picture is named, and not guessed: some formats of FFmpeg name other files."""
_HALF = 128
"""From this opacity on a pixel is kept."""


def mask_of(mask: SentPicture) -> Picture:
    """Blocking. ``mask`` as the image agent takes it: as it is, if nothing of it is transparent.

    Raises:
        BadPicture: its pixels cannot be decoded.
    """
    import numpy as np

    opacity = _opacity(mask)
    if opacity.min(initial=255) == 255:
        return mask.picture
    white = np.where(opacity < _HALF, 255, 0).astype(np.uint8)
    return Picture(_grey_png(white))


def _opacity(mask: SentPicture) -> "NDArray[np.uint8]":
    import av
    import numpy as np

    try:
        with av.open(BytesIO(mask.data), "r", format=_DEMUXERS[mask.media_type]) as container:
            container.streams.video[0].codec_context.options = {"max_pixels": str(MAX_PIXELS)}
            frame = next(container.decode(video=0))
            pixels = np.asarray(frame.to_ndarray(format="rgba"), np.uint8)
    except (av.error.FFmpegError, StopIteration, ValueError, IndexError) as error:
        raise BadPicture("the mask cannot be decoded") from error
    return pixels[:, :, 3]


def _grey_png(pixels: "NDArray[np.uint8]") -> bytes:
    import av

    height, width = pixels.shape
    encoder = av.CodecContext.create("png", "w")
    encoder.width, encoder.height, encoder.pix_fmt = width, height, "gray"
    encoder.framerate = Fraction(1)
    frame = av.VideoFrame.from_ndarray(pixels, format="gray")
    frame.pts = 0
    packets = [*encoder.encode(frame), *encoder.encode(None)]
    return b"".join(bytes(packet) for packet in packets)

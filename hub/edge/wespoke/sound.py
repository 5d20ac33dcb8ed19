"""Recordings as Wespoke's clients send them: base64, of a file or of raw PCM and its format."""

import binascii

from hub.edge.bulk import text_blocks
from hub.edge.held_body import off_loop
from hub.edge.limits import MAX_UPLOAD_BYTES, PARSED_IN_PLACE_BYTES
from hub.edge.pieces import Pieces
from hub.edge.recordings import BadRecording, RawFormat, Recordings
from hub.edge.wespoke.bodies import AudioFormat
from hub.errors import BodyTooLarge
from hub.jobs.orders import Blob

_LONGEST_PREFIX = 200
_PADDING = 2
"""Characters that may stand behind the last whole group of four, and only there."""
_SLACK = 1 / 50
"""Share of base64 that may be line breaks."""


async def read_recording(text: str, form: AudioFormat | None, recordings: Recordings) -> Blob:
    """The sound that stands in base64, as engines hear it: mono s16le 16 kHz. A file says itself
    what is in it, whatever ``form`` says.

    Raises:
        BadRecording, RecordingTooLong, BodyTooLarge, Busy: see ``Recordings.pcm_of``.
    """
    if text[:_LONGEST_PREFIX].startswith("data:"):
        head, _, _ = text[:_LONGEST_PREFIX].partition(",")
        text = text[len(head) + 1 :]
    if len(text) > MAX_UPLOAD_BYTES * 4 / 3 * (1 + _SLACK):
        raise BodyTooLarge(f"a recording may have {MAX_UPLOAD_BYTES} bytes")
    if len(text) <= PARSED_IN_PLACE_BYTES:
        content = decoded(text)
    else:
        content = await off_loop(decoded, text)
    raw = None
    if form is not None:
        raw = RawFormat(form.sample_rate, form.channels, form.bits_per_sample)
    return await recordings.pcm_of(content, raw)


def decoded(text: str) -> Pieces:
    """The bytes; raises ``BadRecording``. Line breaks between the characters are no fault."""
    pieces = Pieces()
    kept = ""
    try:
        for block in text_blocks(text):
            told = kept + "".join(block.split())
            padding = told.find("=")
            if padding >= 0 and len(told) - padding > _PADDING:
                raise BadRecording("audio is no base64")
            whole = (padding if padding >= 0 else len(told)) // 4 * 4
            pieces.write(binascii.a2b_base64(told[:whole], strict_mode=True))
            kept = told[whole:]
        pieces.write(binascii.a2b_base64(kept, strict_mode=True))
    except (binascii.Error, ValueError):
        raise BadRecording("audio is no base64") from None
    return pieces

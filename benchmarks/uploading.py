"""A large recording as a form, made once and sent many times."""

import io
import wave
from typing import NamedTuple

UPLOAD_BYTES = 25 * 1024 * 1024
_BOUNDARY = "a-boundary-that-no-recording-holds"


class Upload(NamedTuple):
    """The body of a request, and what it is."""

    body: bytes
    media_type: str = f"multipart/form-data; boundary={_BOUNDARY}"


def upload_of(size_bytes: int) -> Upload:
    """A recording of that size for ``POST /v1/audio/transcriptions``."""
    field = 'Content-Disposition: form-data; name="model"\r\n\r\nscripted'
    file = 'Content-Disposition: form-data; name="file"; filename="recording.wav"\r\n\r\n'
    head = f"--{_BOUNDARY}\r\n{field}\r\n--{_BOUNDARY}\r\n{file}".encode()
    return Upload(head + recording(size_bytes) + f"\r\n--{_BOUNDARY}--\r\n".encode())


def recording(size_bytes: int) -> bytes:
    """Silence as a WAV file of nearly that size: stereo at 44.1 kHz, some minutes."""
    sink = io.BytesIO()
    with wave.open(sink, "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(44_100)
        file.writeframes(bytes((size_bytes - 64) // 4 * 4))
    return sink.getvalue()

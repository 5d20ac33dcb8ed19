"""Lines of JSON out of a byte stream that may be cut anywhere."""

MAX_LINE_BYTES = 256 * 1024
"""A longer line is no answer of a chat server."""


class LineReader:
    """Bytes in, complete lines out, empty ones left out."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, piece: bytes) -> list[bytes]:
        """The lines that ``piece`` completes.

        Raises:
            ValueError: a line is longer than ``MAX_LINE_BYTES``.
        """
        *lines, self._rest = (self._rest + piece).split(b"\n")
        if len(self._rest) > MAX_LINE_BYTES:
            raise ValueError(f"line of more than {MAX_LINE_BYTES} bytes")
        return [line for line in map(bytes.strip, lines) if line]

    def finish(self) -> list[bytes]:
        """A last line that no line break ends."""
        rest, self._rest = self._rest.strip(), b""
        return [rest] if rest else []

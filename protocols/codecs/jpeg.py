"""What a JPEG says of itself, read without decoding it (ITU-T T.81, annex B)."""

_MARKER = 0xFF
_START_OF_IMAGE = b"\xff\xd8"
_START_OF_SCAN, _END_OF_IMAGE = 0xDA, 0xD9
_ALONE = frozenset({0x01, _MARKER, *range(0xD0, 0xD9)})
"""Markers without a segment behind them, and the fill byte that may stand before one."""
_START_OF_FRAME = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""C4, C8 and CC are tables of that range that are no frame header."""
_FRAME_BYTES = 8
"""Length, precision, height and width stand in so many."""
MAX_STEPS = 200
"""A camera's JPEG has about ten segments before its pixels; one of nothing but segments, or of
nothing but fill bytes, is given up here."""


def jpeg_size(data: bytes) -> tuple[int, int] | None:
    """Width and height in pixels by the frame header; None if there is none, so that ``data`` is no
    JPEG that shows anything."""
    if data[:2] != _START_OF_IMAGE:
        return None
    at = 2
    for _ in range(MAX_STEPS):
        if at + 1 >= len(data) or data[at] != _MARKER:
            return None
        kind = data[at + 1]
        at += 1 if kind == _MARKER else 2
        if kind in _ALONE:
            continue
        if kind in (_START_OF_SCAN, _END_OF_IMAGE):
            return None
        if kind in _START_OF_FRAME:
            return _frame_size(data[at : at + _FRAME_BYTES])
        at += max(2, int.from_bytes(data[at : at + 2], "big"))
    return None


def _frame_size(header: bytes) -> tuple[int, int] | None:
    height = int.from_bytes(header[3:5], "big")
    width = int.from_bytes(header[5:7], "big")
    return (width, height) if width and height and len(header) == _FRAME_BYTES else None

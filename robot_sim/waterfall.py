"""A turn's latency as bars that stand where each step began. Pure."""

from collections.abc import Sequence

from protocols.messages.turn import Segment

_NAME_WIDTH = 20


def waterfall(segments: Sequence[Segment], width: int = 40) -> list[str]:
    """One line a segment and one for their sum, ``width`` columns for the bars."""
    total = sum(segment.ms for segment in segments)
    lines = []
    at = 0.0
    for segment in segments:
        first = _column(at, total, width)
        at += segment.ms
        bar = " " * first + "█" * max(1, _column(at, total, width) - first)
        lines.append(f"{segment.name:<{_NAME_WIDTH}} {bar:<{width + 1}} {segment.ms:8.1f} ms")
    lines.append(
        f"{'= end of speech to first sample played':<{_NAME_WIDTH + width + 2}} {total:8.1f} ms"
    )
    return lines


def _column(at_ms: float, total_ms: float, width: int) -> int:
    return round(at_ms / total_ms * width) if total_ms else 0

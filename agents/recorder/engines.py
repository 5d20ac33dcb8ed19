"""Which tape the recorder writes to."""

from pkgutil import resolve_name

from agents.recorder.backends.base import TAPES, Tape
from agents.recorder.settings import RecorderSettings


def chosen(settings: RecorderSettings) -> Tape:
    """The tape that ``settings`` name."""
    kind = resolve_name(TAPES[settings.backend])
    tape: Tape = (
        kind(settings.directory, settings.max_mib << 20) if settings.backend == "mcap" else kind()
    )
    return tape

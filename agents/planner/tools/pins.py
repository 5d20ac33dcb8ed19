"""What tools said of themselves when they were first seen; one that says another thing is not used.

A description is read by a model, so whoever can change it can give the model orders. The pins are a
JSON file, hash by ``server.tool``: whoever has read a new description takes its line out.
"""

import hashlib
import json
import os
from enum import StrEnum
from pathlib import Path

import structlog

from agents.planner.tools.base import ToolOffer

log = structlog.get_logger(__name__)


class Pinned(StrEnum):
    """How a tool stands to its pin."""

    SAME = "same"
    NEW = "new"
    """It was not seen before, and is pinned now."""
    CHANGED = "changed"


class Pins:
    """The pins in ``file``, which is made when the first tool is seen. Blocking.

    Raises:
        ValueError: the file is there and no book of pins: then nothing can be trusted.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._pins = _read(file)

    def check(self, offer: ToolOffer) -> Pinned:
        """Whether ``offer`` says what it said when it was first seen; a new one is pinned."""
        digest = digest_of(offer)
        pinned = self._pins.get(offer.name)
        if pinned is None:
            self._pins[offer.name] = digest
            return Pinned.NEW
        return Pinned.SAME if pinned == digest else Pinned.CHANGED

    def save(self) -> None:
        """Write the file, whole or not at all. Where that fails, the pins last as long as the
        process."""
        text = json.dumps(dict(sorted(self._pins.items())), indent=1) + "\n"
        beside = self._file.with_name(f"{self._file.name}.new")
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            beside.write_text(text, encoding="utf-8")
            os.replace(beside, self._file)
        except OSError as error:
            log.warning("mcp_pins_not_saved", error=str(error))


def digest_of(offer: ToolOffer) -> str:
    """What a tool says of itself, as a hash: its name, its description and its arguments."""
    said = json.dumps(
        [offer.name, offer.description, offer.schema], sort_keys=True, ensure_ascii=True
    )
    return hashlib.sha256(said.encode()).hexdigest()


def _read(file: Path) -> dict[str, str]:
    try:
        pins = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeError, json.JSONDecodeError) as error:
        raise ValueError(f"the pins of tools in {file} cannot be read: {error}") from None
    if not isinstance(pins, dict) or not all(isinstance(pin, str) for pin in pins.values()):
        raise ValueError(f"{file} holds no pins of tools")
    return pins

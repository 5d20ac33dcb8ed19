"""Traces as MCAP files (https://mcap.dev): chunked, compressed, one channel per topic, in JSON.

Every batch becomes a chunk of its own and is handed to the operating system at once, so that a
process that is killed loses nothing it has written. Log times are the hub's monotonic clock.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

import msgspec
from mcap.writer import Writer

from agents.recorder.backends.base import TapeFull
from agents.runtime.errors import BackendUnavailable
from protocols.messages.trace import TraceBatch

_SCHEMA = b'{"type": "object"}'
_PROFILE = "robot-hub"
METADATA = "robot-hub"
"""Name of the metadata record that says which hub's trace this is."""

_encode = msgspec.json.Encoder().encode


class McapTape:
    """Writes to ``directory``, at most ``max_bytes`` per file."""

    name = "mcap"

    def __init__(self, directory: Path, max_bytes: int) -> None:
        self._directory = directory
        self._max_bytes = max_bytes
        self._file: IO[bytes] | None = None
        self._writer: Writer | None = None
        self._schema = 0
        self._channels: dict[str, int] = {}

    async def start(self) -> None:
        """Make the directory; raise ``BackendUnavailable`` if it cannot be written to."""
        try:
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            probe = self._directory / ".writable"
            probe.touch()
            probe.unlink()
        except OSError as error:
            raise BackendUnavailable(
                f"traces cannot be written to {self._directory}: {error}"
            ) from error

    async def close(self) -> None:
        self.end()

    def begin(self, hub: TraceBatch) -> str:
        self.end()
        try:
            path, self._file = self._new_file(hub.boot)
            self._writer = Writer(self._file)
            self._writer.start(_PROFILE, "robot-hub recorder")
            self._writer.add_metadata(METADATA, _metadata(hub))
            self._schema = self._writer.register_schema("entry", "jsonschema", _SCHEMA)
            self._channels = {}
        except OSError as error:
            self._abandon()
            raise TapeFull(str(error)) from error
        return str(path)

    def write(self, entries: Sequence[dict[str, Any]]) -> None:
        assert self._writer is not None
        assert self._file is not None
        try:
            for entry in entries:
                self._add(self._writer, entry)
            self._writer.flush()  # type: ignore[no-untyped-call]
            self._file.flush()
            written = self._file.tell()
        except OSError as error:
            self._abandon()
            raise TapeFull(str(error)) from error
        if written > self._max_bytes:
            self.end()
            raise TapeFull(f"the file has reached {self._max_bytes >> 20} MiB")

    def end(self) -> None:
        writer, file = self._writer, self._file
        self._writer = self._file = None
        if writer is None or file is None:
            return
        try:
            writer.finish()  # type: ignore[no-untyped-call]
            file.close()
        except OSError:
            # The file is readable without its end.
            _close(file)

    def _add(self, writer: Writer, entry: dict[str, Any]) -> None:
        topic = topic_of(entry)
        channel = self._channels.get(topic)
        if channel is None:
            channel = writer.register_channel(topic, "json", self._schema)
            self._channels[topic] = channel
        at = entry["t_ns"]
        writer.add_message(channel, at, _encode(entry), at, entry["n"] & 0xFFFF_FFFF)

    def _new_file(self, boot: int) -> tuple[Path, IO[bytes]]:
        """A file that did not exist: a recorder that was restarted goes on in another one."""
        part = 1
        while True:
            suffix = f"-{part}" if part > 1 else ""
            path = self._directory / f"hub-{boot:06d}{suffix}.mcap"
            try:
                return path, path.open("xb")
            except FileExistsError:
                part += 1

    def _abandon(self) -> None:
        if self._file is not None:
            _close(self._file)
        self._writer = self._file = None


def topic_of(entry: dict[str, Any]) -> str:
    """The channel of an entry: its kind, and what is in it, e.g. ``/fact/turn.started``."""
    kind = entry["type"]
    inside = entry.get("topic") or entry.get("body", {}).get("type", "")
    return f"/{kind}/{inside}" if inside else f"/{kind}"


def _metadata(hub: TraceBatch) -> dict[str, str]:
    return {
        "hub_id": hub.hub_id,
        "boot": str(hub.boot),
        "version": hub.version,
        "trace": str(hub.trace),
        "words": "recorded" if hub.words else "left out",
        "began": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def _close(file: IO[bytes]) -> None:
    """Close a file that cannot be written to: what its buffer holds is lost."""
    try:
        file.close()
    except OSError:
        return

"""Reads traces back from MCAP files, complete ones and those whose writer was killed."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
from mcap.records import Message, Metadata
from mcap.stream_reader import StreamReader

from hub.trace.entries import AnyEntry, Entry
from protocols.errors import HubError
from protocols.messages.trace import TRACE_VERSION

METADATA = "robot-hub"
MAX_RECORD_BYTES = 64 << 20
"""No record of ours is near as long: one that is was not written by us."""

_decoder = msgspec.json.Decoder(AnyEntry)


class UnreadableTrace(HubError):
    """The file is no trace of a hub, or of a newer one; the text is one sentence."""

    code = "unreadable_trace"


def read(path: Path) -> Iterator[Entry]:
    """The entries of a trace, in order. A file that stops in the middle of a record, or is damaged
    from there on, ends with its last good one.

    Raises:
        UnreadableTrace: there is none, or it is no trace that this build knows.
    """
    try:
        with path.open("rb") as file:
            yield from _entries(path, file)
    except OSError as error:
        raise UnreadableTrace(f"{path} cannot be read: {error.strerror or error}") from None


def _entries(path: Path, file: Any) -> Iterator[Entry]:
    is_trace = False
    for record in _records(path, file):
        if isinstance(record, Metadata) and record.name == METADATA:
            _check_version(path, record.metadata)
            is_trace = True
        elif isinstance(record, Message):
            if not is_trace:
                break
            yield _entry(path, record.data)
    if not is_trace:
        raise UnreadableTrace(f"{path} is no trace of a Robot Hub")


def _records(path: Path, file: Any) -> Iterator[Any]:
    """All records up to where the file ends."""
    reader = StreamReader(file, record_size_limit=MAX_RECORD_BYTES, validate_crcs=True)
    begun = False
    try:
        for record in reader.records:
            begun = True
            yield record
    except OSError:
        raise
    except Exception as error:
        # A damaged length or checksum makes mcap, struct or zstandard fail in any of their ways.
        if not begun:
            raise UnreadableTrace(f"{path} is no MCAP file") from error


def _check_version(path: Path, said: dict[str, str]) -> None:
    version = said.get("trace", "")
    if version != str(TRACE_VERSION):
        raise UnreadableTrace(
            f"{path} is a trace of version {version or '?'}, this build reads {TRACE_VERSION}"
        )


def _entry(path: Path, data: bytes) -> Entry:
    try:
        entry: Entry = _decoder.decode(data)
    except msgspec.DecodeError as error:
        raise UnreadableTrace(f"{path} holds an entry that is none: {error}") from None
    return entry

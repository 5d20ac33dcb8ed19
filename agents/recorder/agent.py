"""The recorder: takes the trace's batches and puts them on tape."""

from collections import Counter

import msgspec
import structlog

from agents.recorder.backends.base import Tape, TapeFull
from protocols.envelope import AnyEnvelope, Message
from protocols.messages.trace import TRACE_VERSION, TraceBatch, split_entries

log = structlog.get_logger(__name__)


class Recorder:
    """The listening service. Each run of a hub gets a trace of its own; one that cannot be written
    any more is given up, and said so, until the next run."""

    name = "recorder"
    consumes: frozenset[type[Message]] = frozenset({TraceBatch})
    produces: frozenset[type[Message]] = frozenset()

    def __init__(self, tape: Tape) -> None:
        self.counters: Counter[str] = Counter()
        self._tape = tape
        self._run: tuple[str, int] | None = None
        self._is_full = False

    def handle(self, envelope: AnyEnvelope, blob: bytes) -> None:
        """A batch came."""
        batch = envelope.body
        assert isinstance(batch, TraceBatch)
        if batch.trace != TRACE_VERSION:
            self.counters["batches.unknown_version"] += 1
            return
        try:
            entries = split_entries(blob)
        except msgspec.DecodeError:
            self.counters["batches.malformed"] += 1
            return
        try:
            if (batch.hub_id, batch.boot) != self._run:
                self._begin(batch)
            if self._is_full:
                self.counters["entries.no_room"] += len(entries)
            else:
                self._tape.write(entries)
        except KeyError:
            self.counters["batches.malformed"] += 1
        except TapeFull as full:
            self._is_full = True
            self.counters["entries.no_room"] += len(entries)
            self.counters["tapes.full"] += 1
            log.error("recording_stopped", reason=str(full))

    def _begin(self, batch: TraceBatch) -> None:
        self._run, self._is_full = (batch.hub_id, batch.boot), False
        called = self._tape.begin(batch)
        log.info("recording", trace=called, words=batch.words)

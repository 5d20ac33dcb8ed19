"""Texts that may be given again to the same request: the last few, for a while, in memory alone."""

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import NamedTuple

import msgspec

from hub.edge.chats import Written
from hub.jobs.inference import Said
from protocols.messages.chat import ChatRequest

MAX_ENTRY_CHARS = 64 * 1024
"""A longer text is written anew each time: it takes no room from many others."""


class CacheRules(NamedTuple):
    """How many texts are kept and for how long; 0 s: none at all."""

    entries: int = 256
    ttl_s: float = 0.0


class _Entry(NamedTuple):
    written: Written
    until_s: float


class ResponseCache:
    """Complete texts by the request that they answer; the one that was not wanted for longest goes
    first. ``now_s`` is monotonic."""

    def __init__(self, rules: CacheRules, now_s: Callable[[], float]) -> None:
        self._rules = rules
        self._now_s = now_s
        self._kept: OrderedDict[bytes, _Entry] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def takes(self, temperature: float, asked: bool | None) -> bool:
        """Whether the text of a request may be kept and given again: ``asked`` is what it says
        itself, and without a word of it one that leaves nothing to chance may."""
        if self._rules.ttl_s <= 0:
            return False
        return temperature == 0 if asked is None else asked

    def find(self, key: bytes) -> Written | None:
        """The text for a request."""
        entry = self._kept.get(key)
        if entry is None:
            return None
        if entry.until_s <= self._now_s():
            del self._kept[key]
            return None
        self._kept.move_to_end(key)
        return entry.written

    def keep(self, key: bytes, written: Written) -> None:
        """Remember the text for a request."""
        if len(written.text) > MAX_ENTRY_CHARS:
            return
        self._kept[key] = _Entry(written, self._now_s() + self._rules.ttl_s)
        self._kept.move_to_end(key)
        while len(self._kept) > self._rules.entries:
            self._kept.popitem(last=False)


def key_of(client: str, model: str, said: Sequence[Said], how: ChatRequest) -> bytes:
    """What tells a request from all others: all that its text depends on, and whose it is."""
    chat = [(each.role, each.text) for each in said]
    return hashlib.sha256(msgspec.json.encode([client, model, chat, how])).digest()

"""How often a caller may ask: a token bucket for each, in a table that cannot grow for ever.

Pure: time is an argument.
"""

import math
from collections import OrderedDict
from ipaddress import IPv6Address, IPv6Network, ip_address

BURST_S = 10.0
"""A bucket holds what it gains in so many seconds,"""
LEAST_BURST = 10
"""but at least so many requests."""
MOST_CALLERS = 4_096
"""Buckets at once. The longest unused one is forgotten first, and a forgotten caller starts full:
whoever has that many names to ask by is not held back by any bucket."""


class Bucket:
    """Starts full, gains ``per_minute`` requests a minute, holds at most ``burst``."""

    __slots__ = ("_burst", "_left", "_now_s", "_per_s")

    def __init__(self, per_minute: float, now_s: float, burst: float | None = None) -> None:
        self._per_s = per_minute / 60
        self._burst = burst or max(LEAST_BURST, self._per_s * BURST_S)
        self._left = self._burst
        self._now_s = now_s

    def wait_s(self, now_s: float) -> int:
        """Whole seconds until a request may be made; 0: now."""
        self._gain(now_s)
        return 0 if self._left >= 1 else max(1, math.ceil((1 - self._left) / self._per_s))

    def take(self, now_s: float) -> None:
        """Count one request; there may be none left."""
        self._gain(now_s)
        self._left = max(0.0, self._left - 1)

    def _gain(self, now_s: float) -> None:
        gained = max(0.0, now_s - self._now_s) * self._per_s
        self._left = min(self._burst, self._left + gained)
        self._now_s = max(now_s, self._now_s)


class Throttle:
    """Buckets by name of the caller."""

    def __init__(
        self, per_minute: int, burst: float | None = None, most: int = MOST_CALLERS
    ) -> None:
        self._per_minute = per_minute
        self._burst = burst
        self._most = most
        self._buckets: OrderedDict[tuple[str, int], Bucket] = OrderedDict()

    def __len__(self) -> int:
        return len(self._buckets)

    def take(self, caller: str, now_s: float, per_minute: int | None = None) -> int:
        """Count a request of ``caller``, who may make ``per_minute`` if not as many as everybody.

        Returns:
            0 if it may be made; else, uncounted, the whole seconds to wait.
        """
        bucket = self._bucket(caller, now_s, per_minute or self._per_minute)
        if bucket is None:
            return 0
        wait_s = bucket.wait_s(now_s)
        if wait_s == 0:
            bucket.take(now_s)
        return wait_s

    def wait_s(self, caller: str, now_s: float) -> int:
        """Whole seconds until ``caller`` may ask; 0: now. Counts nothing."""
        bucket = self._buckets.get((caller, self._per_minute))
        return 0 if bucket is None else bucket.wait_s(now_s)

    def _bucket(self, caller: str, now_s: float, per_minute: int) -> Bucket | None:
        if per_minute <= 0:
            return None
        key = (caller, per_minute)
        bucket = self._buckets.get(key)
        if bucket is None:
            bucket = self._buckets[key] = Bucket(per_minute, now_s, self._burst)
            if len(self._buckets) > self._most:
                self._buckets.popitem(last=False)
        self._buckets.move_to_end(key)
        return bucket


class Recent:
    """Names seen lately; the longest unseen one is forgotten first."""

    def __init__(self, most: int = MOST_CALLERS) -> None:
        self._most = most
        self._names: OrderedDict[bytes, None] = OrderedDict()

    def __contains__(self, name: bytes) -> bool:
        return name in self._names

    def add(self, name: bytes) -> bool:
        """Whether ``name`` is a new one."""
        new = name not in self._names
        self._names[name] = None
        self._names.move_to_end(name)
        if len(self._names) > self._most:
            self._names.popitem(last=False)
        return new

    def forget(self, name: bytes) -> None:
        """As if it had never been seen."""
        self._names.pop(name, None)


def neighbourhood(address: str) -> str:
    """Whom an address stands for: itself, or its /64 where a peer has as many as it likes."""
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if not isinstance(parsed, IPv6Address):
        return str(parsed)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(IPv6Network((int(parsed), 64), strict=False))

"""A place where setup gets what a test lets it have."""

from collections.abc import Collection

from hub.profiles import Need


class FakeSource:
    """A ``Source`` that has everything but the names in ``lacks``; ``asked`` holds what was asked."""

    def __init__(self, lacks: Collection[str] = (), *, ollama: bool = False) -> None:
        self._lacks = lacks
        self._ollama = ollama
        self.asked: list[str] = []

    def obtain(self, need: Need) -> str:
        self.asked.append(need.name)
        return f"there is no {need.name}" if need.name in self._lacks else ""

    def has_ollama(self) -> bool:
        return self._ollama

"""A book in memory."""

from collections import Counter


class ScriptedBook:
    """Keeps what is noted for as long as it lives."""

    name = "scripted"

    def __init__(self) -> None:
        self.counters: Counter[str] = Counter()
        self.noted: dict[str, tuple[int, float]] = {}

    async def start(self) -> None:
        """Nothing is to be loaded."""

    async def close(self) -> None:
        """Nothing is to be freed."""

    def spent_s(self, robot: str, day: int) -> float:
        noted_day, spent_s = self.noted.get(robot, (day, 0.0))
        return spent_s if noted_day == day else 0.0

    def note(self, robot: str, day: int, spent_s: float) -> None:
        self.noted[robot] = (day, spent_s)

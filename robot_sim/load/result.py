"""What a run of a fleet gave, for people and for programs."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from robot_sim.load.tally import Spread, Tally, spread
from robot_sim.load.usage import Memory


@dataclass(frozen=True, kw_only=True)
class LoadResult:
    """See the module. ``silent`` robots did not converse at the end, ``gone`` ones were sent away
    for good; ``events`` is what the hub counted meanwhile. ``cpu_s`` and ``memory`` are empty where
    the hub's processes could not be looked at."""

    robots: int
    seconds: float
    seed: int
    talk: float
    tally: Tally
    silent: tuple[str, ...]
    gone: Mapping[str, str]
    events: Mapping[str, int]
    cpu_s: Mapping[str, float]
    memory: tuple[Memory, ...]
    late_ms: float

    @property
    def faults(self) -> list[str]:
        """A sentence for everything that must not be; empty if all is well."""
        found = [f"{b.robot}: {b.rule}: {b.detail}" for b in self.tally.breaches]
        found += [f"{robot} does not converse at the end" for robot in self.silent]
        found += [f"{robot} was sent away: {why}" for robot, why in self.gone.items()]
        if not self.tally.counts["answered"]:
            found.append("no question was answered")
        return found

    @property
    def cores(self) -> float:
        """How many cores the hub kept busy."""
        return sum(self.cpu_s.values()) / self.seconds

    @property
    def cpu_ms_per_robot(self) -> float:
        """Milliseconds of CPU for a robot and second."""
        return 1000 * self.cores / self.robots

    @property
    def robots_per_core(self) -> float:
        """How many such robots one core would carry; 0 if that is not known."""
        return self.robots / self.cores if self.cores else 0.0

    def memory_growth_mib(self) -> float:
        """PSS at the end, less that at the beginning."""
        return self.memory[-1].total_mib - self.memory[0].total_mib if self.memory else 0.0

    def spreads(self) -> dict[str, Spread]:
        """All series of times, by name."""
        return {name: spread(times) for name, times in sorted(self.tally.times_ms.items())}

    def document(self) -> dict[str, Any]:
        """Everything as JSON takes it."""
        tally = self.tally
        return {
            "robots": self.robots,
            "seconds": round(self.seconds, 3),
            "seed": self.seed,
            "talk": self.talk,
            "faults": self.faults,
            "counts": dict(sorted(tally.counts.items())),
            "outcomes": dict(sorted(tally.outcomes.items())),
            "closes": {str(code): n for code, n in sorted(tally.closes.items())},
            "times_ms": {name: s._asdict() for name, s in self.spreads().items()},
            "hub_events": dict(sorted(self.events.items())),
            "cpu_s": dict(self.cpu_s),
            "cores": self.cores,
            "cpu_ms_per_robot_and_second": self.cpu_ms_per_robot,
            "robots_per_core": self.robots_per_core,
            "memory_mib": [{"at_s": m.at_s, "total": m.total_mib, **m.mib} for m in self.memory],
            "client_late_ms": self.late_ms,
        }

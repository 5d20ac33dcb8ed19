"""Which process is struck when, and how: drawn from a seed. Pure.

No process is struck so often that its supervisor would have to give it up: it may end five times
within a minute (``hub/restarts.py``), and here it is struck at most ``MOST_PER_MINUTE`` times.
"""

import random
from collections.abc import Sequence
from typing import NamedTuple

MOST_PER_MINUTE = 4
STOPS = 0.2
"""Share of the strikes that stop a process for a while; the others kill it."""
STOP_S = (0.5, 5.0)
_MINUTE_S = 60.0


class Strike(NamedTuple):
    """SIGKILL to ``victim`` at ``at_s``, or, if ``stop_s`` is not 0, SIGSTOP and after so many
    seconds SIGCONT."""

    at_s: float
    victim: str
    stop_s: float = 0.0

    @property
    def over_s(self) -> float:
        """When the fault itself is over."""
        return self.at_s + self.stop_s


def plan_strikes(
    victims: Sequence[str], strikes: int, seconds: float, seed: int
) -> tuple[Strike, ...]:
    """``strikes`` strikes spread over ``seconds`` and all ``victims``, in order of time.

    Raises:
        ValueError: so many cannot be had without striking one of them too often.
    """
    random_ = random.Random(seed)
    every_s = seconds / strikes
    planned: list[Strike] = []
    bag: list[str] = []
    for number in range(strikes):
        at_s = (number + random_.uniform(0.1, 0.9)) * every_s
        if not bag:
            bag = random_.sample(victims, len(victims))
        victim = next((v for v in bag if _has_rest(v, planned, at_s)), None)
        if victim is None:
            raise ValueError(f"{strikes} strikes in {seconds:.0f} s are too many")
        bag.remove(victim)
        stops = random_.random() < STOPS
        planned.append(Strike(at_s, victim, random_.uniform(*STOP_S) if stops else 0.0))
    return tuple(planned)


def _has_rest(victim: str, planned: Sequence[Strike], at_s: float) -> bool:
    """Whether ``victim`` may be struck again at ``at_s``."""
    own = [strike for strike in planned if strike.victim == victim]
    recent = [strike for strike in own if at_s - strike.at_s < _MINUTE_S]
    return len(recent) < MOST_PER_MINUTE and all(strike.over_s < at_s for strike in own)

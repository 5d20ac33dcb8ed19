"""How much microphone audio a connection may bring: real time, with credit for stalls."""

CREDIT_S = 5.0
"""What a robot may bring at once after a stall of its network."""
TOLERANCE = 1.05
"""Clocks of sound devices are off by far less than this."""


class AudioBucket:
    """A token bucket whose tokens are seconds of audio. Pure: time is an argument.

    It starts full, gains ``TOLERANCE`` seconds of audio per second and never holds more than its
    credit.
    """

    __slots__ = ("_credit_s", "_left_s", "_now_s")

    def __init__(self, now_s: float, credit_s: float = CREDIT_S) -> None:
        self._credit_s = credit_s
        self._left_s = credit_s
        self._now_s = now_s

    def take(self, audio_s: float, now_s: float) -> bool:
        """Spend ``audio_s`` of audio that came at ``now_s``; False if there is not that much."""
        left_s = self._left_s
        if now_s > self._now_s:
            left_s += (now_s - self._now_s) * TOLERANCE
            self._now_s = now_s
            if left_s > self._credit_s:
                left_s = self._credit_s
        has = audio_s <= left_s
        self._left_s = left_s - audio_s if has else left_s
        return has

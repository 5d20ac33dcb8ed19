"""What an engine is ordered to make."""

from typing import NamedTuple


class Order(NamedTuple):
    """What is to be made: a picture for each of ``seeds``, every one of ``width`` × ``height``.

    With ``source``, a picture as it came (PNG, JPEG or WebP), it is made out of that: ``strength``
    (0 to 1) of the steps are taken. With ``mask`` beside it only its white parts are made anew.
    """

    prompt: str
    negative_prompt: str = ""
    width: int = 1024
    height: int = 1024
    steps: int = 30
    guidance: float = 7.5
    seeds: tuple[int, ...] = (0,)
    source: bytes = b""
    mask: bytes = b""
    strength: float = 0.8

    @property
    def steps_taken(self) -> int:
        """How many steps a picture takes: out of another one, a part of them."""
        if not self.source:
            return self.steps
        return min(int(self.steps * self.strength), self.steps)

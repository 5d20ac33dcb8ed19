"""Orpheus' language: text as a prompt of tokens, and its tokens as codes of the SNAC codec.

The model is a Llama 3 whose vocabulary goes on after ``BASE`` with tokens of its own
(canopyai/Orpheus-TTS). Seven of them are a frame of 2048 samples at 24 kHz; the n-th of a frame is
``BASE + 10 + 4096 * n + code``. SNAC has three layers, of one, two and four codes a frame, in the
order in which a frame visits a binary tree: 1, 2, 3, 3, 2, 3, 3.
"""

from collections.abc import Sequence
from typing import NamedTuple

from agents.tts.estimate import MS_PER_UNIT, units_of

RATE_HZ = 24_000
FRAME_TOKENS = 7
FRAME_SAMPLES = 2_048
CODES = 4_096

BASE = 128_256
_BEGIN_OF_TEXT, _END_OF_TURN = 128_000, 128_009
START_OF_SPEECH, END_OF_SPEECH = BASE + 1, BASE + 2
_START_OF_HUMAN, _END_OF_HUMAN, _START_OF_AI = BASE + 3, BASE + 4, BASE + 5
FIRST_CODE = BASE + 10
AUDIO_TOKENS = (*range(FIRST_CODE, FIRST_CODE + FRAME_TOKENS * CODES), END_OF_SPEECH)
"""All that can be part of speech."""

_LAYERS = ((0,), (1, 4), (2, 3, 5, 6))
"""Which codes of a frame belong to each layer of the codec."""

BEFORE, AFTER = 1, 2
"""Frames that a frame is decoded together with, so that no seam is heard at its edges."""

_SPARE = 2.5
_SPARE_S = 2.0
"""How much longer than expected a text may be spoken: what goes on after that is babble."""

Frame = tuple[int, ...]
"""Seven codes, in the order of the model."""


def prompt_of(text: Sequence[int]) -> list[int]:
    """The prompt for the tokens of ``"{voice}: {text}"``; what the model adds to it is speech."""
    end = [_END_OF_TURN, _END_OF_HUMAN, _START_OF_AI, START_OF_SPEECH]
    return [_START_OF_HUMAN, _BEGIN_OF_TEXT, *text, *end]


def most_tokens(text: str, cap_s: float) -> int:
    """How many tokens the speech of ``text`` may have, never more than ``cap_s`` seconds."""
    expected_s = units_of(text) * MS_PER_UNIT / 1000
    seconds = min(cap_s, expected_s * _SPARE + _SPARE_S)
    return max(1, int(seconds * RATE_HZ / FRAME_SAMPLES)) * FRAME_TOKENS


def code_of(token: int, position: int) -> int | None:
    """The code that ``token`` means as number ``position`` of its frame; None if it means none."""
    code = token - FIRST_CODE - CODES * position
    return code if 0 <= code < CODES else None


class Frames:
    """Puts frames together. A token that is no code at its place is skipped and counted: the next
    one that fits goes on, as the model does."""

    def __init__(self) -> None:
        self.invalid = 0
        self._codes: list[int] = []

    def add(self, tokens: Sequence[int]) -> list[Frame]:
        """The frames that ``tokens`` complete."""
        complete: list[Frame] = []
        for token in tokens:
            code = code_of(token, len(self._codes))
            if code is None:
                self.invalid += token != END_OF_SPEECH
                continue
            self._codes.append(code)
            if len(self._codes) == FRAME_TOKENS:
                complete.append(tuple(self._codes))
                self._codes.clear()
        return complete


def layers_of(frames: Sequence[Frame]) -> tuple[list[int], list[int], list[int]]:
    """The codes of ``frames`` as the codec takes them, layer by layer."""
    first, second, third = ([frame[at] for frame in frames for at in places] for places in _LAYERS)
    return first, second, third


class Stretch(NamedTuple):
    """Frames to decode together; the audio of ``new`` of them from number ``first`` is wanted."""

    frames: tuple[Frame, ...]
    first: int
    new: int


class Window:
    """Slides over the frames of a text: each is given out once, amid its neighbours."""

    def __init__(self) -> None:
        self._frames: list[Frame] = []
        self._given = 0

    def add(self, frames: Sequence[Frame]) -> Stretch | None:
        """What can be decoded now that ``frames`` follow."""
        self._frames += frames
        return self._up_to(len(self._frames) - AFTER)

    def finish(self) -> Stretch | None:
        """What is left to decode when no frame follows."""
        return self._up_to(len(self._frames))

    def _up_to(self, end: int) -> Stretch | None:
        new = end - self._given
        if new <= 0:
            return None
        stretch = Stretch(tuple(self._frames), self._given, new)
        passed = max(0, end - BEFORE)
        del self._frames[:passed]
        self._given = end - passed
        return stretch

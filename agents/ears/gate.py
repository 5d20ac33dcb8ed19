"""Whether what a microphone hears is for its robot: where a wake word is waited for, most is not."""

from typing import Any

from agents.ears.backends.base import Call, WakeWord
from agents.ears.endpointing import Event
from agents.ears.tape import Tape
from protocols.messages.voice import DropReason, UtteranceDropped, UtteranceEnded, VoiceStarted


class Gate:
    """While it is ``closed``, utterances are found as ever, and the hub is told of none but that it
    was not for the robot; nothing is sent to a recogniser. ``taken`` is the newest that is.
    """

    def __init__(self, wake: WakeWord | None) -> None:
        self.closed = False
        self.taken = 0
        self.wake_sample = -1
        """Where the last wake word that opened it ended."""
        self._wake = wake
        self._memory: Any = None
        self._listened_to = 0

    @property
    def can_listen(self) -> bool:
        """Whether it hears wake words."""
        return self._wake is not None

    def open(self, wake_sample: int) -> None:
        """What is said now is for the robot."""
        self.closed = False
        self.wake_sample = max(self.wake_sample, wake_sample)

    def close(self, wake_sample: int) -> None:
        """Nothing is, unless a wake word after ``wake_sample`` was heard. What is being said and was
        taken stays so."""
        self.closed = wake_sample >= self.wake_sample

    def told(self, event: Event) -> Event | None:
        """``event`` as the hub is to be told of it; None if it is not."""
        number = event.utterance  # type: ignore[union-attr]
        if isinstance(event, VoiceStarted) and not self.closed:
            self.taken = number
        asked_for = isinstance(event, UtteranceDropped) and event.reason is DropReason.EMPTY
        if number == self.taken or asked_for:
            return event
        if isinstance(event, UtteranceEnded):
            return UtteranceDropped(utterance=number, reason=DropReason.NOT_ADDRESSED)
        return None

    def listen(self, tape: Tape, first: int, end: int) -> Call | None:
        """The wake word that the sound up to ``end``, of an utterance from ``first`` on, ends with."""
        if self._wake is None or not self.closed:
            return None
        if self._memory is None:
            self._memory = self._wake.memory()
        sound = tape.cut(max(first, self._listened_to), end)
        self._listened_to = end
        call = self._wake.hear(self._memory, sound)
        if call is not None:
            # It still has the word in its ear, and would hear it in whatever is said next.
            self._memory = None
        return call

    @property
    def lag_samples(self) -> int:
        """How far behind its end a wake word is detected."""
        return self._wake.lag_samples if self._wake is not None else 0

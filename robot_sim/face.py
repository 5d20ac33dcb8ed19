"""The face (the ESP32 of a real robot): mood, gestures, talking and the conversation's state."""

from collections import Counter, deque

from protocols.messages.face import Conversation
from protocols.vocabulary import FACE_GESTURES

GESTURE_SLOTS = 15
"""Gestures that can wait; the oldest makes room for the next."""
TALKING_STOPS_NS = 450_000_000
"""Without a refresh the mouth stops by itself after this time."""
GESTURE_MS = {
    "blink": 180, "wink_l": 200, "wink_r": 200, "nod": 350, "headshake": 350, "laugh": 500,
    "confused": 500, "wiggle": 600, "surprise": 800, "heart": 2000, "x_eyes": 1500,
    "sleepy": 3000, "rage": 3000,
}  # fmt: skip


class Face:
    """Every setting is the last one given; gestures queue and are shown one after the other."""

    def __init__(self) -> None:
        self.conversation = Conversation.IDLE
        self.emotion = "neutral"
        self.intensity = 0.5
        self.energy = 0
        """How far the mouth is open, 0..255."""
        self.gesture = ""
        """The gesture that is being shown."""
        self.counters: Counter[str] = Counter()
        self._waiting: deque[tuple[str, int, int]] = deque()
        self._gesture_until_ns = 0
        self._talking_until_ns = 0

    @property
    def talking(self) -> bool:
        return self._talking_until_ns > 0

    def show(self, emotion: str, intensity: float) -> None:
        """Set the mood."""
        self.emotion, self.intensity = emotion, intensity

    def converse(self, state: Conversation) -> None:
        """Set what the conversation is at."""
        self.conversation = state

    def queue(self, name: str, turn: int = 0, duration_ms: int = 0) -> bool:
        """Show gesture ``name`` of turn ``turn`` when it is due, for as long as it usually takes if
        nothing else is said; False if the face has none of that name."""
        if name not in FACE_GESTURES:
            self.counters["unknown_gesture"] += 1
            return False
        if len(self._waiting) == GESTURE_SLOTS:
            self._waiting.popleft()
            self.counters["dropped_gesture"] += 1
        self._waiting.append((name, turn, duration_ms or GESTURE_MS[name]))
        return True

    def drop(self, upto_turn: int | None = None) -> None:
        """Give up gestures that wait, those of turns up to ``upto_turn``, or all."""
        kept = [] if upto_turn is None else [one for one in self._waiting if one[1] > upto_turn]
        self.counters["given_up_gesture"] += len(self._waiting) - len(kept)
        self._waiting = deque(kept)

    def talk(self, energy: int, now_ns: int) -> None:
        """Move the mouth; has to be refreshed, or it stops."""
        self.energy = energy
        self._talking_until_ns = now_ns + TALKING_STOPS_NS

    def hush(self) -> None:
        """Close the mouth now."""
        self._talking_until_ns = self.energy = 0

    def advance(self, now_ns: int) -> tuple[str, ...]:
        """Move to ``now_ns``; return the gestures that began."""
        if self._talking_until_ns and now_ns >= self._talking_until_ns:
            self.hush()
        began = []
        if self.gesture and now_ns >= self._gesture_until_ns:
            self.gesture = ""
        if not self.gesture and self._waiting:
            self.gesture, _, duration_ms = self._waiting.popleft()
            self._gesture_until_ns = now_ns + duration_ms * 1_000_000
            began.append(self.gesture)
        return tuple(began)

"""Actions of a robot: each at most once, one after the other, and never after its ttl."""

from collections import OrderedDict, deque
from typing import NamedTuple

from protocols.identity import Fence, Stamp
from protocols.messages.robot import Action, ActionResult, Capabilities
from protocols.vocabulary import BODY_GESTURES
from robot_sim.face import GESTURE_MS

_REMEMBERED_IDS = 1024
_MAX_WAITING = 16
_SKILL_MS = 200
_BODY_GESTURE_MS = 500


class Begun(NamedTuple):
    """The body begins ``action`` now."""

    action: Action


Step = Begun | ActionResult


class _Waiting(NamedTuple):
    action: Action
    deadline_ns: int


class Actions:
    """The body's queue. An id that was seen is never begun again: its answer is repeated."""

    def __init__(self, capabilities: Capabilities) -> None:
        self._capabilities = capabilities
        self._waiting: deque[_Waiting] = deque()
        self._running: Action | None = None
        self._until_ns = 0
        self._answers: OrderedDict[str, ActionResult | None] = OrderedDict()
        self._fence = Fence()

    def receive(self, action: Action, now_ns: int) -> list[Step]:
        """Take an action; its ttl counts from ``now_ns``, and its own deadline binds as well."""
        if action.id in self._answers:
            answer = self._answers[action.id]
            return [] if answer is None else [answer]
        self._answers[action.id] = None
        while len(self._answers) > _REMEMBERED_IDS:
            self._answers.popitem(last=False)
        refusal = self._refusal(action)
        if refusal:
            return [self._answer(action, ok=False, detail=refusal)]
        deadline_ns = now_ns + action.ttl_ms * 1_000_000
        if action.expires_ns:
            deadline_ns = min(deadline_ns, action.expires_ns)
        self._waiting.append(_Waiting(action, deadline_ns))
        return self.advance(now_ns)

    def flush(self, upto: Stamp) -> list[Step]:
        """Give up what waits at or below ``upto``, and refuse it from now on."""
        self._fence.raise_to(upto)
        stale = [w.action for w in self._waiting if self._fence.is_stale(w.action.turn)]
        self._waiting = deque(w for w in self._waiting if not self._fence.is_stale(w.action.turn))
        return [self._answer(action, ok=False, detail="flushed") for action in stale]

    def expire(self) -> list[Step]:
        """Give up all that waits: it was received before the clock jumped."""
        stale, self._waiting = self._waiting, deque()
        return [self._answer(w.action, ok=False, detail="expired") for w in stale]

    def forget(self) -> None:
        """Another hub numbers its turns anew; its fence starts at the bottom."""
        self._waiting.clear()
        self._fence = Fence()

    def advance(self, now_ns: int) -> list[Step]:
        """Move to ``now_ns``: what is done, what begins, what has expired while it waited."""
        steps: list[Step] = []
        while True:
            if self._running is not None:
                if now_ns < self._until_ns:
                    return steps
                steps.append(self._answer(self._running, ok=True))
                self._running = None
            if not self._waiting:
                return steps
            action, deadline_ns = self._waiting.popleft()
            if now_ns >= deadline_ns:
                steps.append(self._answer(action, ok=False, detail="expired"))
                continue
            self._running = action
            self._until_ns = now_ns + _duration_ms(action) * 1_000_000
            steps.append(Begun(action))

    def _refusal(self, action: Action) -> str:
        """Why the action is not taken, empty if it is."""
        if self._fence.is_stale(action.turn):
            return "flushed"
        if len(self._waiting) >= _MAX_WAITING:
            return "busy"
        known = {
            "emote": self._capabilities.emotions,
            "gesture": self._capabilities.gestures,
            "skill": self._capabilities.skills,
        }.get(action.action)
        if known is None:
            return f"unknown action {action.action!r}"
        return "" if action.name in known else f"unknown {action.action} {action.name!r}"

    def _answer(self, action: Action, *, ok: bool, detail: str = "") -> ActionResult:
        answer = ActionResult(id=action.id, ok=ok, detail=detail)
        self._answers[action.id] = answer
        return answer


def _duration_ms(action: Action) -> int:
    match action.action:
        case "gesture":
            body = action.name in BODY_GESTURES
            return _BODY_GESTURE_MS if body else GESTURE_MS.get(action.name, 0)
        case "skill":
            return _SKILL_MS
    return 0

"""Reads what an engine writes: an answer while it grows, a plan when it is whole.

An answer is one JSON object ``{emotion, intensity, mood_reason, gestures, memory_tags, actions,
text}``, where tools are offered with ``tool`` first, and with ``text`` last, so that the mood is known before the first word is spoken: what stands
before ``text`` counts. Whatever the engine wrote, only known emotions, what this robot can do, and
no markup come out. Text outside of the object is spoken as it is.
"""

import re
from collections.abc import Mapping
from itertools import takewhile
from typing import Any

from pydantic_core import from_json

from agents.planner.clean import Cleaner, clean
from agents.planner.tools.base import ToolWish
from agents.planner.tools.told import wish_in
from agents.runtime.errors import AgentError
from protocols.envelope import Message
from protocols.messages.job import PlanDone
from protocols.messages.turn import ResponseDelta, ResponseDone, ResponseMeta, TurnStart
from protocols.plan import DEFAULT_TTL_MS, MAX_TTL_MS, MIN_TTL_MS, safe_actions
from protocols.vocabulary import emotion_or_neutral, known_gestures

MAX_ANSWER_CHARS = 16_384
"""What an engine may write for one answer; beyond, the answer ends where it is."""
MAX_GESTURES = 4
MAX_MEMORY_TAGS = 5
MAX_TAG_CHARS = 64
MAX_REASON_CHARS = 200
TAG_CATEGORIES = frozenset({"name", "topic", "ritual", "tone", "preference"})

_FENCE = re.compile(r"```[a-z]*\s*(?=\{)")
_FENCE_BEGUN = re.compile(r"`{1,3}[a-z]*\s*")


class AnswerReader:
    """Turns pieces of an answer into ``response.meta``, ``response.delta``s and ``response.done``,
    in this order, the first and the last exactly once. Where tools are offered, an answer may wish
    for one instead, before its text; then nothing has been said yet."""

    def __init__(self, turn: TurnStart, *, may_wish: bool = False) -> None:
        self._turn = turn
        self._may_wish = may_wish
        self.wish: ToolWish | None = None
        """The tool that is to be called; whatever else the engine writes is no part of it."""
        self._cleaner = Cleaner()
        self._raw = ""
        self._begun = False
        self._given_chars = 0
        self._mood: ResponseMeta | None = None
        self._spoke = False
        self._pieces = 0
        self.over = False
        """The answer is complete; whatever else the engine writes is no part of it."""

    def feed(self, piece: str) -> list[Message]:
        """The messages that ``piece`` completes."""
        self._pieces += 1
        self._raw += piece[: MAX_ANSWER_CHARS - len(self._raw)]
        full = len(self._raw) >= MAX_ANSWER_CHARS
        messages = self._advance()
        closed = "}" in piece and _closed_object(self._raw) is not None
        self.over = full or closed or self.wish is not None
        return messages

    def finish(self) -> list[Message]:
        """The rest, when the engine has written all it will.

        Raises:
            AgentError: ``llm_nonsense``; nothing in what was written can be said or shown.
        """
        messages = self._say(self._cleaner.finish())
        fields = _closed_object(self._raw)
        actions = _actions((fields or {}).get("actions"), self._turn)
        mood = self._mood
        if mood is None or not (self._spoke or actions or mood.gestures or _feels(mood)):
            raise AgentError(_what_came(self._raw), code="llm_nonsense")
        whole = fields is not None or "{" not in self._raw
        done = ResponseDone(
            finish_reason="stop" if whole else "length", actions=actions, tokens=self._pieces
        )
        return [*messages, done]

    def _advance(self) -> list[Message]:
        if not self._begun:
            rest = _without_preamble(self._raw)
            if rest is None:
                return []
            self._raw, self._begun = rest, True
        preface, brace, _ = self._raw.partition("{")
        if not brace:
            return self._speak_up_to(preface, {})
        fields = _partial_object(self._raw[len(preface) :])
        text = fields.get("text")
        if self._may_wish and self._mood is None:
            self.wish = wish_in(fields, whole=_closed_object(self._raw) is not None)
        if not isinstance(text, str) or self.wish is not None:
            return []
        before = takewhile(lambda field: field[0] != "text", fields.items())
        return self._speak_up_to(preface + text, dict(before))

    def _speak_up_to(self, source: str, fields: Mapping[str, Any]) -> list[Message]:
        """Say what ``source`` holds beyond what was said before, the mood first."""
        messages: list[Message] = []
        if self._mood is None:
            self._mood = _mood(fields, self._turn)
            messages.append(self._mood)
        new = source[self._given_chars :]
        self._given_chars = max(self._given_chars, len(source))
        return messages + self._say(self._cleaner.feed(new))

    def _say(self, text: str) -> list[Message]:
        self._spoke = self._spoke or bool(text.strip())
        return [ResponseDelta(text=text)] if text else []


def read_plan(text: str, max_actions: int) -> PlanDone:
    """The plan in an engine's whole text.

    Raises:
        AgentError: ``llm_nonsense``; there is no JSON object or list of actions in it.
    """
    plan = _plan_in(_without_preamble(text) or "")
    if plan is None:
        raise AgentError(_what_came(text), code="llm_nonsense")
    actions = _speakable(safe_actions(plan["actions"]))
    ttl = _number(plan.get("ttl_ms"), DEFAULT_TTL_MS, MIN_TTL_MS, MAX_TTL_MS)
    return PlanDone(actions=tuple(actions[:max_actions]), ttl_ms=round(ttl))


def _plan_in(text: str) -> dict[str, Any] | None:
    """The first object with a list of actions, or list of actions, that begins in ``text``."""
    for start in sorted(at for at in (text.find("{"), text.find("[")) if at >= 0):
        try:
            value = from_json(text[start:], allow_partial=True)
        except ValueError:
            continue
        plan = {"actions": value} if isinstance(value, list) else value
        if isinstance(plan, dict) and isinstance(plan.get("actions"), list):
            return plan
    return None


def _without_preamble(text: str) -> str | None:
    """``text`` without its reasoning block and code fence; None while it may still be in one."""
    rest = text.lstrip()
    if rest.startswith("<think>"):
        _, closed, rest = rest.partition("</think>")
        rest = rest.lstrip()
        if not closed:
            return None
    if "<think>".startswith(rest) or _FENCE_BEGUN.fullmatch(rest):
        return None
    return _FENCE.sub("", rest, count=1) if rest.startswith("```") else rest


def _partial_object(text: str) -> dict[str, Any]:
    try:
        value = from_json(text, allow_partial="trailing-strings")
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _closed_object(text: str) -> dict[str, Any] | None:
    """The JSON object that ends with the last brace of ``text``, None if none is complete."""
    start, end = text.find("{"), text.rfind("}") + 1
    if start < 0 or end <= start:
        return None
    try:
        value = from_json(text[start:end])
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def _mood(fields: Mapping[str, Any], turn: TurnStart) -> ResponseMeta:
    emotion = emotion_or_neutral(str(fields.get("emotion", "")))
    return ResponseMeta(
        emotion=emotion if emotion in turn.emotions else "neutral",
        intensity=_number(fields.get("intensity"), 0.5, 0.0, 1.0),
        gestures=_gestures(fields.get("gestures"), turn),
        mood_reason=clean(str(fields.get("mood_reason") or ""))[:MAX_REASON_CHARS],
        memory_tags=_memory_tags(fields.get("memory_tags")),
        intent=str(fields.get("intent") or "")[:MAX_TAG_CHARS],
    )


def _feels(mood: ResponseMeta) -> bool:
    return mood.emotion != "neutral"


def _gestures(raw: Any, turn: TurnStart) -> tuple[str, ...]:
    names = [name for name in raw if isinstance(name, str)] if isinstance(raw, list) else []
    able = [name for name in known_gestures(names) if name in turn.gestures]
    return tuple(able[:MAX_GESTURES])


def _memory_tags(raw: Any) -> tuple[dict[str, str], ...]:
    tags = [tag for tag in raw if isinstance(tag, dict)] if isinstance(raw, list) else []
    read = (
        {
            "tag": clean(str(tag.get("tag") or ""))[:MAX_TAG_CHARS],
            "category": str(tag.get("category")),
        }
        for tag in tags
    )
    known = (tag for tag in read if tag["tag"] and tag["category"] in TAG_CATEGORIES)
    return tuple(known)[:MAX_MEMORY_TAGS]


def _actions(raw: Any, turn: TurnStart) -> tuple[dict[str, Any], ...]:
    """What the robot does beside speaking; its words are the answer's text, never a ``say``."""
    able = frozenset((*turn.emotions, *turn.gestures, *turn.skills))
    return tuple(a for a in safe_actions(raw, able) if a["action"] != "say")


def _speakable(actions: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """``actions`` without markup in what is said; what says nothing else is left out."""
    clean_ones = (
        {**action, "text": clean(action["text"])} if action["action"] == "say" else action
        for action in actions
    )
    return [action for action in clean_ones if action.get("text") != ""]


def _number(raw: Any, default: float, least: float, most: float) -> float:
    if isinstance(raw, bool) or not isinstance(raw, int | float) or raw != raw:
        return float(default)
    return float(min(most, max(least, raw)))


def _what_came(text: str) -> str:
    return f"expected an answer, got {len(text)} characters without one"

"""The reflex planner's answer to a turn: a pure function of the turn and the wall clock."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from agents.planner import sight
from agents.planner.reflex.intents import UNKNOWN, Wish, name_in, understand
from agents.planner.reflex.smalltalk import LINES
from protocols.messages.turn import Sight, TurnStart

STILL_MODES = frozenset({"BOOT", "ERROR", "TELEOP"})
"""Modes of a robot in which only its own supervisor may move it."""

_BEARINGS = {"left": -45, "right": 45}
_HOURS = (
    "twelve", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
    "eleven",
)  # fmt: skip


class Reply(NamedTuple):
    """An answer, before it is written as JSON."""

    intent: str
    text: str
    emotion: str = "neutral"
    intensity: float = 0.5
    gestures: tuple[str, ...] = ()
    actions: tuple[dict[str, Any], ...] = ()
    memory_tags: tuple[dict[str, str], ...] = ()
    mood_reason: str = ""


def reply(turn: TurnStart, now: datetime) -> Reply:
    """Answer what the user of ``turn`` said at wall time ``now``."""
    found = _found(turn, now)
    reason = f"the user's words mean {found.intent.replace('_', ' ')}"
    return found._replace(mood_reason=reason)


def _found(turn: TurnStart, now: datetime) -> Reply:
    wish = understand(turn.user_text)
    answer = _ANSWERS.get(wish.intent)
    if turn.sight is not None and (turn.sight.text or wish.intent not in _BODILY):
        return _see(turn.sight, turn)
    if answer is not None:
        return answer(wish, turn, now)
    return _line(wish.intent, turn)


def _line(intent: str, turn: TurnStart) -> Reply:
    line = LINES.get(intent, LINES[UNKNOWN])
    text = line.texts[len(turn.history) % len(line.texts)]
    return Reply(intent, text, line.emotion, line.intensity, line.gestures)


def _identity(wish: Wish, turn: TurnStart, now: datetime) -> Reply:
    usual = _line(wish.intent, turn)
    if not turn.name:
        return usual
    text = f"My name is {turn.name}. I am a little robot, and I answer by simple rules."
    return usual._replace(text=text)


# memory of the conversation


def _name_given(wish: Wish, turn: TurnStart, now: datetime) -> Reply:
    name = name_in(wish)
    tag = {"tag": name, "category": "name"}
    text = f"Nice to meet you, {name}! I will remember that while we talk."
    return Reply(wish.intent, text, "happy", 0.8, ("nod",), memory_tags=(tag,))


def _name_asked(wish: Wish, turn: TurnStart, now: datetime) -> Reply:
    for past in reversed(turn.history):
        told = understand(past.user)
        if told.intent == "name_given":
            return Reply(wish.intent, f"Your name is {name_in(told)}.", "happy", 0.7, ("nod",))
    return Reply(wish.intent, "You have not told me your name yet.", "curious", 0.5)


def _repeat(wish: Wish, turn: TurnStart, now: datetime) -> Reply:
    said = next((past.robot for past in reversed(turn.history) if past.robot), "")
    text = f"I said: {said}" if said else "I have not said anything yet."
    return Reply(wish.intent, text, "neutral", 0.4)


def _recall_user(wish: Wish, turn: TurnStart, now: datetime) -> Reply:
    said = next((past.user for past in reversed(turn.history) if past.user), "")
    text = f"I understood: {said}" if said else "You have not said anything yet."
    return Reply(wish.intent, text, "thinking", 0.4)


# clock and world


def _time(wish: Wish, turn: TurnStart, now: datetime) -> Reply:
    half = "morning" if now.hour < 12 else "afternoon" if now.hour < 18 else "evening"
    hour = _HOURS[now.hour % 12]
    minutes = f"oh {now.minute}" if now.minute < 10 else str(now.minute)
    if now.minute == 0:
        minutes = "o'clock"
    text = f"By the clock of my computer it is {hour} {minutes} in the {half}."
    return Reply(wish.intent, text, "neutral", 0.5)


def _date(wish: Wish, turn: TurnStart, now: datetime) -> Reply:
    text = f"By the clock of my computer it is {now:%A}, {now:%B} {now.day}."
    return Reply(wish.intent, text, "neutral", 0.5)


def _battery(wish: Wish, turn: TurnStart, now: datetime) -> Reply:
    power = turn.world.get("power")
    power = power if isinstance(power, dict) else {}
    percent, charging = power.get("soc_pct"), bool(power.get("charging"))
    if not isinstance(percent, int) or not 0 <= percent <= 100:
        return Reply(
            wish.intent, "My body does not tell me how full my battery is.", "confused", 0.4
        )
    state = " and I am charging" if charging else ""
    low = percent < 20 and not charging
    text = f"My battery is at {percent} percent{state}."
    return Reply(wish.intent, text, "sleepy" if low else "happy", 0.5)


def _world(wish: Wish, turn: TurnStart, now: datetime) -> Reply:
    if not turn.world:
        text = "My body tells me nothing about the world right now."
        return Reply(wish.intent, text, "confused", 0.4, ("headshake",))
    text = _sensed(turn.world) or "I see nothing that I know"
    return Reply(wish.intent, f"{text[0].upper()}{text[1:]}.", "curious", 0.6, ("blink",))


def _sensed(world: Mapping[str, Any]) -> str:
    """What the robot's own senses tell of what is around it; empty if nothing."""
    seen = []
    if world.get("ball_detected"):
        seen.append("I see a ball")
    range_mm = world.get("range_mm")
    if isinstance(range_mm, int) and range_mm > 0:
        seen.append(f"something is {round(range_mm / 10)} centimetres in front of me")
    return " and ".join(seen)


def _see(found: Sight, turn: TurnStart) -> Reply:
    """What the camera shows; or why nothing, and what the body knows all the same."""
    if not found.missing:
        return Reply(
            "sight", f"This is what I see: {sight.scene(found)}", "curious", 0.6, ("blink",)
        )
    sensed = _sensed(turn.world)
    text = sight.excuse(found) + (f" But my body tells me: {sensed}." if sensed else "")
    return Reply("sight", text, "confused", 0.4, ("headshake",))


# the body


def _moves(text: str, emotion: str, *actions: dict[str, Any]) -> Callable[..., Reply]:
    """An intent that moves the robot, if its mode and its body allow it."""

    def answer(wish: Wish, turn: TurnStart, now: datetime) -> Reply:
        return _move(wish, turn, text, emotion, *actions)

    return answer


def _move(wish: Wish, turn: TurnStart, text: str, emotion: str, *actions: dict[str, Any]) -> Reply:
    mode = str(turn.world.get("mode", "")).upper()
    if mode in STILL_MODES:
        return Reply(wish.intent, "I am not allowed to move right now.", "sad", 0.4, ("headshake",))
    able = {*turn.skills, *turn.gestures}
    if not all(action["name"] in able for action in actions):
        return Reply(wish.intent, "My body cannot do that, sorry.", "sad", 0.4, ("headshake",))
    return Reply(wish.intent, text, emotion, 0.6, actions=actions)


def _skill(name: str) -> dict[str, Any]:
    return {"action": "skill", "name": name}


def _gesture(name: str, **params: Any) -> dict[str, Any]:
    return {"action": "gesture", "name": name, "params": params}


def _find_ball(wish: Wish, turn: TurnStart, now: datetime) -> Reply:
    if turn.world.get("ball_detected"):
        return _move(
            wish, turn, "I see it! I am going there.", "excited", _skill("investigate_ball")
        )
    return _move(wish, turn, "I will look for the ball.", "curious", _skill("scan_for_target"))


def _look(wish: Wish, turn: TurnStart, now: datetime) -> Reply:
    side = next((word for word in wish.words if word in _BEARINGS), "")
    text = f"I am looking {side}." if side else "I am looking at you."
    return _move(wish, turn, text, "curious", _gesture("look_at", bearing=_BEARINGS.get(side, 0)))


_ANSWERS: dict[str, Callable[[Wish, TurnStart, datetime], Reply]] = {
    "identity": _identity,
    "name_given": _name_given,
    "name_asked": _name_asked,
    "repeat": _repeat,
    "recall_user": _recall_user,
    "time": _time,
    "date": _date,
    "battery": _battery,
    "world": _world,
    "find_ball": _find_ball,
    "look": _look,
    "back_up": _moves("I am backing up.", "neutral", _gesture("back_up")),
    "spin": _moves("I am turning around.", "excited", _gesture("spin")),
    "come_here": _moves("I am coming.", "happy", _skill("approach_until_range")),
    "search": _moves("I am looking around.", "curious", _skill("scan_for_target")),
    "explore": _moves("I am going for a little drive.", "excited", _skill("patrol_drift")),
    "dance": _moves("Watch me dance!", "silly", _gesture("wiggle"), _gesture("spin")),
}

_BODILY = frozenset({"find_ball", "look", "search", "explore", "come_here"})
"""What can be done, or tried, without eyes of the hub's."""

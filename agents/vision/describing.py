"""What can be said of a picture without a model that sees, in two spoken sentences. Pure."""

from collections.abc import Sequence

from agents.vision.seen import Page, Scene
from protocols.messages.vision import Ball

LIMITS = "More than balls, writing and light I cannot make out without a vision model."
BLIND = "I have no vision model, and I could not measure anything in this picture."
NO_PICTURE = "I was shown no picture, and I have no vision model."

MAX_BALLS = 3
MAX_LINES = 6
MAX_READ_CHARS = 160
MIN_READ_CONFIDENCE = 0.6
DARK, DIM, BRIGHT = 0.15, 0.35, 0.85
"""Mean brightness below or above which a picture is called so."""
CLOSE, NEAR = 0.2, 0.08
"""Radius of a ball in heights of the picture from which on it is called so."""
AHEAD_DEG = 6.0


def described(scene: Scene | None, page: Page | None) -> str:
    """One or two sentences in English. None: that could not be measured, and is not spoken of."""
    parts = []
    if scene is not None:
        parts.append(_light(scene.brightness))
        parts.append(_balls(scene))
    if page is not None:
        parts.append(_writing(page))
    if not parts:
        return BLIND
    first = f"{', '.join(parts[:-1])} and {parts[-1]}" if len(parts) > 1 else parts[0]
    return f"{first[0].upper()}{first[1:]}. {LIMITS}"


def _light(brightness: float) -> str:
    if brightness < DARK:
        return "it is dark"
    if brightness < DIM:
        return "it is dim"
    return "it is very bright" if brightness > BRIGHT else "there is light"


def _balls(scene: Scene) -> str:
    if not scene.balls:
        return "I see no ball"
    told = [_ball(ball, scene.height) for ball in scene.balls[:MAX_BALLS]]
    more = len(scene.balls) - len(told)
    if more:
        told.append(f"{more} more")
    return f"I see {_listed(told)}"


def _ball(ball: Ball, height: int) -> str:
    size = ball.radius / height
    distance = "close by" if size >= CLOSE else "some way off" if size >= NEAR else "far away"
    if abs(ball.bearing_deg) <= AHEAD_DEG:
        side = "straight ahead"
    else:
        side = "on the right" if ball.bearing_deg > 0 else "on the left"
    article = "an" if ball.colour[0] in "aeiou" else "a"
    return f"{article} {ball.colour} ball {side}, {distance}"


def _writing(page: Page) -> str:
    sure = [line.whole.text.strip() for line in page.lines if _is_readable(line.whole.confidence)]
    lines = [text for text in sure if text][:MAX_LINES]
    if not lines:
        return "I can read no writing"
    text = " ".join(" ".join(lines).replace('"', "'").split())
    if len(text) > MAX_READ_CHARS:
        text = f"{text[:MAX_READ_CHARS].rsplit(' ', 1)[0]} …"
    return f'I can read "{text}"'


def _is_readable(confidence: float) -> bool:
    return confidence >= MIN_READ_CONFIDENCE


def _listed(parts: Sequence[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{'; '.join(parts[:-1])}; and {parts[-1]}"

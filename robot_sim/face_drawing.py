"""How a simulated face looks: in a terminal, and as a picture. The same state, the same drawing."""

from io import BytesIO
from pathlib import Path
from typing import NamedTuple

from protocols.face import SCREEN_HEIGHT, SCREEN_WIDTH
from protocols.messages.face import Conversation
from robot_sim.errors import NoDrawing
from robot_sim.face_mcu import FaceMcu


class FaceState(NamedTuple):
    """What a face shows at a moment. ``energy`` 0 to 255; gaze -127 to 127, right and down."""

    mood: str = "neutral"
    intensity: float = 1.0
    conversation: str = Conversation.IDLE.value
    talking: bool = False
    energy: int = 0
    gesture: str = ""
    gaze: tuple[int, int] = (0, 0)


def state_of(mcu: FaceMcu) -> FaceState:
    """What a microcontroller shows now."""
    face = mcu.face
    return FaceState(
        face.emotion, round(face.intensity, 2), face.conversation.value, face.talking,
        face.energy, face.gesture, mcu.gaze,
    )  # fmt: skip


class _Look(NamedTuple):
    """A mood: ``open`` eyes from 0 to 1.3, ``brow`` from sad (-1) to angry (1), ``smile`` -1 to 1,
    and its glyphs: left eye, right eye, mouth."""

    open: float
    brow: float
    smile: float
    glyphs: tuple[str, str, str]


_LOOKS = {
    "neutral": _Look(1.0, 0.0, 0.1, ("o", "o", "-")),
    "happy": _Look(0.9, -0.1, 0.8, ("^", "^", "‿")),
    "excited": _Look(1.2, -0.2, 1.0, ("*", "*", "▽")),
    "curious": _Look(1.1, -0.3, 0.2, ("o", "O", "~")),
    "sad": _Look(0.7, -0.8, -0.7, ("╥", "╥", "⌒")),
    "scared": _Look(1.3, -0.9, -0.5, ("O", "O", "~")),
    "angry": _Look(0.7, 0.9, -0.6, (">", "<", "⌒")),
    "surprised": _Look(1.3, -0.5, 0.0, ("O", "O", "o")),
    "sleepy": _Look(0.2, 0.0, 0.0, ("–", "–", "-")),
    "love": _Look(0.9, -0.2, 0.9, ("♥", "♥", "‿")),
    "silly": _Look(1.0, 0.3, 0.9, ("o", "–", "ᵕ")),
    "thinking": _Look(0.8, 0.2, -0.1, ("°", "°", "-")),
    "confused": _Look(1.0, 0.4, -0.2, ("?", "o", "~")),
}
_SHUT = ("blink", "sleepy", "laugh", "nod")
_BORDERS = {
    "idle": (40, 44, 52), "attention": (60, 160, 220), "listening": (40, 190, 150),
    "ptt": (240, 180, 40), "thinking": (150, 110, 230), "speaking": (70, 140, 240),
    "error": (220, 60, 50), "done": (90, 110, 90),
}  # fmt: skip
_EYE, _DARK, _MOUTH = (160, 225, 255), (12, 14, 20), (230, 240, 250)
_WIDTH = 21


def sketched(mood: str) -> str:
    """A mood in a few characters."""
    left, right, mouth = _LOOKS.get(mood, _LOOKS["neutral"]).glyphs
    return f"({left} {mouth} {right})"


def drawn(face: FaceState) -> list[str]:
    """The face as lines of text of one width."""
    look = _LOOKS.get(face.mood, _LOOKS["neutral"])
    left, right, mouth = look.glyphs
    if face.gesture in _SHUT:
        left = right = "–"
    elif face.gesture == "wink_l":
        left = "–"
    elif face.gesture == "wink_r":
        right = "–"
    elif face.gesture in ("x_eyes", "heart"):
        left = right = "x" if face.gesture == "x_eyes" else "♥"
    if face.talking:
        mouth = ("‿", "o", "O", "⬭")[min(3, face.energy * 4 // 256)]
    about = f"{face.mood} {face.intensity:.1f}"
    below = face.conversation + (f" *{face.gesture}*" if face.gesture else "")
    lines = ["", f"{left}     {right}", "", mouth, ""]
    top, bottom = f"╭{'─' * _WIDTH}╮", f"╰{'─' * _WIDTH}╯"
    inside = [f"│{line:^{_WIDTH}}│" for line in lines]
    return [top, *inside, bottom, f"{about:^{_WIDTH + 2}}", f"{below:^{_WIDTH + 2}}"]


def png(face: FaceState) -> bytes:
    """The face as the display shows it, a PNG.

    Raises:
        NoDrawing: Pillow is not installed.
    """
    try:
        from PIL import Image, ImageDraw
    except ImportError as error:
        raise NoDrawing("Pillow is not installed; install robot-hub[vision]") from error
    look = _LOOKS.get(face.mood, _LOOKS["neutral"])
    image = Image.new("RGB", (SCREEN_WIDTH, SCREEN_HEIGHT), _DARK)
    draw = ImageDraw.Draw(image)
    border = _BORDERS.get(face.conversation, _BORDERS["idle"])
    draw.rectangle((0, 0, SCREEN_WIDTH - 1, SCREEN_HEIGHT - 1), outline=border, width=6)
    shut = face.gesture in _SHUT
    for side, x, winks in ((-1, 100, "wink_l"), (1, 220, "wink_r")):
        height = 4 if shut or face.gesture == winks else max(4, round(38 * look.open))
        _eye(draw, x, height, face.gaze)
        tilt = round(14 * look.brow * face.intensity)
        draw.line((x - 30, 42 + side * tilt, x + 30, 42 - side * tilt), fill=_EYE, width=4)
    _mouth(draw, look.smile * face.intensity, face.energy if face.talking else -1)
    buffer = BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def write_png(face: FaceState, path: Path) -> None:
    """Write the picture so that whoever looks sees a whole one; raises ``NoDrawing``."""
    data = png(face)
    partial = path.with_suffix(".partial")
    try:
        partial.write_bytes(data)
        partial.replace(path)
    except OSError as error:
        raise NoDrawing(f"{path} cannot be written: {error.strerror}") from error


def _eye(draw: "object", x: int, height: int, gaze: tuple[int, int]) -> None:
    from PIL import ImageDraw

    assert isinstance(draw, ImageDraw.ImageDraw)
    draw.ellipse((x - 26, 100 - height, x + 26, 100 + height), fill=_EYE)
    if height > 12:
        right, down = (round(12 * part / 127) for part in gaze)
        draw.ellipse((x - 9 + right, 91 + down, x + 9 + right, 109 + down), fill=_DARK)


def _mouth(draw: "object", smile: float, energy: int) -> None:
    """A bow, or an opening where ``energy`` is not negative."""
    from PIL import ImageDraw

    assert isinstance(draw, ImageDraw.ImageDraw)
    if energy >= 0:
        opening = 3 + round(24 * energy / 255)
        draw.ellipse((160 - 34, 185 - opening, 160 + 34, 185 + opening), fill=_MOUTH)
        return
    bend = max(2, round(26 * abs(smile)))
    box = (160 - 44, 185 - bend, 160 + 44, 185 + bend)
    start, end = (0, 180) if smile >= 0 else (180, 360)
    draw.arc(box, start, end, fill=_MOUTH, width=5)

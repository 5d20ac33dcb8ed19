"""Balls in drawn pictures."""

from math import atan, degrees, radians, tan

import pytest

from agents.runtime.errors import AgentError
from agents.vision.colours import COLOURS, bearing_deg, confidence
from tests.agents.vision.screens import balls, plain

cv2 = pytest.importorskip("cv2", reason="robot-hub[vision] is not installed")

from agents.vision.backends.balls import ColourBalls, scene_of  # noqa: E402

INKS = {
    "red": "#d01818", "orange": "#f07818", "yellow": "#f0d820", "green": "#28a838",
    "blue": "#2050d0", "purple": "#8828c0", "pink": "#f050a8",
}  # fmt: skip


@pytest.mark.parametrize("colour", COLOURS)
@pytest.mark.parametrize("radius", [8, 35, 120])
def test_a_ball_of_each_colour_is_found_where_it_is(colour: str, radius: int) -> None:
    scene = scene_of(balls((INKS[colour], 400, 200, radius)), tuple(COLOURS), 62.0)
    (ball,) = scene.balls
    assert ball.colour == colour
    assert (ball.x, ball.y) == pytest.approx((400, 200), abs=1.5)
    assert ball.radius == pytest.approx(radius, abs=max(2.0, 0.1 * radius))
    assert ball.confidence > 0.5


def test_what_is_coloured_and_not_round_is_no_ball() -> None:
    from PIL import Image, ImageDraw

    from tests.agents.vision.screens import encoded

    image = Image.new("RGB", (640, 480), "#808080")
    draw = ImageDraw.Draw(image)
    draw.rectangle((50, 50, 150, 150), fill=INKS["red"])
    draw.rectangle((200, 50, 500, 80), fill=INKS["blue"])
    draw.ellipse((50, 300, 350, 380), fill=INKS["green"])
    draw.polygon(((400, 200), (500, 380), (300, 380)), fill=INKS["yellow"])
    assert scene_of(encoded(image, "JPEG"), tuple(COLOURS), 62.0).balls == ()


def test_several_balls_come_with_the_surest_first_and_only_of_the_asked_colours() -> None:
    picture = balls(
        (INKS["red"], 100, 100, 40), (INKS["blue"], 500, 300, 60), (INKS["red"], 300, 400, 12)
    )
    scene = scene_of(picture, ("red",), 62.0)
    assert [ball.colour for ball in scene.balls] == ["red", "red"]
    assert scene.balls[0].confidence >= scene.balls[1].confidence
    assert len(scene_of(picture, tuple(COLOURS), 62.0).balls) == 3


def test_points_are_those_of_the_picture_that_was_sent() -> None:
    picture = balls((INKS["red"], 1500, 900, 90), size=(1920, 1440))
    scene = scene_of(picture, ("red",), 62.0)
    assert (scene.width, scene.height) == (1920, 1440)
    assert (scene.balls[0].x, scene.balls[0].y) == pytest.approx((1500, 900), abs=4)
    assert scene.balls[0].radius == pytest.approx(90, rel=0.1)


@pytest.mark.parametrize(
    ("x", "bearing"),
    [
        (319.5, 0.0),
        (639.5, 31.0),
        (-0.5, -31.0),
        (479.5, degrees(atan(0.5 * tan(radians(31))))),
    ],
)
def test_the_bearing_is_a_pinhole_cameras(x: float, bearing: float) -> None:
    assert bearing_deg(x, 640, 62.0) == pytest.approx(bearing)


def test_a_disc_is_a_ball_and_a_square_is_none() -> None:
    assert confidence(314.16, 62.83, 10.0, 1.0) == pytest.approx(1.0)
    assert confidence(400.0, 80.0, 14.14, 1.0) == 0.0
    assert confidence(314.16, 62.83, 10.0, 0.5) == pytest.approx(0.5)
    assert confidence(12.0, 12.6, 2.0, 1.0) == 0.0


@pytest.mark.parametrize(("colour", "bright"), [("black", 0.0), ("white", 1.0), ("#808080", 0.5)])
def test_it_says_how_bright_it_is(colour: str, bright: float) -> None:
    scene = scene_of(plain(colour), ("red",), 62.0)
    assert scene.brightness == pytest.approx(bright, abs=0.02)


async def test_what_cannot_be_asked_is_refused() -> None:
    finder = ColourBalls()
    await finder.start()
    try:
        with pytest.raises(AgentError, match="'mauve' is none of red") as unknown:
            finder.find(plain("red"), ("mauve",), 62.0)
        with pytest.raises(AgentError) as blind:
            finder.find(plain("red"), (), 180.0)
        with pytest.raises(AgentError) as broken:
            await finder.find(b"no picture", (), 62.0)
    finally:
        await finder.close()
    codes = [caught.value.code for caught in (unknown, blind, broken)]
    assert codes == ["unknown_colour", "bad_hfov", "bad_picture"]

"""What is said of a picture where no model sees."""

import pytest

from agents.vision.describing import BLIND, LIMITS, described
from agents.vision.seen import Line, Page, Scene, Word
from protocols.messages.vision import Ball


def ball(colour: str, bearing: float, radius: float) -> Ball:
    return Ball(colour=colour, x=0, y=0, radius=radius, bearing_deg=bearing, confidence=0.9)


def page(*texts: str, sure: float = 0.9) -> Page:
    return Page(640, 480, tuple(Line(Word(text, 0, 0, 9, 9, sure)) for text in texts))


@pytest.mark.parametrize(
    ("scene", "read", "said"),
    [
        (
            Scene(640, 480, (ball("red", -20, 120),), 0.5),
            page("EXIT"),
            'There is light, I see a red ball on the left, close by and I can read "EXIT".',
        ),
        (
            Scene(640, 480, (ball("orange", 3, 50), ball("blue", 20, 10)), 0.9),
            page(),
            "It is very bright, I see an orange ball straight ahead, some way off; and a blue ball"
            " on the right, far away and I can read no writing.",
        ),
        (Scene(640, 480, (), 0.05), None, "It is dark and I see no ball."),
        (None, page('say "hi"'), "I can read \"say 'hi'\"."),
        (None, page("blurred", sure=0.3), "I can read no writing."),
    ],
)
def test_what_was_measured_is_said_and_that_it_is_no_more(
    scene: Scene | None, read: Page | None, said: str
) -> None:
    assert described(scene, read) == f"{said} {LIMITS}"


def test_what_could_not_be_measured_is_not_made_up() -> None:
    assert described(None, None) == BLIND


def test_a_page_of_text_is_cut_where_a_listener_would_be_lost() -> None:
    said = described(None, page(*["seven words of text in a line"] * 40))
    assert len(said) < 300
    assert "…" in said

"""A trace tells how a turn came to see, and holds no picture, whatever it may record."""

import pytest

from hub.trace.describe import said
from hub.trace.entries import Command, Entry
from hub.trace.tap import Tap
from protocols.envelope import Envelope
from protocols.messages.blob import BlobRef, BlobSent
from protocols.messages.chat import ChatEntry, ChatRequest
from protocols.messages.turn import Sight, TurnStart, Unseen


def commanded(body: object, *, words: bool) -> Command:
    seen: list[Entry] = []
    tap = Tap(lambda: 0, words=words)
    tap.add(seen.append)
    tap.command("vision-primary-1", Envelope(robot="r1", turn=3, job=9, body=body))  # type: ignore[type-var]
    (entry,) = seen
    assert isinstance(entry, Command)
    return entry


@pytest.mark.parametrize("words", [True, False])
def test_no_bytes_of_a_picture_are_in_a_trace(words: bool) -> None:
    part = BlobSent(index=0, offset=5, data=b"\xff\xd8 a picture")
    assert commanded(part, words=words).body == BlobSent(index=0, offset=5, data=b"")


@pytest.mark.parametrize("words", [True, False])
def test_the_question_is_words_and_the_size_of_the_picture_is_none(words: bool) -> None:
    shown = BlobRef(index=0, size_bytes=70_000, media_type="image/jpeg")
    asked = ChatRequest(messages=(ChatEntry(role="user", text="what is it", pictures=(shown,)),))
    body = commanded(asked, words=words).body
    assert isinstance(body, ChatRequest)
    assert body.messages[0].text == ("what is it" if words else "")
    assert body.messages[0].pictures[0].size_bytes == 70_000


@pytest.mark.parametrize(
    ("sight", "tells"),
    [
        (None, ""),
        (Sight(text="A red ball.", age_ms=250), "sees a picture 250 ms old"),
        (Sight(missing=Unseen.STALE_FRAME, age_ms=4_000), "stale_frame"),
    ],
)
def test_a_timeline_says_what_the_planner_was_told_of_the_camera_and_not_the_scene(
    sight: Sight | None, tells: str
) -> None:
    entry = commanded(TurnStart(user_text="what do you see", sight=sight), words=False)
    line = said(entry)
    assert tells in line
    assert ("sees" in line or "_frame" in line) is (sight is not None)
    assert "ball" not in line

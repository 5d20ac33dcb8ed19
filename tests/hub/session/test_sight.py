"""What asks for eyes and what only sounds like it; and which pictures may be answered from."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.session.sight import asks_to_look, sight_of
from protocols.messages.turn import Unseen
from protocols.messages.vision import STALE_FRAME_MS, CameraFrame

ASKING = (
    "What do you see?", "what can you see now", "So, what do you see here?", "hello robot, what do"
    " you see?", "What else can you see?", "What are you looking at?", "Tell me what you see.",
    "Describe the room.", "Who do you see?", "Can you see?", "Can you see anything?",
    "How many people can you see", "How many fingers do you see?", "Are you able to see anything?",
    "What is in front of you?", "What's in front of you", "who is in front of you",
    "Is there something in front of you?", "Is there anybody in front of you",
    "Can you see me?", "can you see me now", "Do you recognise me?", "Can you see this?",
    "Look at this!", "look at this, what is it", "Robot, look at my drawing",
    "Please look at that", "Can you look at this?", "Have a look at this", "Take a look.",
    "What am I holding?", "What do I have in my hand?", "What is this?", "What’s this",
    "what is this thing", "What is that over there?", "What is that thing on the table?",
    "How do I look?", "how do i look today", "What am I wearing?", "Am I smiling?",
    "Read this.", "Can you read this for me?", "please read the label", "What does this say?",
    "What does the sign say?", "What is written here?",
    "What colour is this?", "What color is the ball?", "Is this red?", "is the ball blue",
    "Do you see any colours", "Do you see a ball?", "do you see the ball", "Is there a ball?",
    "Can you see the red ball?", "Where is the ball?", "Where's my red ball",
    "Do you see that ball over there?",
)  # fmt: skip
INNOCENT = (
    "", "See you later!", "see?", "I see.", "I see what you mean", "I can see you", "Goodbye, see"
    " you soon", "nice to see you", "Let me see.", "We'll see.", "Long time no see",
    "Seeing is believing", "You see, it is complicated", "I want to see the sea",
    "Look, I told you.", "look", "Look out!", "Look for the ball", "Look around", "Look left",
    "Look at me", "Look at the time!", "look at the bright side", "look up the weather",
    "I'll look at this tomorrow", "I looked at this yesterday", "Do you look at the stars?",
    "Let's look at it from another side", "You look nice today.", "How do I look up a word?",
    "Do you see what I mean?", "Do you see the problem?", "Can you see the point?",
    "Can you see the difference", "Can you see that I am busy?", "Can you see why?",
    "Do you see that this is wrong?", "Do you see? I was right", "Did you see the game yesterday?",
    "Can you see me tomorrow?", "Can I see you tomorrow?", "What do you do when you see me",
    "What do you see yourself doing in ten years?", "What do you see in him?",
    "What do you think?", "what can you do", "Can you hear me?", "What is your favourite colour?",
    "What colour is the sky?", "what color is the sun", "The ball is red", "I have a red ball",
    "play ball", "Find the ball.", "Tell me a story about a ball", "Describe yourself",
    "Read me a story", "Did you read this morning's paper?", "Have you read this?",
    "read that back to me", "What does the fox say?", "What does my mum say", "what does it mean",
    "What is that?", "What is this about?", "What is the time?", "What is your name?",
    "Knock knock. Who's there?", "Tell me what you know", "Is that right?", "is it cold",
    "What am I doing wrong?", "Do you know what I did?", "I can't see anything",
)  # fmt: skip


@pytest.mark.parametrize("text", ASKING)
def test_this_asks_for_eyes(text: str) -> None:
    assert asks_to_look(text)


@pytest.mark.parametrize("text", INNOCENT)
def test_this_only_sounds_like_it(text: str) -> None:
    assert not asks_to_look(text)


@given(st.text(max_size=2_000))
def test_no_text_is_too_much_for_the_table(text: str) -> None:
    assert asks_to_look(text) in (True, False)


# which pictures may be answered from

MS = 1_000_000


def frame(error_ms: float = 0.0, *, by_arrival: bool = False) -> CameraFrame:
    return CameraFrame(width=64, height=48, error_ms=error_ms, by_arrival=by_arrival)


def test_without_a_picture_there_is_nothing_to_be_seen() -> None:
    assert sight_of(None, 0, 10**12).missing is Unseen.NO_FRAME


@given(st.integers(0, 10_000), st.floats(0, 10_000))
def test_a_picture_that_may_be_stale_is_stale(age_ms: int, error_ms: float) -> None:
    found = sight_of(frame(error_ms), 10**12, 10**12 + age_ms * MS)
    assert found.age_ms == age_ms
    assert found.error_ms >= error_ms
    if found.missing is None:
        assert age_ms + error_ms <= STALE_FRAME_MS
    else:
        assert found.missing is Unseen.STALE_FRAME
        assert age_ms + error_ms > STALE_FRAME_MS - 1


def test_a_time_by_arrival_is_passed_on_as_such() -> None:
    assert sight_of(frame(by_arrival=True), 10**12, 10**12).by_arrival

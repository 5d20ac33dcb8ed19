import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.engines.language.sse import MAX_EVENT_BYTES, EventReader

STREAM = b': hello\r\ndata: {"a": 1}\r\n\r\nevent: x\ndata:two\ndata: lines\n\n\n\ndata: [DONE]\n\n'


@given(st.lists(st.integers(0, len(STREAM)), max_size=8))
def test_events_are_the_same_wherever_the_stream_is_cut(cuts: list[int]) -> None:
    reader, events = EventReader(), []
    places = [0, *sorted(cuts), len(STREAM)]
    for a, b in itertools.pairwise(places):
        events += reader.feed(STREAM[a:b])
    assert events == [b'{"a": 1}', b"two\nlines", b"[DONE]"]


def test_half_an_event_is_none() -> None:
    assert EventReader().feed(b'data: {"a": 1}\n') == []


def test_an_endless_event_is_refused() -> None:
    reader = EventReader()
    reader.feed(b"x" * MAX_EVENT_BYTES)
    with pytest.raises(ValueError, match="more than"):
        reader.feed(b"x")

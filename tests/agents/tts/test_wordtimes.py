from hypothesis import given
from hypothesis import strategies as st

from agents.tts.wordtimes import WordTimes
from protocols.messages.speech import WordMark


def test_a_word_ends_where_the_next_begins() -> None:
    times = WordTimes("one two")
    assert times.at(0, 0)
    assert times.take() == ()
    assert times.at(4, 300)
    assert times.take() == (WordMark("one", 0, 300),)
    times.finish(500)
    assert times.take() == (WordMark("two", 300, 500),)


def test_a_pause_is_no_part_of_the_word_before_it() -> None:
    times = WordTimes("one, two")
    times.at(0, 0)
    times.pause(200)
    times.pause(250)
    times.at(5, 400)
    times.finish(600)
    assert times.take() == (WordMark("one,", 0, 200), WordMark("two", 400, 600))


def test_a_pause_inside_a_word_does_not_end_it() -> None:
    times = WordTimes("A.B.")
    times.at(0, 0)
    times.pause(100)
    times.sound()
    times.finish(300)
    assert times.take() == (WordMark("A.B.", 0, 300),)


def test_two_places_of_one_word_are_one_word() -> None:
    times = WordTimes("3.5 km")
    assert times.at(0, 0)
    assert not times.at(2, 200)
    assert times.at(4, 400)
    assert times.take() == (WordMark("3.5", 0, 400),)


def test_words_that_are_reported_as_one_share_its_time_by_length() -> None:
    times = WordTimes("for a while, yes")
    times.at(0, 100)
    times.at(13, 1000)
    assert times.take() == (
        WordMark("for", 100, 370),
        WordMark("a", 370, 460),
        WordMark("while,", 460, 1000),
    )


def test_a_dash_takes_no_time() -> None:
    times = WordTimes("- one – two")
    times.at(2, 50)
    times.at(8, 300)
    times.finish(400)
    assert times.take() == (
        WordMark("-", 50, 50),
        WordMark("one", 50, 300),
        WordMark("–", 300, 300),
        WordMark("two", 300, 400),
    )


@given(
    st.lists(st.sampled_from(["a", "bc", "–", "d-e", "3.5"]), min_size=1, max_size=8),
    st.lists(st.tuples(st.integers(-3, 40), st.integers(0, 200), st.booleans()), max_size=12),
)
def test_whatever_is_reported_every_word_gets_one_mark_in_order(
    words: list[str], events: list[tuple[int, int, bool]]
) -> None:
    times, now = WordTimes(" ".join(words)), 0
    marks: list[WordMark] = []
    for position, later, is_pause in events:
        now += later
        if is_pause:
            times.pause(now)
        else:
            times.at(position, now)
        marks += times.take()
    times.finish(now)
    marks += times.take()
    assert [mark.text for mark in marks] == words
    edges = [edge for mark in marks for edge in (mark.start_ms, mark.end_ms)]
    assert edges == sorted(edges)
    assert edges[-1] <= now

"""Two devices with one robot id: who keeps it."""

from hypothesis import given
from hypothesis import strategies as st

from hub.session.duel import MAX_TAKEOVERS, WINDOW_S, decide


def test_three_takeovers_are_granted_and_the_fourth_waits_for_the_rest_of_the_minute() -> None:
    past: tuple[float, ...] = ()
    for now_s in (100.0, 110.0, 120.0):
        verdict = decide(past, now_s)
        assert verdict.granted
        past = verdict.takeovers
    assert decide(past, 121.0) == ((100.0, 110.0, 120.0), 39)
    assert decide(past, 159.9).retry_after_s == 1
    assert decide(past, 160.0).takeovers == (110.0, 120.0, 160.0)


@given(st.lists(st.floats(0, 20), max_size=100))
def test_no_window_of_a_minute_holds_more_takeovers_than_allowed(pauses: list[float]) -> None:
    past: tuple[float, ...] = ()
    granted: list[float] = []
    now_s = 0.0
    for pause in pauses:
        now_s += pause
        verdict = decide(past, now_s)
        past = verdict.takeovers
        if verdict.granted:
            granted.append(now_s)
        else:
            assert 1 <= verdict.retry_after_s <= WINDOW_S
            assert decide(past, now_s + verdict.retry_after_s).granted
    for first, beyond in zip(granted, granted[MAX_TAKEOVERS:], strict=False):
        assert beyond - first >= WINDOW_S

"""The restart policy, as a table of histories."""

import pytest

from hub.restarts import Degraded, Restart, Run, Verdict, after, within_window


def crashes(*ended_s: float, code: int = 1) -> tuple[Run, ...]:
    return tuple(Run(at_s - 0.1, at_s, code) for at_s in ended_s)


@pytest.mark.parametrize(
    ("history", "verdict"),
    [
        pytest.param(crashes(100), Restart(100.25), id="a first crash is answered soon"),
        pytest.param(crashes(100, 101), Restart(101.5), id="the pause doubles"),
        pytest.param(crashes(97, 98, 99, 100, 101), Restart(105.0), id="up to its bound"),
        pytest.param(
            crashes(96, 97, 98, 99, 100, 101),
            Degraded(161.0),
            id="five restarts within a minute were all it had",
        ),
        pytest.param(
            crashes(0, 20, 40, 60, 80, 101), Restart(102.0), id="old crashes are forgiven"
        ),
        pytest.param(crashes(100, code=0), Restart(100.25), id="leaving unasked is a crash too"),
        pytest.param(crashes(100, code=-9), Restart(100.25), id="so is being killed"),
        pytest.param(
            crashes(100, code=2), Degraded(None), id="a misconfigured one is not tried again"
        ),
        pytest.param(
            (*crashes(1, 2, 3, 4, 5, 6), Run(66, 67, 1, on_trial=True)),
            Degraded(127.0),
            id="a failed trial leaves it degraded, however few crashes still count",
        ),
        pytest.param(
            (Run(66, 126.5, 1, on_trial=True),),
            Restart(126.75),
            id="a trial that lasted a minute makes it as good as new",
        ),
    ],
)
def test_the_past_decides_what_an_exit_is_answered_with(
    history: tuple[Run, ...], verdict: Verdict
) -> None:
    assert after(history, now_s=history[-1].ended_s) == verdict


def test_what_no_longer_counts_may_be_forgotten() -> None:
    history = crashes(10, 50, 100)

    assert within_window(history, now_s=111) == history[2:]
    assert after(history[2:], 111) == after(history, 111)

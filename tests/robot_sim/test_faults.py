"""Faults as data: the same seed gives the same fate."""

from robot_sim.faults import NO_FAULTS, FaultPlan, Faults


def fates(faults: Faults, frames: int = 1000) -> list[tuple[float, ...]]:
    plan = FaultPlan(faults)
    return [plan.delays_s() for _ in range(frames)]


def test_without_faults_every_frame_goes_once_and_at_once() -> None:
    assert set(fates(NO_FAULTS)) == {(0.0,)}


def test_the_same_seed_gives_the_same_fate() -> None:
    faults = Faults(seed=5, drop=0.2, duplicate=0.2, delay_ms=10, jitter_ms=30)
    assert fates(faults) == fates(faults)


def test_frames_are_lost_doubled_and_delayed_as_often_as_asked() -> None:
    found = fates(Faults(seed=5, drop=0.2, duplicate=0.5, delay_ms=10, jitter_ms=30))
    lost = sum(not fate for fate in found)
    doubled = sum(len(fate) == 2 for fate in found)
    assert 160 <= lost <= 240
    assert 340 <= doubled <= 460
    assert all(0.010 <= delay <= 0.040 for fate in found for delay in fate)

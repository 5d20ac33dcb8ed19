"""When bytes get through a bad network."""

from robot_sim.impairment import CLEAR, Impairment, Timetable


def dues(
    impairment: Impairment, times_s: list[float], seed: int = 1, size: int = 100
) -> list[float]:
    table = Timetable(seed)
    return [table.due_s(impairment, size, at_s) for at_s in times_s]


def test_a_clear_link_delays_nothing() -> None:
    assert dues(CLEAR, [0.0, 0.5, 2.0]) == [0.0, 0.5, 2.0]


def test_jitter_lies_within_its_bounds_and_changes_no_order() -> None:
    times_s = [at / 100 for at in range(500)]
    found = dues(Impairment(delay_ms=50, jitter_ms=30), times_s)

    late_ms = [1000 * (due - at) for due, at in zip(found, times_s, strict=True)]
    assert found == sorted(found)
    assert 49.9 < min(late_ms) < 55 < 75 < max(late_ms) < 80.1


def test_a_lost_packet_stalls_everything_behind_it() -> None:
    table = Timetable(1)
    lost = Impairment(stall=1.0, stall_ms=(200, 300))

    first = table.due_s(lost, 100, 0.0)
    behind = table.due_s(CLEAR, 100, 0.01)

    assert 0.2 <= first <= 0.3
    assert behind == first
    assert table.due_s(CLEAR, 100, 1.0) == 1.0
    assert table.stalls == 1


def test_a_narrow_link_takes_its_time_for_every_byte() -> None:
    assert dues(Impairment(bytes_per_s=1_000), [0.0, 0.0, 5.0]) == [0.1, 0.2, 5.1]


def test_a_seed_decides_every_fate() -> None:
    rough = Impairment(jitter_ms=100, stall=0.1)
    times_s = [at / 10 for at in range(50)]

    assert dues(rough, times_s, seed=3) == dues(rough, times_s, seed=3)
    assert dues(rough, times_s, seed=3) != dues(rough, times_s, seed=4)

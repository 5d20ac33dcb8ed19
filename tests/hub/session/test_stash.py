"""Conversations that wait for their robots, counted."""

from hub.session.stash import Stash


def counted(stash: Stash) -> tuple[int, int, int]:
    return stash.stashed, stash.hits, stash.expired


def test_a_robot_that_comes_back_in_time_finds_its_conversation() -> None:
    stash = Stash()
    stash.came("r1", found=False)
    assert counted(stash) == (0, 0, 0)
    stash.left("r1", spoke=True)
    assert counted(stash) == (1, 0, 0)
    stash.came("r1", found=True)
    assert counted(stash) == (0, 1, 0)


def test_a_robot_that_is_taken_over_was_never_away() -> None:
    stash = Stash()
    stash.came("r1", found=True)
    assert counted(stash) == (0, 0, 0)


def test_where_nothing_was_said_there_is_nothing_to_keep() -> None:
    stash = Stash()
    stash.left("r1", spoke=False)
    assert counted(stash) == (0, 0, 0)


def test_what_the_store_has_forgotten_is_counted_once() -> None:
    stash = Stash()
    stash.left("r1", spoke=True)
    stash.left("r2", spoke=True)
    stash.looked(stash.kept, {"r2"}, here=())
    assert counted(stash) == (1, 0, 1)
    stash.came("r1", found=False)
    assert counted(stash) == (1, 0, 1)


def test_a_robot_that_comes_too_late_finds_nothing() -> None:
    stash = Stash()
    stash.left("r1", spoke=True)
    stash.came("r1", found=False)
    assert counted(stash) == (0, 0, 1)


def test_what_an_earlier_run_has_left_is_known_after_the_first_look() -> None:
    stash = Stash()
    stash.looked(stash.kept, {"r1", "r2"}, here={"r2"})
    assert counted(stash) == (1, 0, 0)


def test_who_comes_and_goes_while_the_store_looks_is_counted_as_it_is() -> None:
    stash = Stash()
    stash.left("comes", spoke=True)
    before = stash.kept
    stash.came("comes", found=True)
    stash.left("goes", spoke=True)
    stash.looked(before, {"comes"}, here={"comes"})
    assert stash.kept == {"goes"}
    assert counted(stash) == (1, 1, 0)

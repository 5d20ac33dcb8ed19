"""What is loaded later is settled later, once, and when it is there as a whole."""

import gc
import sys
from collections.abc import Callable
from types import ModuleType

import pytest

from protocols.heap import Heap

pytestmark = pytest.mark.usefixtures("real_collector")


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    return lambda name: monkeypatch.setitem(sys.modules, name, ModuleType(name))


def is_settled(thing: object) -> bool:
    return not any(thing is each for each in gc.get_objects())


def test_what_lives_when_a_process_is_ready_is_not_walked_again() -> None:
    kept: list[list[int]] = [[]]
    assert not is_settled(kept)
    Heap().settle()
    assert is_settled(kept)


def test_what_was_loaded_later_is_settled_once_nothing_more_comes(
    load: Callable[[str], None],
) -> None:
    heap = Heap()
    heap.settle()
    library: list[list[int]] = [[]]
    load("library")
    heap.look()
    load("library.part")
    heap.look()
    assert not is_settled(library)
    heap.look()
    assert is_settled(library)


def test_nothing_is_settled_where_nothing_was_loaded() -> None:
    heap = Heap()
    heap.settle()
    session: list[list[int]] = [[]]
    for _ in range(3):
        heap.look()
    assert not is_settled(session)


def test_nothing_is_settled_before_the_process_is_ready(load: Callable[[str], None]) -> None:
    heap = Heap()
    engine: list[list[int]] = [[]]
    load("library")
    for _ in range(3):
        heap.look()
    assert not is_settled(engine)

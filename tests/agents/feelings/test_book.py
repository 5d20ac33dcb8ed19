"""What was talked today outlives the process, and a bad disk does not end a conversation."""

import asyncio
import json
from pathlib import Path

import pytest

from agents.feelings.backends.base import DayBook
from agents.feelings.backends.file import FILE, MAX_ROBOTS, WRITE_AFTER_S, FileBook
from agents.feelings.backends.scripted import ScriptedBook
from agents.runtime.errors import BackendUnavailable
from tests.virtual_time import virtual

DAY = 739_950


async def opened(directory: Path) -> FileBook:
    book = FileBook(directory)
    await book.start()
    return book


def on_disk(directory: Path) -> dict[str, dict[str, float]]:
    document = json.loads((directory / FILE).read_text())
    assert document["version"] == 1
    robots: dict[str, dict[str, float]] = document["robots"]
    return robots


def files(directory: Path) -> list[Path]:
    return sorted(directory.iterdir())


@pytest.mark.parametrize("kind", ["file", "scripted"])
def test_a_book_knows_a_robots_day_and_no_other(kind: str, tmp_path: Path) -> None:
    @virtual
    async def story() -> None:
        book: DayBook = FileBook(tmp_path) if kind == "file" else ScriptedBook()
        await book.start()
        assert book.spent_s("r1", DAY) == 0.0
        book.note("r1", DAY, 12.5)
        assert book.spent_s("r1", DAY) == 12.5
        assert book.spent_s("r1", DAY + 1) == 0.0
        assert book.spent_s("r2", DAY) == 0.0
        await book.close()

    story()


@virtual
async def test_a_day_goes_on_after_a_restart(tmp_path: Path) -> None:
    first = await opened(tmp_path)
    first.note("r1", DAY, 812.46)
    await first.close()
    second = await opened(tmp_path)
    assert second.spent_s("r1", DAY) == 812.5
    assert second.spent_s("r1", DAY + 1) == 0.0
    await second.close()


@virtual
async def test_what_a_kill_forgets_is_a_few_seconds(tmp_path: Path) -> None:
    book = await opened(tmp_path)
    for second in range(20):
        book.note("r1", DAY, float(second))
        await asyncio.sleep(1)
    assert on_disk(tmp_path)["r1"]["spent_s"] >= 19 - WRITE_AFTER_S - 1
    assert [path.name for path in files(tmp_path)] == [FILE]


@virtual
async def test_yesterday_is_forgotten(tmp_path: Path) -> None:
    book = await opened(tmp_path)
    book.note("r1", DAY, 60.0)
    book.note("r2", DAY + 1, 5.0)
    await book.close()
    assert list(on_disk(tmp_path)) == ["r2"]


@pytest.mark.parametrize(
    "content",
    ["", "{", '{"version": 2, "robots": {}}', '{"version": 1, "robots": {"r1": 3}}', "[]"],
)
def test_a_file_that_cannot_be_read_is_set_aside(content: str, tmp_path: Path) -> None:
    @virtual
    async def story() -> None:
        (tmp_path / FILE).write_text(content)
        book = await opened(tmp_path)
        assert book.counters["book.unreadable"] == 1
        assert (tmp_path / "feelings.damaged").read_text() == content
        book.note("r1", DAY, 5.0)
        await book.close()
        assert on_disk(tmp_path)["r1"]["spent_s"] == 5.0

    story()


@virtual
async def test_a_disk_that_takes_nothing_is_counted_and_tried_again(tmp_path: Path) -> None:
    book = await opened(tmp_path)
    hindrance = tmp_path / "feelings.new"
    hindrance.mkdir()
    book.note("r1", DAY, 5.0)
    await asyncio.sleep(WRITE_AFTER_S + 1)
    assert book.counters["book.not_written"] == 1
    assert book.spent_s("r1", DAY) == 5.0
    hindrance.rmdir()
    await book.close()
    assert on_disk(tmp_path)["r1"]["spent_s"] == 5.0


@virtual
async def test_a_place_that_cannot_be_used_is_said_at_the_start(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(BackendUnavailable, match="taken"):
        await opened(tmp_path / "taken")


@virtual
async def test_a_book_does_not_grow_without_end(tmp_path: Path) -> None:
    book = await opened(tmp_path)
    for number in range(MAX_ROBOTS + 3):
        book.note(f"r{number}", DAY, 1.0)
    assert book.counters["book.no_room"] == 3
    await book.close()

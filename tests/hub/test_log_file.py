"""The log file of a hub without a terminal: bounded, whole lines, and read across its files."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from hub.commands.logs import NoLog, last_lines, new_lines, show_logs
from hub.log_file import FILE, history
from hub.settings import load

WRITE = """
import sys
from pathlib import Path
from hub.log_file import LogFile
log = LogFile(Path(sys.argv[1]), max_bytes=100, kept=2)
for n in range(int(sys.argv[2])):
    log.write(f"line {n}\\n")
print("to stdout", flush=True)
sys.stderr.write("to stderr\\n")
"""


def write(log: Path, lines: int) -> None:
    """In a process of its own: the log takes its stdout and stderr, too."""
    subprocess.run([sys.executable, "-c", WRITE, str(log), str(lines)], check=True)


def text_of(log: Path) -> list[str]:
    return [line for file in history(log) for line in file.read_text().splitlines()]


def test_a_log_keeps_within_its_bound_and_holds_the_latest_lines(tmp_path: Path) -> None:
    log = tmp_path / "hub.log"

    write(log, 1_000)

    files = history(log)
    assert [file.name for file in files] == ["hub.log.2", "hub.log.1", "hub.log"]
    assert all(file.stat().st_size <= 130 for file in files)
    lines = text_of(log)
    numbers = [int(line.removeprefix("line ")) for line in lines if line.startswith("line ")]
    assert numbers == list(range(numbers[0], 1_000))


def test_what_goes_past_the_log_stands_in_it_even_after_a_rotation(tmp_path: Path) -> None:
    log = tmp_path / "hub.log"

    write(log, 15)

    assert log.read_text().splitlines()[-2:] == ["to stdout", "to stderr"]


def test_a_log_goes_on_where_the_last_run_ended(tmp_path: Path) -> None:
    log = tmp_path / "hub.log"

    write(log, 1)
    write(log, 1)

    assert text_of(log).count("line 0") == 2


@pytest.mark.parametrize("count", [0, 1, 3, 5, 99])
def test_the_last_lines_reach_back_into_older_files(count: int, tmp_path: Path) -> None:
    log = tmp_path / "hub.log"
    for suffix, text in ((".2", "a\nb\n"), (".1", "c\n"), ("", "d\ne\n")):
        (tmp_path / f"hub.log{suffix}").write_text(text)

    with log.open() as newest:
        assert last_lines(log, count, newest) == ["a", "b", "c", "d", "e"][5 - min(count, 5) :]


def test_new_lines_are_complete_and_go_on_in_the_file_after_a_rotation(tmp_path: Path) -> None:
    log = tmp_path / "hub.log"
    log.write_text("old\n")

    def append(text: str) -> None:
        with log.open("a") as file:
            file.write(text)

    def add(text: str) -> Callable[[], None]:
        return lambda: append(text)

    def rotate() -> None:
        append("last\n")
        log.rename(tmp_path / "hub.log.1")
        log.write_text("first\n")

    steps = iter([add("one\ntw"), add("o\n"), rotate, add("second\n")])
    with log.open() as newest:
        newest.read()
        lines = new_lines(log, newest, lambda: next(steps)())
        found = [next(lines) for _ in range(5)]
        lines.close()

    assert found == ["one", "two", "last", "first", "second"]


def test_a_log_that_is_not_there_is_one_sentence_that_says_who_writes_it(tmp_path: Path) -> None:
    with pytest.raises(NoLog, match=rf"there is no log at {tmp_path}/{FILE}: `robot-hub start`"):
        show_logs(load(hub_data_dir=tmp_path), 10, print)


def test_a_log_that_cannot_be_read_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / FILE).mkdir()

    with pytest.raises(NoLog, match="cannot be read: Is a directory"):
        show_logs(load(hub_data_dir=tmp_path), 10, print)

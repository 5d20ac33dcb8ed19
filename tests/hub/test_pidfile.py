"""Who runs the hub of a data directory: only a process that lives and holds the file."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub import pidfile
from hub.pidfile import FILE, PidFile, Record, Taken, mine, running, started_ticks


@pytest.fixture
def signed(tmp_path: Path) -> Iterator[PidFile]:
    file = PidFile(tmp_path)
    file.sign(mine(url="http://h:1", log="l", drain_s=2.5, given={"server_port": "1"}))
    yield file
    file.clear()


def test_who_signs_is_found_with_all_that_it_said(tmp_path: Path, signed: PidFile) -> None:
    pid = os.getpid()

    assert running(tmp_path) == Record(
        pid, started_ticks(pid), "http://h:1", "l", os.getcwd(), 2.5, {"server_port": "1"}
    )


def test_the_first_line_is_the_process_id_as_in_any_pid_file(
    tmp_path: Path, signed: PidFile
) -> None:
    assert (tmp_path / FILE).read_text().splitlines()[0] == str(os.getpid())


def test_nobody_runs_where_there_is_no_file(tmp_path: Path) -> None:
    assert running(tmp_path) is None


def test_a_file_that_nobody_holds_names_nobody(tmp_path: Path, signed: PidFile) -> None:
    text = (tmp_path / FILE).read_text()
    signed.clear()
    (tmp_path / FILE).write_text(text)

    assert running(tmp_path) is None


def test_a_process_that_only_has_the_number_is_not_taken_for_it(
    tmp_path: Path, signed: PidFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pidfile, "_PATIENCE_S", 0.05)
    (tmp_path / FILE).write_text('1\n{"pid": 1, "started_ticks": -7}\n')

    assert running(tmp_path) is None


@pytest.mark.parametrize("text", ["", "12\n", "12\n{", '12\n{"pid": 1, "what": 2}\n', "12\n[]\n"])
def test_a_file_that_cannot_be_read_names_nobody(
    text: str, tmp_path: Path, signed: PidFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pidfile, "_PATIENCE_S", 0.05)
    (tmp_path / FILE).write_text(text)

    assert running(tmp_path) is None


def test_a_second_supervisor_is_refused(
    tmp_path: Path, signed: PidFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pidfile, "_PATIENCE_S", 0.05)

    with pytest.raises(Taken, match=f"another robot-hub runs with the data directory {tmp_path}"):
        PidFile(tmp_path).sign(mine())


def test_a_killed_process_holds_nothing(tmp_path: Path) -> None:
    script = (
        "import signal, sys; from pathlib import Path; from hub.pidfile import PidFile, mine;"
        f"PidFile(Path({str(tmp_path)!r})).sign(mine()); print('up', flush=True); signal.pause()"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        record = running(tmp_path)
        assert record is not None
        assert record.pid == process.pid
        assert 0 <= record.age_s < 60
        process.kill()

    assert running(tmp_path) is None
    assert started_ticks(process.pid) == -1

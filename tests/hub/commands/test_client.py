"""Which hub a command means: every command that talks to one finds it in the same way."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from hub.cli import app
from hub.commands.client import OtherPort, TwoHubs, find_hub
from hub.commands.logs import show_logs
from hub.commands.service import stop
from hub.log_file import FILE
from hub.pidfile import PidFile, mine
from hub.settings import KNOWN_NAMES, Settings, load

HERE = "http://127.0.0.1:8123"


@pytest.fixture(autouse=True)
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in KNOWN_NAMES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def runs(alone: Path) -> Iterator[None]:
    """A supervisor of the data directory says that its hub is ``HERE``."""
    file = PidFile(alone)
    file.sign(mine(url=HERE))
    yield
    file.clear()


def of(data_dir: Path, **more: Any) -> Settings:
    return load(hub_data_dir=data_dir, **more)


def test_where_nothing_runs_a_hub_is_where_the_settings_say(alone: Path) -> None:
    hub = find_hub(of(alone))
    assert (hub.address.url, hub.record, hub.is_here) == ("http://127.0.0.1:8100", None, True)


@pytest.mark.usefixtures("runs")
def test_a_hub_that_was_started_on_another_port_is_found_by_its_data_directory(
    alone: Path,
) -> None:
    hub = find_hub(of(alone))
    assert hub.address.url == HERE
    assert hub.record is not None


@pytest.mark.usefixtures("runs")
@pytest.mark.parametrize(("port", "known"), [(8123, True), (8200, False)])
def test_a_port_means_the_hub_that_listens_there(alone: Path, port: int, known: bool) -> None:
    hub = find_hub(of(alone, server_port=port), port=port)

    assert hub.address.url == f"http://127.0.0.1:{port}"
    assert (hub.record is not None) is known
    assert hub.is_here


@pytest.mark.usefixtures("runs")
def test_a_url_means_the_hub_there_and_no_other(alone: Path) -> None:
    hub = find_hub(of(alone), "http://hub.local:8100/")
    assert (hub.address.url, hub.record, hub.is_here) == ("http://hub.local:8100", None, False)


def test_a_url_and_a_port_contradict_each_other(alone: Path) -> None:
    with pytest.raises(TwoHubs, match="give one of them"):
        find_hub(of(alone, server_port=8123), HERE, 8123)


@pytest.mark.usefixtures("runs")
def test_what_listens_at_another_port_is_neither_stopped_nor_shown(alone: Path) -> None:
    (alone / FILE).write_text("a line\n")
    said: list[str] = []

    with pytest.raises(OtherPort, match="not at port 8200"):
        stop(of(alone, server_port=8200), port=8200)
    with pytest.raises(OtherPort):
        show_logs(of(alone, server_port=8200), 10, said.append, port=8200)
    assert not said
    show_logs(of(alone, server_port=8123), 10, said.append, port=8123)
    assert said == ["a line"]


TALKING = [
    ("status",), ("health",), ("say",), ("pair",), ("mcp",), ("models",),
    ("models", "load"), ("models", "unload"),
]  # fmt: skip


def commands_of(group: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every command with its options, by what it is called with."""
    for name, command in group.commands.items():
        options = {option for parameter in command.params for option in parameter.opts}
        yield (*path, name), options
        if hasattr(command, "commands"):
            yield from commands_of(command, (*path, name))


def test_every_command_that_talks_to_a_hub_takes_the_same_options() -> None:
    found = dict(commands_of(typer.main.get_command(app)))
    options = {"--hub", "--port", "--token", "--data-dir"}

    assert {path for path in found if found[path] >= options} == set(TALKING)
    assert {path for path in found if "--hub" in found[path]} == {*TALKING, ("load",)}
    assert all("--port" in found[path] for path in [("stop",), ("logs",), ("start",), ("run",)])

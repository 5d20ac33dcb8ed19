"""``robot-hub health``: each check can fail, and says what it saw."""

import asyncio
import json
import os
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from hub.commands import health as command
from hub.commands.client import find_hub
from hub.commands.health import Check, checks, health
from hub.gpu import Reading
from hub.pidfile import PidFile, mine
from hub.settings import KNOWN_NAMES, Settings, load
from tests.fakes.gpu import FakeDriver, gpu
from tests.fakes.status_server import WELL, StatusServer

NOWHERE = 9
"""A port of which nobody answers."""


@pytest.fixture(autouse=True)
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in KNOWN_NAMES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").mkdir()
    return tmp_path / "data"


def of(port: int, data_dir: Path, **more: Any) -> Settings:
    return load(server_port=port, hub_data_dir=data_dir, **more)


async def looked(
    document: dict[str, Any],
    data_dir: Path,
    *,
    remote: bool = False,
    driver: FakeDriver | None = None,
    token: str = "",
    alive: bool = True,
    **settings: Any,
) -> dict[str, Check]:
    """The checks of a hub that says ``document``, by name; ``remote``: from another machine."""
    async with StatusServer(document, token=token, alive=alive) as server:
        port = int(server.url.rpartition(":")[2])
        hub = find_hub(of(port, data_dir, **settings), server.url if remote else None)
        found = await asyncio.to_thread(checks, hub, driver or FakeDriver())
    return {check.name: check for check in found}


async def test_of_a_hub_that_is_well_nothing_fails(alone: Path) -> None:
    signed = PidFile(alone)
    signed.sign(mine())
    found = await looked(WELL, alone)
    signed.clear()

    assert {name for name, check in found.items() if check.passed is None} == {"gpu"}
    assert all(check.passed is not False for check in found.values())
    assert len(found) == 12
    assert all(check.purpose for check in found.values())


async def test_a_hub_that_is_not_there_fails_and_what_it_would_say_is_not_judged(
    alone: Path,
) -> None:
    found = {c.name: c for c in checks(find_hub(of(NOWHERE, alone)), FakeDriver())}

    assert [name for name, c in found.items() if c.passed is False] == ["process", "ports", "hub"]
    assert found["agents"].passed is None
    assert "no hub answers at http://127.0.0.1:9" in found["agents"].detail


def changed(key: str, value: Any) -> dict[str, Any]:
    return {**WELL, key: value}


@pytest.mark.parametrize(
    ("document", "name", "detail"),
    [
        (
            changed("ready", False)
            | {"agents": {"stt-1": {"state": "loading", "progress": "load 40%"}}},
            "agents",
            "stt-1 is loading (load 40%)",
        ),
        (changed("ready", False) | {"agents": {}}, "agents", "is missing"),
        (changed("degraded", {"tts": "ended with exit code 2"}), "processes", "tts ended with"),
        (changed("violations", {"I1": 2, "I2": 0}), "promises", "I1 2 times"),
        (changed("loop", {"p99_ms": 250.0}), "loops", "latest: hub, 250.0 ms"),
        (
            changed("agents", {"stt-1": {"state": "ready", "lag_ms": 900.0}}),
            "loops",
            "latest: stt-1, 900.0 ms",
        ),
        (changed("clocks", {"r1": {"error_ms": 900.0}}), "robot clocks", "widest: r1, 900.0 ms"),
    ],
)
async def test_what_the_hub_says_can_fail_a_check(
    document: dict[str, Any], name: str, detail: str, alone: Path
) -> None:
    check = (await looked(document, alone))[name]

    assert check.passed is False
    assert detail in check.detail


async def test_restarts_are_told_and_no_failure(alone: Path) -> None:
    check = (await looked(changed("restarts", {"stt": 2, "hub": 0}), alone))["processes"]

    assert (check.passed, check.detail) == (True, "started again: stt 2 times")


async def test_a_hub_that_hangs_fails(alone: Path) -> None:
    found = await looked(WELL, alone, alive=False)

    assert (found["hub"].passed, found["ports"].passed) == (False, False)


async def test_without_its_credential_the_hub_is_not_asked_and_one_is_told_how(
    alone: Path,
) -> None:
    closed = await looked(WELL, alone, token="t0k")
    opened = await looked(WELL, alone, token="t0k", hub_token="t0k")

    assert (closed["agents"].passed, closed["hub"].passed) == (None, True)
    assert "HUB_TOKEN holds the credential" in closed["agents"].detail
    assert opened["agents"].passed is True


async def test_from_another_machine_only_what_the_hub_says_is_judged(alone: Path) -> None:
    found = await looked(WELL, alone, remote=True)

    local = {"process", "store", "disk", "clock", "ports", "gpu"}
    assert {name for name, check in found.items() if check.passed is None} == local
    assert all(found[name].detail == "not this machine" for name in local)


async def test_a_gpu_is_needed_by_engines_that_run_on_one(alone: Path) -> None:
    absent = FakeDriver(Reading(why="no driver"))
    there = FakeDriver(Reading((gpu(free_gb=5.0, total_gb=8.0),)))

    assert (await looked(WELL, alone, driver=absent, llm_backend="vllm"))["gpu"].passed is False
    assert (await looked(WELL, alone, driver=there))["gpu"].detail == (
        "NVIDIA X, 5.0 of 8.0 GiB free"
    )


async def test_a_second_listener_that_nobody_answers_on_fails(alone: Path) -> None:
    check = (await looked(WELL, alone, api_port=NOWHERE))["ports"]

    assert (check.passed, check.detail) == (False, "nobody answers at http://127.0.0.1:9")


def here(name: str, data_dir: Path) -> Check:
    (check,) = (c for c in checks(find_hub(of(NOWHERE, data_dir)), FakeDriver()) if c.name == name)
    return check


def test_a_store_that_is_not_there_fails(alone: Path) -> None:
    alone.rmdir()

    assert here("store", alone).passed is False


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is forbidden to the superuser")
def test_a_store_that_takes_no_file_fails(alone: Path) -> None:
    alone.chmod(0o500)

    assert (here("store", alone).passed, "Permission denied" in here("store", alone).detail) == (
        False,
        True,
    )


def test_a_disk_that_is_nearly_full_fails(alone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "LEAST_FREE_MIB", 1 << 40)

    assert here("disk", alone).passed is False


def test_a_clock_that_is_behind_what_it_dated_fails(alone: Path) -> None:
    store = alone / "hub.db"
    store.touch()
    assert here("clock", alone).passed is True

    os.utime(store, (4_000_000_000, 4_000_000_000))
    check = here("clock", alone)
    assert check.passed is False
    assert "the store was written at 2096" in check.detail


def test_the_table_as_json_says_the_same(alone: Path) -> None:
    console = Console(width=200)
    with console.capture() as capture:
        code = health(find_hub(of(NOWHERE, alone)), console, as_json=True, probe=FakeDriver())

    document = json.loads(capture.get())
    assert (code, document["healthy"], len(document["checks"])) == (1, False, 12)


def test_the_table_counts_what_was_looked_at(alone: Path) -> None:
    console = Console(width=200)
    with console.capture() as capture:
        code = health(find_hub(of(NOWHERE, alone)), console, probe=FakeDriver())

    assert code == 1
    assert "3 of 6 checks pass" in capture.get()

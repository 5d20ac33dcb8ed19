"""The process around an agent: exit codes and sentences, with a real child and a real bus."""

import asyncio
import signal
import sys
import time
from pathlib import Path

import pytest

from agents.runtime.errors import BadSettings
from agents.runtime.settings import AgentSettings, load
from hub.broker.zmq import ZmqHubBus
from protocols.envelope import AnyEnvelope, Envelope
from protocols.messages.agent import AgentDrain, AgentHeartbeat, AgentHello, AgentReady

ROOT = Path(__file__).parents[3]


async def started(*args: str, cwd: Path, **environ: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.agents.runtime.agent_program", *args),
        stderr=asyncio.subprocess.PIPE,
        cwd=cwd,
        env={"PYTHONPATH": str(ROOT), **environ},
    )


@pytest.mark.parametrize(
    ("backend", "sentence"),
    [
        ("none", "stt: HUB_BUS_DIR is not set\n"),
        ("missing", "stt: no model on disk\n"),
        ("unknown", "stt: no backend is called unknown\n"),
    ],
)
async def test_what_cannot_work_says_so_in_one_sentence(
    backend: str, sentence: str, tmp_path: Path
) -> None:
    environ = {} if backend == "none" else {"HUB_BUS_DIR": str(tmp_path)}
    process = await started(backend, cwd=tmp_path, **environ, HUB_LOG_LEVEL="ERROR")
    _, errors = await process.communicate()
    assert errors.decode() == sentence
    assert process.returncode == 2


async def test_sigterm_ends_an_agent_with_0_even_without_a_hub(tmp_path: Path) -> None:
    process = await started("ready", cwd=tmp_path, HUB_BUS_DIR=str(tmp_path), HUB_LOG_JSON="1")
    assert process.stderr is not None
    while b"agent.ready" not in await process.stderr.readline():
        pass
    process.send_signal(signal.SIGTERM)
    _, errors = await process.communicate()
    assert b"agent.draining" in errors
    assert process.returncode == 0


async def test_an_agent_registers_beats_and_drains_over_real_sockets(tmp_path: Path) -> None:
    bus = tmp_path / "bus"
    hub = ZmqHubBus(bus, 1, clock=time.monotonic_ns)
    facts: asyncio.Queue[AnyEnvelope] = asyncio.Queue()
    left: asyncio.Queue[str] = asyncio.Queue()
    hub.on_peers(lambda name, hello: facts.put_nowait(hello), lambda name, _: left.put_nowait(name))
    for fact in (AgentReady, AgentHeartbeat):
        hub.subscribe(fact, lambda envelope, _: facts.put_nowait(envelope))
    async with asyncio.timeout(10), hub:
        process = await started("ready", cwd=tmp_path, HUB_BUS_DIR=str(bus))
        bodies = [(await facts.get()).body for _ in range(3)]
        assert [type(body) for body in bodies] == [AgentHello, AgentReady, AgentHeartbeat]
        hub.send(f"stt-primary-{process.pid}", Envelope(body=AgentDrain()))
        assert await left.get() == f"stt-primary-{process.pid}"
        _, errors = await process.communicate()
        assert process.returncode == 0, errors.decode()


def test_settings_come_from_the_environment_then_from_dotenv(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HUB_BUS_DIR", "/run/bus")
    (tmp_path / ".env").write_text(
        "HUB_BUS_DIR=/elsewhere\nHUB_AGENT_ROLE=reflex\nSERVER_PORT=8100\n"
    )
    settings = load(AgentSettings)
    assert settings.bus_dir == Path("/run/bus")
    assert settings.role == "reflex"


def test_a_wrong_value_is_named_with_what_it_should_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HUB_BUS_DIR", "/run/bus")
    monkeypatch.setenv("HUB_LOG_LEVEL", "LOUD")
    with pytest.raises(BadSettings, match=r"HUB_LOG_LEVEL is 'loud': .*'debug'"):
        load(AgentSettings)


@pytest.mark.parametrize(
    ("told", "level", "json"),
    [
        ({"LOG_LEVEL": "WARNING", "LOG_FORMAT": "json"}, "warning", True),
        ({"LOG_LEVEL": "debug", "HUB_LOG_LEVEL": "error"}, "error", False),
        ({"LOG_FORMAT": "json", "HUB_LOG_JSON": "0"}, "info", False),
        ({"LOG_LEVEL": "", "LOG_FORMAT": ""}, "info", False),
    ],
)
def test_the_documented_names_of_logging_count_where_the_hubs_own_are_not_set(
    told: dict[str, str], level: str, json: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HUB_BUS_DIR", "/run/bus")
    for name, value in told.items():
        monkeypatch.setenv(name, value)

    settings = load(AgentSettings)

    assert (settings.log_level, settings.log_json) == (level, json)

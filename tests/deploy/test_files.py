"""The files by which others run the hub: they can be read, and say what the hub does."""

import configparser
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from hub.restarts import MISCONFIGURED
from hub.settings import KNOWN_NAMES, Settings
from hub.supervisor import AGENT_GRACE_S
from tests.deploy.units import faults, read

DEPLOY = Path(__file__).parent.parent.parent / "deploy"
UNIT = DEPLOY / "robot-hub.service"
EXECUTABLE = "/opt/robot-hub/bin/robot-hub"


def unit() -> configparser.ConfigParser:
    return read(UNIT)


@pytest.fixture(scope="module")
def compose() -> Any:
    return yaml.safe_load((DEPLOY / "compose.yaml").read_text())


def test_the_service_is_one_that_tells_how_it_is() -> None:
    service = unit()["Service"]

    assert service["Type"] == "notify"
    assert int(service["WatchdogSec"]) >= 10
    assert service["RestartPreventExitStatus"] == str(MISCONFIGURED)
    assert service["ExecStart"] == f"{EXECUTABLE} run"


def test_the_service_manager_waits_longer_than_a_drain_can_take() -> None:
    drain_s = Settings.model_fields["hub_drain_s"].default

    assert int(unit()["Service"]["TimeoutStopSec"]) > drain_s + 2 * AGENT_GRACE_S


def test_the_service_may_write_its_own_directories_and_nothing_else() -> None:
    service = unit()["Service"]

    assert service["User"] == "robot-hub"
    for name in ("NoNewPrivileges", "PrivateTmp", "ProtectHome", "RestrictSUIDSGID"):
        assert service[name] == "yes"
    assert service["ProtectSystem"] == "strict"
    assert service["CapabilityBoundingSet"] == ""
    assert "ReadWritePaths" not in service


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed here")
def test_systemd_finds_nothing_wrong_with_the_unit(tmp_path: Path) -> None:
    assert faults(UNIT, EXECUTABLE, tmp_path) == []


def test_the_containers_are_the_hub_and_a_server_of_models_by_profile(compose: Any) -> None:
    services = compose["services"]

    assert {name: service.get("profiles") for name, service in services.items()} == {
        "hub": None,
        "vllm": ["vllm"],
        "localai": ["localai"],
    }
    assert set(compose["volumes"]) == {
        volume.partition(":")[0] for service in services.values() for volume in service["volumes"]
    }


def test_the_hub_starts_whichever_server_of_models_is_there(compose: Any) -> None:
    hub = compose["services"]["hub"]

    assert all(on["required"] is False for on in hub["depends_on"].values())
    assert "http://vllm:8000/v1,http://localai:8080/v1" in hub["environment"]["OPENAI_BASE_URL"]
    assert set(hub["environment"]) <= KNOWN_NAMES


def test_the_hub_of_the_container_is_published_on_this_machine_alone(compose: Any) -> None:
    (port,) = compose["services"]["hub"]["ports"]

    assert port.startswith("127.0.0.1:")


def test_the_image_runs_as_a_user_without_rights_and_checks_its_health() -> None:
    lines = (DEPLOY / "Dockerfile").read_text().splitlines()
    words = {line.partition(" ")[0]: line.partition(" ")[2] for line in lines if line[:1].isupper()}

    assert words["USER"] == "robot-hub"
    assert words["HEALTHCHECK"].endswith('CMD ["robot-hub", "health"]')
    assert words["ENTRYPOINT"] == '["robot-hub"]'


def test_what_the_image_copies_is_there_and_let_through_to_it() -> None:
    text = (DEPLOY / "Dockerfile").read_text()
    let_through = {
        line.removeprefix("!")
        for line in (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines()
        if line.startswith("!")
    }
    copied = {
        word
        for line in re.findall(r"^COPY (?!--from)(.*) \S+$", text, re.MULTILINE)
        for word in line.split()
    }

    assert copied == let_through
    assert all((DEPLOY.parent / name).exists() for name in copied)

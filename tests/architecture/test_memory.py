"""What a process does not need is not loaded into it: numpy alone takes 13 MiB, rich 6."""

import subprocess
import sys

import pytest

LARGE = ("numpy", "rich", "soxr", "jsonschema_rs", "av", "PIL", "httpx", "mcp", "torch")


@pytest.mark.parametrize("module", ["agents.tts.agent", "agents.stt.agent", "hub.edge.robot_ws"])
def test_a_process_that_computes_nothing_loads_no_numpy(module: str) -> None:
    assert "numpy" not in large_after_importing(module)


@pytest.mark.parametrize(
    "module", ["hub.__main__", *(f"agents.{kind}.__main__" for kind in ("ears", "stt", "tts"))]
)
def test_a_process_that_nobody_has_asked_anything_has_loaded_nothing_large(module: str) -> None:
    assert large_after_importing(module) == []


def test_an_agent_that_loads_no_rich_can_still_be_given_it() -> None:
    assert large_after_importing("agents.tts.__main__, rich.traceback") == ["rich"]


def large_after_importing(modules: str) -> list[str]:
    script = f"import sys, {modules}; print(*(m for m in {LARGE} if m in sys.modules))"

    result = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )

    return result.stdout.split()

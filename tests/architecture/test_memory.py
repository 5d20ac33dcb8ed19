"""What a process does not need is not loaded into it: numpy alone takes 13 MiB."""

import subprocess
import sys

import pytest


@pytest.mark.parametrize("module", ["agents.tts.agent", "agents.stt.agent", "hub.edge.robot_ws"])
def test_a_process_that_computes_nothing_loads_no_numpy(module: str) -> None:
    script = f"import sys, {module}; print('numpy' in sys.modules)"

    result = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )

    assert result.stdout.strip() == "False"

"""What the command line imports, and which processes it wants; see ``tests/e2e/test_cli.py``."""

import subprocess
import sys

import pytest

from hub.commands.run import agents_to_start
from hub.commands.simulator import ENTRIES, entry
from hub.settings import load
from hub.supervise import Order, children

HEAVY = ("fastapi", "uvicorn", "numpy", "zmq", "faster_whisper", "httpx", "pydantic")


def test_help_costs_no_heavy_import() -> None:
    script = f"import sys, hub.cli; print([m for m in {HEAVY!r} if m in sys.modules])"

    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)

    assert result.stdout.strip() == "[]"


def test_the_supervisor_imports_only_the_standard_library() -> None:
    script = (
        "import sys; before = set(sys.modules); import hub.supervise; "
        "print(sorted({m.split('.')[0] for m in set(sys.modules) - before}"
        " - set(sys.stdlib_module_names)))"
    )

    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)

    assert result.stdout.strip() == "['hub']"


def test_each_agent_is_a_process_beside_the_hub_and_knows_its_role() -> None:
    started = children(Order(("stt", "planner", "planner:reflex"), 10.0), {"A": "1"})

    assert [(c.name, c.command[-1], c.essential) for c in started] == [
        ("hub", "hub", True),
        ("stt", "agents.stt", False),
        ("planner", "agents.planner", False),
        ("planner:reflex", "agents.planner", False),
    ]
    assert started[3].environment == {"A": "1", "HUB_AGENT_ROLE": "reflex"}


def test_a_planner_that_is_reflex_needs_no_standing_reflex_planner() -> None:
    assert "planner:reflex" in agents_to_start(load(llm_backend="auto"))
    assert "planner:reflex" not in agents_to_start(load(llm_backend="reflex"))


def test_an_order_to_the_supervisor_arrives_as_it_was_given() -> None:
    order = Order(("ears", "planner:reflex"), 2.5, prefix=False)

    assert Order.decoded(order.encoded()) == order


@pytest.mark.parametrize("name", sorted(ENTRIES))
def test_what_the_demo_starts_by_name_is_there(name: str) -> None:
    assert callable(entry(name))

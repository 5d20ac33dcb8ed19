"""Laws of the code base that neither the linter nor the import contracts can see."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.setting_names import LIBRARIES
from hub.settings import KNOWN_NAMES
from protocols.topics import CATALOG

ROOT = Path(__file__).parent.parent.parent
PACKAGES = ("protocols", "hub", "agents", "robot_sim")
MODULES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
AGENTS = sorted(path.parent for path in (ROOT / "agents").glob("*/agent.py"))

LONGEST_MODULE = 400
LONGEST_FUNCTION = 60
ENGINES = (
    "pocketsphinx", "faster_whisper", "ctranslate2", "onnxruntime", "espeakng_loader", "soxr",
    "httpx", "transformers", "torch", "vllm",
)  # fmt: skip

CANCELLING_FLAG = re.compile(r"_?(is_|was_)?(interrupt(ed)?|cancel(l?ed|ling)?|abort(ed)?)")
MACHINE_PATH = re.compile(r"(?<![\w./-])/(work|root|home/\w+|Users/\w+)/")
PLACE_OF_PACKAGES = re.compile(r"--(extra-)?index-url|--find-links|\buv\.lock\b.*git add")


def relative(path: Path) -> str:
    return str(path.relative_to(ROOT))


def functions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def test_no_module_is_too_long_to_be_read_in_one_sitting() -> None:
    lengths = {relative(path): len(path.read_text().splitlines()) for path in MODULES}

    assert {path: n for path, n in lengths.items() if n > LONGEST_MODULE} == {}


def test_no_function_is_too_long_to_be_seen_at_once() -> None:
    lengths = {
        f"{relative(path)}:{function.name}": (function.end_lineno or 0) - function.lineno + 1
        for path in MODULES
        for function in functions(ast.parse(path.read_text()))
    }

    assert {name: n for name, n in lengths.items() if n > LONGEST_FUNCTION} == {}


def test_every_module_says_what_it_is_for() -> None:
    silent = [
        relative(path)
        for path in MODULES
        if path.stat().st_size and ast.get_docstring(ast.parse(path.read_text())) is None
    ]

    assert silent == []


def test_cancellation_is_a_number_and_never_a_flag() -> None:
    flags = [
        f"{relative(path)}:{node.lineno}"
        for path in MODULES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Assign)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, bool)
        and any(
            isinstance(target, ast.Attribute) and CANCELLING_FLAG.fullmatch(target.attr)
            for target in node.targets
        )
    ]

    assert flags == []


def test_no_file_knows_the_machine_it_was_written_on() -> None:
    here = Path(__file__)
    texts = [*MODULES, *ROOT.glob("*.md"), *ROOT.glob("*.toml"), *ROOT.glob("*.txt")]
    texts += [p for d in ("tests", "scripts", "benchmarks") for p in (ROOT / d).rglob("*.*")]
    found = [
        f"{relative(path)}:{number}: {line.strip()}"
        for path in texts
        if path.suffix in {".py", ".md", ".toml", ".txt", ".sh"} and path != here
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if MACHINE_PATH.search(line) or PLACE_OF_PACKAGES.search(line)
    ]

    assert found == []


def test_every_topic_stands_in_the_description_of_the_wire() -> None:
    description = (ROOT / "protocols" / "README.md").read_text()

    assert [name for name in CATALOG if f"`{name}`" not in description] == []


@pytest.mark.parametrize("agent", AGENTS, ids=lambda path: path.name)
def test_agents_are_built_alike(agent: Path) -> None:
    expected = (
        "__main__.py",
        "settings.py",
        "agent.py",
        "backends/base.py",
        "backends/scripted.py",
    )

    assert [name for name in expected if not (agent / name).is_file()] == []


@pytest.mark.parametrize("agent", AGENTS, ids=lambda path: path.name)
def test_importing_an_agent_loads_no_engine(agent: Path) -> None:
    script = (
        f"import sys, agents.{agent.name}.agent; "
        f"print([name for name in {ENGINES!r} if name in sys.modules])"
    )

    result = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )

    assert result.stdout.strip() == "[]"


def test_the_hub_knows_every_name_its_agents_read_and_takes_none_for_a_misspelling() -> None:
    alias = re.compile(r"""["']([A-Z][A-Z0-9]*_[A-Z0-9_]+)["']""")
    files = (ROOT / "agents").glob("*/settings.py")
    read = {name for path in files for name in alias.findall(path.read_text())}

    assert read
    assert {name for name in read - KNOWN_NAMES if not name.startswith(LIBRARIES)} == set()

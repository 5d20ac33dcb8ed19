"""One shape for every line of the log, in the hub and in agents, whoever writes it."""

import json
import subprocess
import sys

import pytest

SCRIPT = """
import logging, structlog
from {module} import configure_logs
configure_logs("{level}", json={json})
log = structlog.get_logger()
with structlog.contextvars.bound_contextvars(request="r-1"):
    log.debug("small", n=1)
    log.info("own", n=2)
    logging.getLogger("some.library").info("https://host/?token=hunter2")
    try:
        raise ValueError("inside")
    except ValueError:
        logging.getLogger("some.library").exception("it broke")
"""

BOTH = pytest.mark.parametrize("module", ["hub.log", "agents.runtime.log"])


def said(module: str, level: str, *, as_json: bool) -> list[str]:
    script = SCRIPT.format(module=module, level=level, json=as_json)
    result = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    return result.stderr.splitlines()


@BOTH
def test_every_line_is_json_where_json_is_asked_for(module: str) -> None:
    own, library = map(json.loads, said(module, "INFO", as_json=True))

    assert (own["event"], own["n"], own["level"], own["request"]) == ("own", 2, "info", "r-1")
    assert (library["event"], library["logger"], library["level"]) == (
        "it broke",
        "some.library",
        "error",
    )
    assert library["request"] == "r-1"
    assert "ValueError: inside" in library["exception"]
    assert own.keys() & library.keys() >= {"timestamp", "level", "event"}


@BOTH
def test_the_level_acts_and_libraries_are_quiet_below_a_warning(module: str) -> None:
    debug = said(module, "DEBUG", as_json=True)
    error = said(module, "ERROR", as_json=True)

    assert [json.loads(line)["event"] for line in debug] == ["small", "own", "it broke"]
    assert [json.loads(line)["event"] for line in error] == ["it broke"]
    assert "hunter2" not in "".join(debug)


@BOTH
def test_for_people_a_line_is_text(module: str) -> None:
    own, *_ = said(module, "INFO", as_json=False)

    assert "own" in own
    assert not own.startswith("{")

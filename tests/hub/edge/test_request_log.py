"""Every request has a name, which its answer and its line in the log bear."""

from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from starlette.types import Receive, Scope, Send
from structlog.testing import LogCapture

from hub.edge.request_log import RequestLog, path_of
from tests.hub.edge.conftest import Edge


@pytest.fixture
def logged(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    """What the middleware logs, with the keys that are bound around it."""
    capture = LogCapture()
    structlog.configure(processors=[structlog.contextvars.merge_contextvars, capture])
    monkeypatch.setattr("hub.edge.request_log.log", structlog.get_logger())
    yield capture.entries
    structlog.reset_defaults()


async def test_a_callers_name_for_its_request_is_echoed_and_logged(
    edge: Edge, logged: list[Any]
) -> None:
    answer = await edge.http.get("/readyz", headers={"X-Request-Id": "trace-1.2"})

    assert answer.headers["x-request-id"] == "trace-1.2"
    (line,) = logged
    assert (line["request"], line["method"], line["path"], line["status"]) == (
        "trace-1.2",
        "GET",
        "/readyz",
        answer.status_code,
    )
    assert line["ms"] >= 0


@pytest.mark.parametrize("given", ["", "a b", "x" * 65, "ü", "{}"])
async def test_a_name_that_could_be_something_else_is_replaced(edge: Edge, given: str) -> None:
    answers = [
        await edge.http.get("/livez", headers={"X-Request-Id": given.encode()}) for _ in range(2)
    ]

    names = {answer.headers["x-request-id"] for answer in answers}
    assert len(names) == 2
    assert all(len(name) == 32 for name in names)


async def test_neither_query_nor_headers_nor_body_are_logged(edge: Edge, logged: list[Any]) -> None:
    await edge.http.post(
        "/say?token=hunter2",
        headers={"Authorization": "Bearer hunter2"},
        json={"robot_id": "r1", "text": "hunter2"},
    )

    assert logged
    assert "hunter2" not in str(logged)


async def test_what_the_doorman_refuses_is_logged_with_its_name(
    edge: Edge, logged: list[Any]
) -> None:
    answer = await edge.http.get("/docs", headers={"Origin": "http://elsewhere.example"})

    assert answer.status_code == 403
    assert answer.headers["x-request-id"] == logged[0]["request"]


async def test_who_asks_every_few_seconds_does_not_fill_the_log(
    edge: Edge, logged: list[Any]
) -> None:
    await edge.http.get("/livez")
    await edge.http.get("/docs/nothing")

    assert [line["log_level"] for line in logged] == ["debug", "info"]


async def test_a_request_that_breaks_is_logged_as_one(logged: list[Any]) -> None:
    async def breaks(scope: Scope, receive: Receive, send: Send) -> None:
        raise RuntimeError("broken")

    scope = {"type": "http", "method": "GET", "path": "/x", "raw_path": b"/x", "headers": []}
    with pytest.raises(RuntimeError):
        await RequestLog(breaks)(scope, lambda: None, lambda _: None)  # type: ignore[arg-type,return-value]

    assert logged[0]["status"] == 500


def test_a_path_cannot_pretend_to_be_another_line_of_the_log() -> None:
    scope = {"path": "/a\nlevel=error", "raw_path": b"/a%0Alevel=error"}

    assert path_of(scope) == "/a%0Alevel=error"
    assert path_of({"path": "/a", "raw_path": b"/a?token=hunter2"}) == "/a"
    assert len(path_of({"path": "/" + "a" * 5_000, "raw_path": b"/" + b"a" * 5_000})) == 200

"""``/logs`` and ``/traces``: what the hub has written down, for administrators alone."""

import os
from pathlib import Path

import pytest

from hub.store import tokens
from hub.store.tokens import Scope
from hub.trace.folder import TraceFolder
from tests.hub.edge.conftest import Edge
from tests.hub.edge.test_auth import bearer

CONTENT = b"\x89MCAP0\r\n" * 100_000


@pytest.fixture
def traces(edge: Edge, tmp_path: Path) -> Path:
    """The directory of traces of ``edge``, with one trace and what else may lie about there."""
    folder = tmp_path / "traces"
    (folder / "older").mkdir(parents=True)
    (folder / "hub-000001.mcap").write_bytes(CONTENT)
    (folder / "hub-000002.mcap.tmp").write_bytes(b"no")
    (folder / "older" / "hub-000000.mcap").write_bytes(b"no")
    (tmp_path / "secret.mcap").write_bytes(b"secret")
    (folder / "link.mcap").symlink_to(tmp_path / "secret.mcap")
    (folder / "folder.mcap").mkdir()
    os.mkfifo(folder / "pipe.mcap")
    return folder


def log(edge: Edge, event: str, **keys: object) -> None:
    assert edge.services is not None
    edge.services.logs(None, "info", {"event": event, "level": "info", "timestamp": "now", **keys})


async def test_the_log_is_followed_by_asking_for_what_came_after(edge: Edge) -> None:
    log(edge, "agent ready", agent="tts-1", active=2)
    log(edge, "agent lost", agent="tts-1")
    first = (await edge.http.get("/logs")).json()["lines"]
    assert [line["event"] for line in first] == ["agent ready", "agent lost"]
    assert first[0]["keys"] == {"agent": "tts-1", "active": 2}
    log(edge, "agent ready", agent="tts-2")
    (new,) = (await edge.http.get(f"/logs?after={first[-1]['n']}")).json()["lines"]
    assert new["keys"]["agent"] == "tts-2"
    (last,) = (await edge.http.get("/logs?limit=1")).json()["lines"]
    assert last == new
    assert (await edge.http.get("/logs?limit=0")).status_code == 422
    assert (await edge.http.get("/logs?after=-1")).status_code == 422


async def test_a_trace_is_listed_and_handed_out_whole(edge: Edge, traces: Path) -> None:
    listed = (await edge.http.get("/traces")).json()
    assert [(file["name"], file["bytes"]) for file in listed["traces"]] == [
        ("hub-000001.mcap", len(CONTENT))
    ]
    assert (listed["tracing"], listed["words"]) == (False, False)
    got = await edge.http.get("/traces/hub-000001.mcap")
    assert got.content == CONTENT
    assert got.headers["content-length"] == str(len(CONTENT))
    assert got.headers["content-type"] == "application/vnd.mcap"
    assert got.headers["content-disposition"] == 'attachment; filename="hub-000001.mcap"'


@pytest.mark.parametrize(
    "name",
    [
        "none.mcap", "link.mcap", "folder.mcap", "pipe.mcap", "hub-000002.mcap.tmp", ".mcap",
        "..%2Fsecret.mcap", "%2e%2e%2fsecret.mcap", "older%2Fhub-000000.mcap", "hub.db",
        "hub-000001.mcap%00", "hub-000001.mcap%0A", "%5C..%5Csecret.mcap",
    ],
)  # fmt: skip
async def test_no_other_file_can_be_had(edge: Edge, traces: Path, name: str) -> None:
    got = await edge.http.get(f"/traces/{name}")
    assert got.status_code == 404
    assert b"secret" not in got.content


async def test_what_is_written_while_it_is_handed_out_comes_next_time(traces: Path) -> None:
    opened = TraceFolder(traces).open("hub-000001.mcap")
    assert opened is not None
    size, pieces = opened
    with (traces / "hub-000001.mcap").open("ab") as file:
        file.write(b"more")
    assert size == len(CONTENT)
    assert b"".join(pieces) == CONTENT


def test_a_hub_that_writes_no_traces_has_none(tmp_path: Path) -> None:
    for folder in (TraceFolder(), TraceFolder(tmp_path / "nowhere")):
        assert folder.files() == []
        assert folder.open("hub-000001.mcap") is None


@pytest.mark.parametrize("path", ["/logs", "/traces", "/traces/hub-000001.mcap"])
@pytest.mark.parametrize("scope", [Scope.CLIENT, Scope.OBSERVER])
async def test_only_administrators_may(edge: Edge, traces: Path, path: str, scope: Scope) -> None:
    caller = bearer(tokens.create(edge.db, tokens.ANY_ROBOT, "caller", scope=scope))
    assert (await edge.http.get(path, headers=caller)).status_code == 403
    assert (await edge.http.get(path)).status_code == 401
    boss = bearer(tokens.create(edge.db, tokens.ANY_ROBOT, "boss", scope=Scope.ADMIN))
    assert (await edge.http.get(path, headers=boss)).status_code == 200

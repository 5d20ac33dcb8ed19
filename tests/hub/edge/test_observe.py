"""``/observe`` over real sockets: who may look, what they are told, and that nobody waits for them."""

import asyncio
import json
import socket
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect

from hub.session.eyes import Picture
from hub.store import tokens
from hub.store.tokens import Scope
from hub.trace.entries import Fact
from protocols.messages.face import Conversation, FaceChanged
from protocols.messages.transcript import TranscriptFinal
from protocols.messages.turn import Outcome, TurnEnded
from protocols.messages.vision import CameraFrame
from protocols.topics import topic_name
from tests.fakes.views import FakeViews, a_view
from tests.hub.edge.conftest import Edge, drained
from tests.hub.edge.test_auth import bearer

AT_ONCE, ROUNDS = 200, 8
LONG = "and so on " * 150
"""One round of it is more than all buffers between the hub and a page hold, all rounds more than
may wait."""


def show(edge: Edge, body: FaceChanged | TranscriptFinal | TurnEnded, n: int = 1) -> None:
    assert edge.services is not None
    topic = topic_name(type(body))
    edge.services.observatory.show(Fact(n=n, t_ns=n, topic=topic, body=body, robot="r1"))


async def told(page: ClientConnection) -> dict[str, Any]:
    async with asyncio.timeout(5):
        message: dict[str, Any] = json.loads(await page.recv())
        return message


async def test_a_page_is_told_what_happens(edge: Edge) -> None:
    async with connect(edge.ws("/observe?robot=r1")) as page:
        hello = await told(page)
        assert (hello["type"], hello["robot"], hello["words"]) == ("hello", "r1", True)
        show(edge, TranscriptFinal(utterance=1, text="hello"))
        show(edge, FaceChanged(conversation=Conversation.LISTENING))
        batch = await told(page)
        assert batch["happenings"][0]["body"]["text"] == "hello"
        assert batch["states"][0]["body"]["conversation"] == "listening"
        assert batch["dropped"] == 0


async def test_where_things_stand_is_told_at_once(edge: Edge) -> None:
    assert edge.services is not None
    state = FaceChanged(conversation=Conversation.THINKING)
    edge.services.observatory.keep(Fact(n=1, t_ns=1, topic="face.changed", body=state, robot="r1"))
    async with connect(edge.ws("/observe")) as page:
        await told(page)
        assert (await told(page))["states"][0]["body"]["conversation"] == "thinking"


async def test_what_a_page_says_means_nothing(edge: Edge) -> None:
    async with connect(edge.ws("/observe")) as page:
        await told(page)
        for nonsense in ('{"type":"cancel"}', "no json", b"\x00\xff"):
            await page.send(nonsense)
        show(edge, TurnEnded(outcome=Outcome.DONE))
        assert (await told(page))["happenings"][0]["topic"] == "turn.ended"


@pytest.mark.parametrize(
    ("scope", "words"), [(Scope.OBSERVER, False), (Scope.CLIENT, False), (Scope.ADMIN, True)]
)
async def test_a_token_says_whether_its_holder_may_hear(
    edge: Edge, scope: Scope, words: bool
) -> None:
    token = tokens.create(edge.db, tokens.ANY_ROBOT, "page", scope=scope)
    ticket = (await edge.http.post("/tickets", headers=bearer(token))).json()["ticket"]
    async with connect(edge.ws(f"/observe?robot=r1&ticket={ticket}")) as page:
        assert (await told(page))["words"] is words
        show(edge, TranscriptFinal(utterance=1, text="hello"))
        said = (await told(page))["happenings"][0]["body"]["text"]
        assert said == ("hello" if words else "")


async def test_robots_and_strangers_may_not_look(edge: Edge) -> None:
    token = tokens.create(edge.db, "r1", "robot", scope=Scope.ROBOT)
    async with connect(edge.ws("/observe"), additional_headers=bearer(token)) as page:
        assert (await drained(page))[0] == 4003
    async with connect(edge.ws("/observe")) as page:
        assert (await drained(page))[0] == 4003


async def test_a_name_that_is_no_robot_s_is_refused(edge: Edge) -> None:
    async with connect(edge.ws("/observe?robot=%3Cscript%3E")) as page:
        assert (await drained(page))[0] == 4400


async def test_a_page_that_does_not_read_delays_nobody_and_is_told_what_it_missed(
    edge: Edge,
) -> None:
    """The hub goes on at full speed, keeps no more than it may, and counts the rest."""
    with socket.socket() as raw:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        raw.setblocking(False)
        await asyncio.get_running_loop().sock_connect(raw, ("127.0.0.1", edge.port))
        async with (
            connect(edge.ws("/observe"), sock=raw, max_queue=1, ping_interval=None) as stuck,
            connect(edge.ws("/observe?robot=r1"), max_queue=None) as reads,
        ):
            await told(reads)
            stuck.transport.pause_reading()
            lost = 0
            for last in range(AT_ONCE, AT_ONCE * ROUNDS + 1, AT_ONCE):
                for n in range(last - AT_ONCE, last):
                    show(edge, TurnEnded(outcome=Outcome.DONE, response_text=LONG), n + 1)
                lost = await _read_up_to(reads, last)
            assert lost == 0
            stuck.transport.resume_reading()
            assert await _dropped(stuck) > AT_ONCE


async def _read_up_to(page: ClientConnection, last: int) -> int:
    """Read until happening ``last`` has come; how many never came."""
    while True:
        batch = await told(page)
        if batch["happenings"] and batch["happenings"][-1]["n"] == last:
            dropped: int = batch["dropped"]
            return dropped


async def _dropped(page: ClientConnection) -> int:
    while True:
        if dropped := (await told(page)).get("dropped", 0):
            return int(dropped)


async def test_a_page_that_leaves_is_forgotten(edge: Edge) -> None:
    assert edge.services is not None
    observatory = edge.services.observatory
    async with connect(edge.ws("/observe")) as page:
        await told(page)
        assert observatory.watching == 1
    async with asyncio.timeout(5):
        while observatory.watching:
            await edge.http.get("/livez")


async def test_a_camera_is_looked_through_by_who_may_hear(edge: Edge) -> None:
    assert edge.services is not None
    views = FakeViews()
    frame = CameraFrame(width=1, height=1)
    taken_ns = edge.services.clock_ns()
    views.put(a_view("r1", picture=Picture(frame, b"\xff\xd8jpeg", taken_ns)))
    edge.services.observatory.showing(views, lambda robot: True)
    shown = await edge.http.get("/observe/r1/camera")
    assert (shown.content, shown.headers["content-type"]) == (b"\xff\xd8jpeg", "image/jpeg")
    assert shown.headers["cache-control"] == "no-store"
    assert int(shown.headers["x-picture-age-ms"]) >= 0
    assert (await edge.http.get("/observe/r2/camera")).status_code == 204
    for scope, status in ((Scope.OBSERVER, 403), (Scope.CLIENT, 403), (Scope.ADMIN, 200)):
        token = tokens.create(edge.db, tokens.ANY_ROBOT, "page", scope=scope)
        answer = await edge.http.get("/observe/r1/camera", headers=bearer(token))
        assert answer.status_code == status

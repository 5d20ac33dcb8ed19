"""``/robots/{robot_id}/attention``: who may choose how a robot listens, and what is answered."""

import pytest

from hub.store import tokens
from hub.store.tokens import Scope
from tests.hub.edge.conftest import Edge
from tests.hub.edge.test_auth import bearer
from tests.hub.edge.test_face_ws import robot_on

WHERE = "/robots/r1/attention"


async def test_a_robot_s_attention_is_read_and_chosen(edge: Edge) -> None:
    async with robot_on(edge):
        before = await edge.http.get(WHERE)
        assert before.json() == {
            "robot_id": "r1", "attention": "open", "mute": "off", "hearing": True, "unaddressed": 0,
        }  # fmt: skip
        chosen = await edge.http.put(WHERE, json={"attention": "wake_word"})
        assert (chosen.status_code, chosen.json()["attention"]) == (200, "wake_word")
        muted = await edge.http.put(WHERE, json={"muted": True})
        assert (muted.json()["mute"], muted.json()["hearing"]) == ("software", False)
        assert (await edge.http.get(WHERE)).json() == muted.json()


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/robots/nobody/attention", {"muted": True}, 404),
        ("/robots/r%201/attention", {"muted": True}, 400),
        (WHERE, {"attention": "loud"}, 422),
        (WHERE, {"muted": "maybe"}, 422),
    ],
)
async def test_what_makes_no_sense_is_refused(
    edge: Edge, path: str, body: dict[str, object], status: int
) -> None:
    async with robot_on(edge):
        assert (await edge.http.put(path, json=body)).status_code == status


async def test_a_robot_s_token_is_for_that_robot_and_an_observer_s_for_none(edge: Edge) -> None:
    async with robot_on(edge):
        other = bearer(tokens.create(edge.db, "r2", "other", scope=Scope.ROBOT))
        observer = bearer(tokens.create(edge.db, tokens.ANY_ROBOT, "eye", scope=Scope.OBSERVER))
        own = bearer(tokens.create(edge.db, "r1", "own", scope=Scope.ROBOT))
        answers = [
            (await edge.http.put(WHERE, json={"muted": True}, headers=who)).status_code
            for who in (other, observer, own)
        ]
        assert answers == [403, 403, 200]

"""What a plan lets a robot say passes the guard on its way out."""

from dataclasses import replace
from pathlib import Path

from hub.session.guard_replies import INSTEAD
from hub.session.guard_words import Category
from protocols.messages.job import PlanDone
from tests.hub.edge.conftest import FACTS, Edge, served
from tests.hub.edge.test_http import WORLD

PLAN = PlanDone(
    actions=(
        {"action": "say", "text": "I hate you."},
        {"action": "gesture", "name": "nod", "params": {}},
        {"action": "say", "text": "Hello!"},
    )
)


async def test_what_a_plan_says_passes_the_guard_and_is_counted(edge: Edge) -> None:
    edge.jobs.plan_result = PLAN
    actions = (await edge.http.post("/plan", json=WORLD)).json()["actions"]
    assert [a.get("text") for a in actions] == [INSTEAD[Category.UNKIND], None, "Hello!"]
    metrics = (await edge.http.get("/metrics")).text
    assert 'hub_events_total{name="guarded_spoken.unkind"} 1.0' in metrics
    assert "hate" not in metrics


async def test_in_its_quiet_hours_a_plan_lets_a_robot_say_nothing(edge: Edge) -> None:
    edge.jobs.plan_result = PLAN
    edge.quiet.add(str(WORLD["robot_id"]))
    actions = (await edge.http.post("/plan", json=WORLD)).json()["actions"]
    assert [a["action"] for a in actions] == ["gesture"]
    metrics = (await edge.http.get("/metrics")).text
    assert 'hub_events_total{name="quiet_hours.unsaid"} 2.0' in metrics


async def test_a_hub_without_a_guard_leaves_plans_as_they_are(tmp_path: Path) -> None:
    async with served(tmp_path, replace(FACTS, guard=False)) as edge:
        edge.jobs.plan_result = PLAN
        actions = (await edge.http.post("/plan", json=WORLD)).json()["actions"]
    assert actions[0]["text"] == "I hate you."

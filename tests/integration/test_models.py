"""Models that change while robots are being answered, over real sockets."""

import asyncio
import json
from pathlib import Path

from agents.planner.backends.base import Planner
from agents.planner.backends.scripted import Script, ScriptedPlanner
from agents.runtime.slot import EngineSlot, SlotOptions
from protocols.messages.model import LoadState, ModelState
from protocols.messages.robot import TurnEnd
from protocols.messages.turn import Outcome
from robot_sim.speaker import Cue
from tests.fakes.engines import slot_of
from tests.integration.stack import running

PATIENT_MS = 10_000
"""No turn is stood in for because this machine is slow."""


def answer(intent: str, text: str) -> str:
    return json.dumps({"emotion": "happy", "intensity": 0.5, "intent": intent, "text": text})


class Held:
    """Makes planners whose first answer stops in its middle until ``go_on`` is set."""

    def __init__(self) -> None:
        self.go_on = asyncio.Event()
        self.made: list[ScriptedPlanner] = []

    def planner(self, model: str) -> Planner:
        whole = answer(model or "old", "This is the beginning. And this is the end.")
        middle = whole.index("And")
        pauses = iter((0.0, 1.0))

        async def sleep(_: float) -> None:
            if next(pauses) and not model:
                await self.go_on.wait()

        script = Script((whole[:middle], whole[middle:]), pause_s=1.0)
        made = ScriptedPlanner([script], sleep=sleep, model=model)
        self.made.append(made)
        return made


async def test_a_switch_drops_no_turn_and_the_next_one_is_the_new_models(tmp_path: Path) -> None:
    held = Held()
    slot: EngineSlot[Planner] = slot_of(held.planner)
    patient = running(tmp_path, planner=slot, hub_planner_deadline_ms=PATIENT_MS)
    async with patient as hub, hub.robot() as robot, hub.http() as http:
        hub.observe(ModelState)
        robot.write("tell me something")
        await robot.next(Cue)
        loaded = await http.post("/models/load", json={"kind": "planner", "model": "new"})
        assert json.loads(loaded.text.splitlines()[-1]) == {"status": "done"}
        await hub.fact(ModelState, lambda s: (s.state, s.model) == (LoadState.READY, "new"))
        held.go_on.set()
        first = await robot.next(TurnEnd)
        robot.write("and now")
        second = await robot.next(TurnEnd)
        agents = (await http.get("/status")).json()["agents"]

    assert (first.outcome, first.intent, first.responder) == (Outcome.DONE, "old", "primary")
    assert first.heard_text == "This is the beginning. And this is the end."
    assert (second.outcome, second.intent, second.responder) == (Outcome.DONE, "new", "primary")
    assert [planner.opened for planner in held.made] == [1, 1]
    assert agents["planner-primary"]["model"] == "new"
    assert agents["planner-primary"]["memory_mib"] > 0


async def test_while_a_model_loads_for_its_first_turn_the_reflex_planner_answers(
    tmp_path: Path,
) -> None:
    ready = asyncio.Event()

    class Slow(ScriptedPlanner):
        async def start(self) -> None:
            await ready.wait()

    slot: EngineSlot[Planner] = slot_of(lambda model: Slow(), SlotOptions(warm_up=False))
    impatient = running(tmp_path, planner=slot, hub_planner_deadline_ms=1_000)
    async with impatient as hub, hub.robot() as robot:
        robot.write("hello")
        meanwhile = await robot.next(TurnEnd)
        hub.observe(ModelState)
        ready.set()
        await hub.fact(ModelState, lambda s: s.state is LoadState.READY)
        robot.write("hello again")
        then = await robot.next(TurnEnd)

    assert (meanwhile.outcome, meanwhile.responder) == (Outcome.DONE, "reflex")
    assert (then.outcome, then.responder) == (Outcome.DONE, "primary")


async def test_an_unloaded_model_comes_back_for_the_next_turn(tmp_path: Path) -> None:
    slot: EngineSlot[Planner] = slot_of(lambda model: ScriptedPlanner(model=model))
    patient = running(tmp_path, planner=slot, hub_planner_deadline_ms=PATIENT_MS)
    async with patient as hub, hub.robot() as robot, hub.http() as http:
        await http.post("/models/unload", json={"kind": "planner"})
        assert slot.engines == ()
        unloaded = (await http.get("/status")).json()["agents"]["planner-primary"]
        robot.write("hello")
        end = await robot.next(TurnEnd)

    assert (unloaded["state"], unloaded["model_state"]) == ("ready", "unloaded")
    assert (end.outcome, end.responder) == (Outcome.DONE, "primary")


async def test_a_load_that_fails_leaves_the_model_that_serves(tmp_path: Path) -> None:
    slot: EngineSlot[Planner] = slot_of(lambda model: ScriptedPlanner(model=model))
    patient = running(tmp_path, planner=slot, hub_planner_deadline_ms=PATIENT_MS)
    async with patient as hub, hub.robot() as robot, hub.http() as http:
        failed = await http.post("/models/load", json={"kind": "planner", "model": "!x"})
        without = await http.post("/models/load", json={"kind": "tts", "model": "x"})
        robot.write("hello")
        end = await robot.next(TurnEnd)

    assert json.loads(failed.text.splitlines()[-1]) == {
        "status": "failed", "code": "backend_unavailable", "detail": "!x is scripted to fail",
    }  # fmt: skip
    assert (without.status_code, without.json()["error"]) == (404, "no_models")
    assert (end.outcome, end.responder) == (Outcome.DONE, "primary")

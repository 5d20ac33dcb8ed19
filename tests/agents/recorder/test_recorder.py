"""The recorder puts batches on tape, one trace for each run of a hub."""

import asyncio
from pathlib import Path

import msgspec

from agents.recorder.agent import Recorder
from agents.recorder.backends.scripted import ScriptedTape
from agents.recorder.engines import chosen
from agents.recorder.settings import RecorderSettings
from agents.runtime.life import Agent, AgentProcess, hello_of
from hub.broker.inproc import InprocBroker
from protocols.envelope import Envelope
from protocols.messages.agent import AgentHeartbeat, AgentKind
from protocols.messages.trace import TRACE_VERSION, TraceBatch, join_entries, split_entries
from tests.virtual_time import clock_ns, until, virtual


def entry(n: int, kind: str = "depth") -> bytes:
    return msgspec.msgpack.encode({"type": kind, "n": n, "t_ns": n})


def batch(boot: int = 1, trace: int = TRACE_VERSION) -> Envelope[TraceBatch]:
    body = TraceBatch(boot=boot, hub_id="hub-1", version="0", trace=trace)
    return Envelope(body=body)


def numbers(tape: ScriptedTape) -> list[int]:
    return [one["n"] for one in tape.entries]


def test_a_batch_is_split_as_it_was_joined() -> None:
    entries = [entry(1), entry(2)]
    assert [one["n"] for one in split_entries(join_entries(entries))] == [1, 2]


def test_each_run_of_a_hub_gets_a_tape_of_its_own() -> None:
    tape = ScriptedTape()
    recorder = Recorder(tape)
    recorder.handle(batch(1), join_entries([entry(1), entry(2)]))
    recorder.handle(batch(1), join_entries([entry(3)]))
    recorder.handle(batch(2), join_entries([entry(1)]))
    assert [begun.boot for begun in tape.begun] == [1, 2]
    assert numbers(tape) == [1, 2, 3, 1]


def test_a_full_tape_is_given_up_and_counted_until_the_next_run() -> None:
    tape = ScriptedTape(room=3)
    recorder = Recorder(tape)
    recorder.handle(batch(1), join_entries([entry(1), entry(2)]))
    recorder.handle(batch(1), join_entries([entry(3), entry(4)]))
    recorder.handle(batch(1), join_entries([entry(5)]))
    assert numbers(tape) == [1, 2]
    assert recorder.counters == {"tapes.full": 1, "entries.no_room": 3}
    recorder.handle(batch(2), join_entries([entry(1)]))
    assert numbers(tape) == [1, 2, 1]


def test_what_is_no_batch_is_counted_and_ends_nothing() -> None:
    tape = ScriptedTape()
    recorder = Recorder(tape)
    recorder.handle(batch(), b"\xc1")
    recorder.handle(batch(), msgspec.msgpack.encode([1, 2]))
    recorder.handle(batch(trace=99), join_entries([entry(1)]))
    recorder.handle(batch(), join_entries([entry(1)]))
    assert recorder.counters == {"batches.malformed": 2, "batches.unknown_version": 1}
    assert numbers(tape) == [1]


def test_a_tape_is_chosen_by_name() -> None:
    for name in ("mcap", "scripted"):
        settings = RecorderSettings(bus_dir=Path("/nowhere"), backend=name)
        assert chosen(settings).name == name


@virtual
async def test_a_recorder_hears_all_from_its_first_moment_and_says_when_it_cannot_go_on() -> None:
    broker = InprocBroker(clock_ns)
    hub = broker.hub_bus()
    await hub.open()
    tape = ScriptedTape(room=1)
    agent = Agent(tape, (Recorder(tape),), capacity=1)
    hello = hello_of(AgentKind.RECORDER, "primary", agent, 1)
    assert hello.consumes == ("trace.batch",)
    process = AgentProcess(broker.agent_bus("recorder", hello), agent, clock=clock_ns)
    beats: list[AgentHeartbeat] = []
    hub.subscribe(AgentHeartbeat, lambda e, _: beats.append(e.body))  # type: ignore[arg-type]
    hub.on_peers(
        lambda name, hello: hub.publish(batch(), join_entries([entry(1)])), lambda *_: None
    )
    async with asyncio.TaskGroup() as tasks:
        life = tasks.create_task(process.run())
        await until(lambda: tape.entries)
        hub.publish(batch(), join_entries([entry(2)]))
        await until(lambda: beats and beats[-1].drops.get("recorder.tapes.full") == 1)
        process.drain("enough")
        await asyncio.wait([life])
    assert numbers(tape) == [1]

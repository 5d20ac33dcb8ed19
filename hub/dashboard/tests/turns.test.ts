import assert from "node:assert/strict";
import { test } from "node:test";
import { causesOf, effectsOf } from "../src/causes.ts";
import { KEPT_EVENTS, Model } from "../src/turns.ts";
import type { Body, Entry, Hello } from "../src/wire.ts";

let n = 0;

function fact(topic: string, body: Body, more: Partial<Entry> = {}): Entry {
  n += 1;
  return { type: "fact", n, t_ns: n * 1e6, topic, body, robot: "r1", ...more };
}

const HELLO: Hello = {
  type: "hello", hub_id: "h", boot: 1, version: "1", robot: "r1", words: true, recording: false, bench: false,
  now_ns: 1, robots: ["r1"], recent: [],
};

function said(model: Model): Model {
  model.take(fact("turn.started", { user_text: "hello", priority: "user" }, { turn: 4 }));
  model.take(fact("response.delta", { text: "Good " }, { turn: 4 }));
  model.take(fact("response.delta", { text: "morning." }, { turn: 4 }));
  return model;
}

test("a turn grows by what is generated, heard and told of its end", () => {
  const model = said(new Model());
  model.take(fact("speech.played", { played_ms: 300, heard_text: "Good" }, { turn: 4 }));
  const turn = model.robot("r1").turn(4)!;
  assert.equal(turn.response, "Good morning.");
  assert.equal(turn.heard, "Good");
  model.take(fact("turn.ended", { outcome: "interrupted", heard_text: "Good", segments: [{ name: "transcript", ms: 12 }] }, { turn: 4 }));
  assert.equal(turn.outcome, "interrupted");
  assert.deepEqual(turn.segments, [{ name: "transcript", ms: 12 }]);
  model.take(fact("response.delta", { text: " late" }, { turn: 4 }));
  assert.equal(turn.response, "Good morning.");
});

test("an action that is flushed has no other fate, and one that is answered has its own", () => {
  const model = new Model();
  const told = (body: Body): void => model.take({ type: "told", n: (n += 1), t_ns: n, robot: "r1", body });
  told({ type: "action", id: "a", turn: 2, action: "skill", name: "greet", ttl_ms: 900 });
  told({ type: "action", id: "b", turn: 3, action: "skill", name: "spin" });
  model.take(fact("action.requested", { id: "a", action: "skill", name: "greet" }, { turn: 2 }));
  told({ type: "flush", epoch: 1, turn: 2 });
  model.take(fact("action.done", { id: "b", ok: false, detail: "no wheels" }));
  assert.deepEqual(
    model.robot("r1").actions.map(({ id, fate, ttlMs, detail }) => [id, fate, ttlMs, detail]),
    [["a", "flushed", 900, ""], ["b", "refused", 2000, "no wheels"]],
  );
});

test("agents that are ready are not missing, and before anything is told none is", () => {
  const model = new Model();
  assert.deepEqual(model.missing, []);
  model.informed = true;
  const health = (kind: string, state: string): Entry => ({
    type: "fact", n: 1, t_ns: 1, topic: "agent.health", session: `${kind}-primary`, body: { kind, state },
  });
  for (const kind of ["ears", "stt", "planner", "tts"]) model.take(health(kind, "ready"));
  assert.deepEqual(model.missing, []);
  model.take(health("tts", "lost"));
  assert.deepEqual(model.missing, ["tts"]);
});

test("causes are found back to the first, effects one step on", () => {
  const events = [
    { type: "fact", n: 1, t_ns: 1, topic: "transcript.final" },
    { type: "command", n: 2, t_ns: 2, topic: "turn.start", by: 1, id: 77 },
    { type: "fact", n: 3, t_ns: 3, topic: "response.meta", cause: 77 },
    { type: "told", n: 4, t_ns: 4, by: 3 },
    { type: "told", n: 5, t_ns: 5, by: 99 },
  ] satisfies Entry[];
  assert.deepEqual(causesOf(events, events[3]!).map((each) => each.n), [1, 2, 3]);
  assert.deepEqual(effectsOf(events, events[0]!).map((each) => each.n), [2]);
  assert.deepEqual(causesOf(events, events[4]!), []);
});

test("what is known stays bounded", () => {
  const model = new Model();
  for (let each = 0; each < KEPT_EVENTS + 500; each += 1) model.take(fact("voice.started", { utterance: each }));
  assert.equal(model.robot("r1").events.length, KEPT_EVENTS);
});

test("what happened before is recalled once, and its words are known to be hidden", () => {
  const model = new Model();
  const recent = [{ robot: "r1", type: "turn.ended", payload: { outcome: "done", turn: 9 }, t_mono_ms: 5, seq: 3 }];
  model.greet({ ...HELLO, recent });
  model.greet({ ...HELLO, recent });
  const robot = model.robot("r1");
  assert.equal(robot.events.length, 1);
  assert.equal(robot.turn(9)?.wordsHidden, true);
});

test("a connection that comes back keeps what was heard", () => {
  const model = said(new Model());
  model.greet({ ...HELLO, robots: [] });
  assert.equal(model.robot("r1").turn(4)?.response, "Good morning.");
  assert.equal(model.robot("r1").connected, false);
});

test("names of JavaScript's own are names like others", () => {
  const model = new Model();
  model.take(fact("constructor", {}, { robot: "__proto__" }));
  model.take(fact("toString", {}, { robot: "constructor" }));
  assert.equal(model.robots.get("__proto__")?.events.length, 1);
});

test("what is told of the past joins what is known, once and in its place", () => {
  const model = new Model();
  const happened = (seq: number, type: string, turn: number): Hello["recent"][number] =>
    ({ robot: "r1", type, payload: { turn, outcome: "done" }, t_mono_ms: seq, seq });
  model.greet({ ...HELLO, recent: [happened(40, "turn.ended", 2)] });
  model.take(fact("turn.started", { user_text: "again" }, { n: 60, turn: 3 }));
  model.greet({
    ...HELLO,
    recent: [happened(10, "robot.connected", 0), happened(20, "turn.ended", 1), happened(40, "turn.ended", 2)],
  });
  const robot = model.robot("r1");
  assert.deepEqual(robot.events.map((event) => event.n), [10, 20, 40, 60]);
  assert.deepEqual(robot.turns.map((turn) => turn.number), [1, 2, 3]);
  assert.equal(robot.turn(3)?.user, "again");
});

test("of a queue the newest depth is known", () => {
  const model = new Model();
  model.take({ type: "depth", n: 1, t_ns: 5, queue: "speech", owner: "r1", depth: 3, bound: 8 });
  model.take({ type: "depth", n: 2, t_ns: 6, queue: "speech", owner: "r1", depth: 4, bound: 8 });
  assert.deepEqual([...model.depths.values()], [{ queue: "speech", owner: "r1", depth: 4, bound: 8, t_ns: 6 }]);
  assert.equal(model.robots.size, 0);
});

test("how a robot listens is what the hub says of it", () => {
  const model = new Model();
  model.take(fact("attention.changed", { attention: "wake_word", mute: "software", hearing: false, unaddressed: 2 }));
  model.take(fact("robot.presence", { connected: true, attention: "open" }));
  const robot = model.robot("r1");
  assert.deepEqual([robot.attention, robot.mute, robot.takes, robot.unaddressed], ["wake_word", "software", false, 2]);
});

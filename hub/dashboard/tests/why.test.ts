import assert from "node:assert/strict";
import { test } from "node:test";
import { heardOf } from "../src/heard.ts";
import type { Turn } from "../src/robot.ts";
import { segmentsOf, waterfall } from "../src/waterfall.ts";
import { standingOf, whyOf, type Standing } from "../src/why.ts";

function turn(more: Partial<Turn>): Turn {
  return {
    number: 1, began: 0, user: "hello", priority: "user", response: "Good morning.", heard: "Good morning.",
    wordsHidden: false, outcome: "done", code: "", responder: "primary", fallback: "", by: 0,
    playedMs: 900, segments: [], ...more,
  };
}

for (const [what, more, why] of [
  ["went well", {}, null],
  ["is under way", { outcome: "" }, null],
  ["was cut", { outcome: "interrupted", code: "barge_in", heard: "Good" }, "Cut after 1 word: the user spoke into it."],
  ["was cut by a stop word", { outcome: "interrupted", code: "stop_word", heard: "Good morning" }, "Cut after 2 words: the user said stop."],
  ["was stopped", { outcome: "cancelled", code: "client", heard: "" }, "Stopped before a word was heard: a button was pressed, or a program said so."],
  ["was reopened", { outcome: "reopened", by: 5 }, "Not answered: the user went on speaking, and turn 5 has all of it."],
  ["failed", { outcome: "failed", code: "tts_down", heard: "" }, "Failed before a word was heard: the process that speaks is down."],
  ["failed by something new", { outcome: "failed", code: "new_thing", heard: "" }, "Failed before a word was heard: new thing."],
  ["was silent", { heard: "", playedMs: 0, code: "" }, "Silent: there was an answer, but nothing of it was played."],
  ["had no words", { heard: "", playedMs: 0, response: "" }, "Silent: the answer had no words."],
  ["is not told", { heard: "", playedMs: 0, response: "", wordsHidden: true }, null],
  ["was slow", { segments: [{ name: "transcript", ms: 400 }, { name: "first_token", ms: 1600 }] }, "Slow: 1.6 s of 2.0 s went by until first word thought."],
  ["was answered by another", { fallback: "llm_timeout", responder: "reflex" }, "Reflex answered instead: the model had not begun to answer in time."],
] satisfies [string, Partial<Turn>, string | null][]) {
  test(`why a turn that ${what}`, () => assert.equal(whyOf(turn(more)), why));
}

test("why a robot says nothing", () => {
  const robot: Standing = {
    connected: true, attention: "open", mute: "off", awake: false, held: false, hearing: false, conversation: "idle", missing: [],
  };
  assert.equal(standingOf(robot), "It listens, and nobody speaks.");
  assert.equal(standingOf({ ...robot, mute: "software" }), "It is muted, and hears nothing.");
  assert.equal(standingOf({ ...robot, mute: "hardware" }), "The switch of its microphone is off: it hears nothing.");
  assert.equal(standingOf({ ...robot, attention: "wake_word" }), "It waits for its wake word.");
  assert.equal(standingOf({ ...robot, attention: "wake_word", awake: true }), "It was called, and listens.");
  assert.equal(standingOf({ ...robot, attention: "push_to_talk" }), "It waits for its button.");
  assert.equal(standingOf({ ...robot, missing: ["tts"] }), "It cannot answer by voice: no tts is ready.");
  assert.equal(standingOf({ ...robot, connected: false }), "It is not connected.");
});

test("segments stand end to end and add up; what is none is left out", () => {
  const segments = segmentsOf([{ name: "a", ms: 10 }, { name: "b", ms: 2.5 }, null, { name: "c", ms: "x" }, { name: "d", ms: -1 }]);
  const { bars, totalMs } = waterfall(segments);
  assert.deepEqual(bars.map((bar) => bar.startMs), [0, 10]);
  assert.equal(totalMs, 12.5);
});

test("what was heard is a beginning of what was generated, white space aside", () => {
  assert.deepEqual(heardOf("One two\n three.", "One two three"), ["One two\n three", "."]);
  assert.deepEqual(heardOf("One two", ""), ["", "One two"]);
  assert.deepEqual(heardOf("One two", "Sorry"), ["Sorry", ""]);
});

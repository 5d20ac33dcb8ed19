import assert from "node:assert/strict";
import { test } from "node:test";
import { screenOf, type Condition } from "../src/screens.ts";
import { GESTURES, gestureAt } from "../src/gestures.ts";
import { moodsOf } from "../src/moods.ts";
import { Wave } from "../src/waves.ts";
import { dragged, laneOf, nearest, scaled, shifted, spanOf } from "../src/zoom.ts";
import type { Entry } from "../src/wire.ts";

const WELL: Condition = { connected: true, closed: 0, mode: "IDLE", faults: 0, batteryPct: 80, charging: false };

for (const [more, screen] of [
  [{}, "none"],
  [{ batteryPct: 10 }, "low_battery"],
  [{ batteryPct: 0, charging: true }, "none"],
  [{ batteryPct: -1 }, "none"],
  [{ batteryPct: 5, faults: 1 }, "error"],
  [{ mode: "ERROR" }, "error"],
  [{ mode: "BOOT" }, "booting"],
  [{ mode: "UPDATING", faults: 2 }, "updating"],
  [{ mode: "OTA_FLASH" }, "updating"],
  [{ mode: "SHUTTING_DOWN" }, "shutting_down"],
  [{ mode: "E-STOP" }, "error"],
  [{ mode: "ROTATING" }, "none"],
  [{ mode: "DEFAULT" }, "none"],
  [{ connected: false, closed: 4010 }, "shutting_down"],
  [{ connected: false, closed: 1006, batteryPct: 3 }, "none"],
] satisfies [Partial<Condition>, string][]) {
  test(`the screen of ${JSON.stringify(more)}`, () => assert.equal(screenOf({ ...WELL, ...more }), screen));
}

test("steps follow each other, whatever moment their batch comes at", () => {
  const wave = new Wave();
  wave.push([1, 2, 3], 1060);
  wave.push([4, 5], 1115); // 15 ms late
  assert.deepEqual(wave.last(5, 1100), [1, 2, 3, 4, 5]);
  assert.deepEqual(wave.last(3, 1060), [1, 2, 3]);
  assert.deepEqual(wave.last(4, 1140), [4, 5, 0, 0]);
});

test("a pause is silence, and a long one forgets what was before", () => {
  const wave = new Wave();
  wave.push([7], 1020);
  wave.push([9], 1240);
  assert.deepEqual(wave.last(12, 1240), [7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9]);
  wave.push([8], 99_000);
  assert.deepEqual(wave.last(3, 99_000), [0, 0, 8]);
  for (let at = 0; at < 50; at += 1) wave.push(new Array<number>(50).fill(1), 99_000 + (at + 1) * 1000);
  assert.equal(wave.last(600, 149_000).filter((step) => step === 1).length, 600);
});

function event(n: number, ms: number, more: Partial<Entry> = {}): Entry {
  return { type: "fact", n, t_ns: ms * 1e6, topic: "turn.started", ...more };
}

test("what is dragged over becomes the span, and a click does not", () => {
  const span = { from: 1000e6, to: 2000e6 };
  assert.deepEqual(dragged(span, 0.75, 0.25), { from: 1250e6, to: 1750e6 });
  assert.deepEqual(dragged(span, -1, 2), span);
  assert.equal(dragged(span, 0.5, 0.505), null);
});

test("closer, wider, earlier and later stay within what there is", () => {
  const whole = spanOf([event(1, 0), event(2, 8000)]);
  const half = scaled(whole, 0.5, whole);
  assert.deepEqual(half, { from: 2000e6, to: 6000e6 });
  assert.deepEqual(shifted(half, 2, whole), { from: 4000e6, to: 8000e6 });
  assert.deepEqual(shifted(half, -2, whole), { from: 0, to: 4000e6 });
  assert.deepEqual(scaled(half, 99, whole), whole);
  assert.deepEqual(spanOf([]), { from: 0, to: 1e9 });
});

test("a click finds the nearest event of its lane", () => {
  const events = [event(1, 0), event(2, 5000), event(3, 5000, { topic: "speech.played" }), event(4, 10_000)];
  const span = spanOf(events);
  assert.equal(nearest(events, span, 0.505, "turn")?.n, 2);
  assert.equal(nearest(events, span, 0.505, "voice")?.n, 3);
  assert.equal(nearest(events, span, 0.3, "turn"), undefined);
  assert.equal(laneOf(event(1, 0, { topic: "", type: "told" })), "wire");
  assert.equal(laneOf(event(1, 0, { topic: "new.thing" })), "other");
});

test("moods are stretches of the time that is shown", () => {
  const felt = (at: number, emotion: string) => ({ t_ns: at * 1e9, emotion, valence: 0, arousal: 0 });
  const feelings = [felt(10, "happy"), felt(50, "happy"), felt(70, "sad"), felt(70, "angry"), felt(90, "sad")];
  assert.deepEqual(moodsOf(feelings, 40, 100), [
    { emotion: "happy", from: 40, to: 70 }, { emotion: "angry", from: 70, to: 90 }, { emotion: "sad", from: 90, to: 100 },
  ]);
  assert.deepEqual(moodsOf([], 0, 60), []);
});

test("gestures are played one after the other, each as long as it lasts", () => {
  const names = ["blink", "nod", "heart"];
  assert.deepEqual(gestureAt(names, 90), ["blink", 0.5]);
  assert.deepEqual(gestureAt(names, 180 + 70), ["nod", 0.2]);
  assert.deepEqual(gestureAt(names, 180 + 350 + 1000), ["heart", 0.5]);
  assert.deepEqual(gestureAt(names, 2530), ["", 0]);
  assert.deepEqual(gestureAt(names, -5), ["", 0]);
  assert.deepEqual(gestureAt(["new one"], 250), ["new one", 0.5]);
  assert.equal(GESTURES.length, 13);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { askedMs, giveUp, Thread, waitMs } from "../src/talk/again.ts";
import { BadFrame, encodeMap, micFrame, readFrame } from "../src/talk/frames.ts";
import { Chunker, Speaker } from "../src/talk/speaker.ts";

const RATE = 16_000;

function sound(samples: number, value = 0.5): Float32Array {
  return new Float32Array(samples).fill(value);
}

function played(speaker: Speaker, samples: number): Float32Array {
  const out = new Float32Array(samples);
  speaker.pull(out);
  return out;
}

test("a microphone frame is what the wire's specification says", () => {
  const frame = micFrame(70_000, Int16Array.from([1, -2]), -1);
  const view = new DataView(frame.buffer);
  const length = view.getUint16(0, true);
  assert.equal(frame.length, 2 + length + 4);
  const { header, pcm } = readFrame(frame.buffer);
  assert.deepEqual(header, { type: "mic", first_sample: 70_000, playout_sample: -1 });
  assert.deepEqual([...pcm], [1, -2]);
});

test("what is no frame is refused", () => {
  assert.throws(() => readFrame(new ArrayBuffer(1)), BadFrame);
  assert.throws(() => readFrame(Uint8Array.from([9, 0, 0x81]).buffer), BadFrame);
  assert.throws(() => readFrame(Uint8Array.from([1, 0, 0xc0]).buffer), BadFrame);
  assert.throws(() => readFrame(Uint8Array.from([2, 0, 0x81, 0xa5]).buffer), BadFrame);
  assert.equal(encodeMap({ a: 1 })[0], 0x81);
});

test("the position is what has left the loudspeaker", () => {
  const speaker = new Speaker(RATE);
  speaker.push(3, 7, 0, sound(100));
  played(speaker, 64);
  assert.deepEqual(speaker.position, { epoch: 3, turn: 7, samples: 64, received: 100, underruns: 0 });
  played(speaker, 64);
  assert.deepEqual(speaker.position, { epoch: 3, turn: 7, samples: 100, received: 100, underruns: 1 });
});

test("the end of a response is no underrun", () => {
  const speaker = new Speaker(RATE);
  speaker.push(1, 1, 0, sound(100));
  speaker.finish(1, 100);
  const out = new Float32Array(128);
  assert.equal(speaker.pull(out), true);
  assert.equal(speaker.pull(out), false);
  assert.equal(speaker.position.underruns, 0);
});

test("a held voice keeps its place, and goes on at it", () => {
  const speaker = new Speaker(RATE);
  speaker.push(1, 1, 0, sound(200));
  played(speaker, 50);
  speaker.hold(1);
  assert.deepEqual([...new Set(played(speaker, 50))], [0]);
  assert.equal(speaker.position.samples, 50);
  speaker.release(1);
  assert.equal(played(speaker, 50)[10], 0.5);
  assert.equal(speaker.position.samples, 100);
});

test("a ducked voice is soft within 20 ms, without a jump", () => {
  const speaker = new Speaker(RATE);
  speaker.push(1, 1, 0, sound(2000, 1));
  speaker.duck(1, -20);
  const out = played(speaker, 400);
  assert.ok(Math.abs(out[399]! - 0.1) < 1e-3);
  for (let at = 1; at < out.length; at += 1) assert.ok(Math.abs(out[at]! - out[at - 1]!) < 0.01);
});

test("what was flushed is not played, nor what comes of it later", () => {
  const speaker = new Speaker(RATE);
  speaker.push(1, 4, 0, sound(200));
  played(speaker, 30);
  assert.deepEqual(speaker.flush(1, 4), { epoch: 1, turn: 4, samples: 30, received: 30, underruns: 0 });
  speaker.push(1, 4, 200, sound(200));
  assert.deepEqual([...new Set(played(speaker, 50))], [0]);
  speaker.push(1, 5, 0, sound(10));
  assert.equal(played(speaker, 10)[0], 0.5);
});

test("samples become chunks of one size, and stay in bounds", () => {
  const chunker = new Chunker(3);
  assert.deepEqual(chunker.push(Float32Array.from([0, 2])), []);
  const [chunk, ...rest] = chunker.push(Float32Array.from([-2, 0.5]));
  assert.deepEqual([...chunk!], [0, 32767, -32767]);
  assert.deepEqual(rest, []);
});

test("a robot that was never welcomed brings nothing back", () => {
  assert.deepEqual(new Thread().hello({ epoch: 1, turn: 2, samples: 3, received: 4, underruns: 0 }), {});
});

test("a robot brings back what it saw last and where its loudspeaker stood", () => {
  const thread = new Thread();
  assert.equal(thread.welcomed({ resume: "secret", boot: 7, order: 2, resumed: false }), false);
  assert.ok(thread.isNews({ type: "turn_begin", order: 3 }));
  assert.ok(!thread.isNews({ type: "turn_begin", order: 3 }));
  assert.ok(thread.isNews({ type: "duck" }));
  assert.deepEqual(thread.hello({ epoch: 1, turn: 5, samples: 30, received: 90, underruns: 1 }), {
    resume: "secret", boot: 7, order: 3, playing: { turn: 5, samples: 30, received: 90 },
  });
  assert.equal(thread.welcomed({ resume: "next", boot: 7, order: 9, resumed: true }), true);
  assert.ok(thread.isNews({ order: 4 }), "what was missed follows under its own number");
  thread.welcomed({ resume: "next", boot: 8, order: 20, resumed: true });
  assert.ok(!thread.isNews({ order: 20 }), "another run of the hub counts on from its own number");
  assert.deepEqual(thread.hello(null), { resume: "next", boot: 8, order: 20 });
});

test("a lost connection is tried again at once, then ever more slowly, and a refusal never", () => {
  assert.equal(waitMs(0, 1), 100);
  assert.equal(waitMs(3, 1), 1000);
  assert.equal(waitMs(20, 1), 8000);
  assert.equal(giveUp(1006), null);
  assert.equal(giveUp(4010), null);
  assert.equal(askedMs("duel 7"), 7000);
  assert.equal(askedMs("duel 9999"), 60_000);
  assert.equal(askedMs("half_open"), 0);
  assert.equal(giveUp(4001), "another connection is this robot now");
});

test("sound that comes again after a cut is played once", () => {
  const speaker = new Speaker(RATE);
  speaker.push(1, 1, 0, sound(100, 0.1));
  assert.equal(speaker.position.received, 100);
  speaker.push(2, 1, 60, sound(100, 0.2));
  const out = played(speaker, 160);
  assert.ok(Math.abs(out[99]! - 0.1) < 1e-6);
  assert.ok(Math.abs(out[100]! - 0.2) < 1e-6);
  assert.equal(speaker.position.samples, 160);
  speaker.push(2, 1, 0, sound(160));
  assert.ok(!speaker.playing);
});

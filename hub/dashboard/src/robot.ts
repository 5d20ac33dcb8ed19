/** One robot as the page knows it. */

import type { Segment } from "./waterfall.ts";
import { Wave } from "./waves.ts";
import type { Entry } from "./wire.ts";

export interface Turn {
  number: number;
  began: number;
  user: string;
  priority: string;
  /** What the model has said so far, and what of it was heard. */
  response: string;
  heard: string;
  /** No words were told: of an old turn, or to somebody who may not hear. */
  wordsHidden: boolean;
  outcome: string;
  code: string;
  responder: string;
  fallback: string;
  by: number;
  playedMs: number;
  segments: Segment[];
}

export interface Action {
  id: string;
  turn: number;
  action: string;
  name: string;
  ttlMs: number;
  askedNs: number;
  fate: "sent" | "done" | "refused" | "flushed";
  detail: string;
}

export interface Saying {
  utterance: number;
  text: string;
  stable: number;
  final: boolean;
}

export interface Feeling {
  t_ns: number;
  emotion: string;
  valence: number;
  arousal: number;
}

export interface Ball {
  x: number;
  y: number;
  radius: number;
  colour: string;
}

export class Robot {
  connected = false;
  client = "";
  aec = "";
  attention = "open";
  held = false;
  /** What keeps it from hearing anything: "off" is nothing. */
  mute = "off";
  /** What is said now would be taken. */
  takes = true;
  /** With a wake word: it was called, or has just answered. */
  awake = false;
  /** How often somebody spoke in its hearing and not to it. */
  unaddressed = 0;
  /** A voice is heard at this moment. */
  hearing = false;
  conversation = "idle";
  emotion = "neutral";
  intensity = 0.5;
  reason = "";
  talking = false;
  /** Loudness 0 to 255 of the newest sound, and when it was sent. */
  energy = 0;
  energyNs = 0;
  gestures: string[] = [];
  gestureNs = 0;
  ducked = false;
  batteryMv = 0;
  batteryPct = -1;
  charging = false;
  mode = "";
  faults = 0;
  /** Code that its last connection was closed with; 0 while it has one. */
  closed = 0;
  rttMs = 0;
  saying: Saying | null = null;
  lastDropped = "";
  turns: Turn[] = [];
  actions: Action[] = [];
  events: Entry[] = [];
  feelings: Feeling[] = [];
  /** How loud its microphone and its voice were; of a robot that is watched closely. */
  readonly mic = new Wave();
  readonly voice = new Wave();
  balls: { width: number; height: number; balls: Ball[] } | null = null;

  /** What is said is told: this token may hear. */
  words = true;

  constructor(readonly name: string) {}

  turn(number: number): Turn | undefined {
    return this.turns.find((turn) => turn.number === number);
  }

  /** How long the user waited the last time there was something to wait for. */
  get lastLatencyMs(): number | null {
    for (let at = this.turns.length - 1; at >= 0; at -= 1) {
      const turn = this.turns[at];
      if (turn !== undefined && turn.segments.length > 0) {
        return turn.segments.reduce((sum, segment) => sum + segment.ms, 0);
      }
    }
    return null;
  }
}

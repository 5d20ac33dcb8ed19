/** What the page knows of robots, turn by turn, from what the hub tells. Pure: no clock, no page. */

import { segmentsOf, type Segment } from "./waterfall.ts";
import { flag, names, number, text, type Body, type Entry, type Happening, type Hello } from "./wire.ts";

export const KEPT_TURNS = 50;
export const KEPT_EVENTS = 1000;
export const KEPT_FEELINGS = 300;

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
  hearing = false;
  conversation = "idle";
  emotion = "neutral";
  intensity = 0.5;
  reason = "";
  talking = false;
  /** Loudness 0 to 255 of the newest sound, and when it was sent. */
  energy = 0;
  energyNs = 0;
  gesture = "";
  gestureNs = 0;
  ducked = false;
  batteryMv = 0;
  rttMs = 0;
  saying: Saying | null = null;
  lastDropped = "";
  turns: Turn[] = [];
  actions: Action[] = [];
  events: Entry[] = [];
  feelings: Feeling[] = [];
  loudness: [number, number][] = [];
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

/** Everything that one page knows. `take` keeps it bounded. */
export class Model {
  readonly robots = new Map<string, Robot>();
  readonly agents = new Map<string, string>();
  nowNs = 0;
  /** The states of agents have been told. */
  informed = false;
  words = true;

  robot(name: string): Robot {
    let robot = this.robots.get(name);
    if (robot === undefined) {
      robot = new Robot(name);
      robot.words = this.words;
      this.robots.set(name, robot);
    }
    return robot;
  }

  /** What an agent kind is missing that a conversation by voice needs. */
  get missing(): string[] {
    if (!this.informed) return [];
    const ready = new Set(this.agents.values());
    return ["ears", "stt", "planner", "tts"].filter((kind) => !ready.has(kind));
  }

  take(entry: Entry): void {
    this.nowNs = Math.max(this.nowNs, entry.t_ns);
    if (entry.topic === "agent.health") this.health(entry);
    const name = entry.robot ?? "";
    if (name === "") return;
    const robot = this.robot(name);
    if (entry.type === "fact") applyFact(robot, entry);
    else applyOther(robot, entry);
  }

  /** A connection begins. What was known of this hub before stays known. */
  greet(hello: Hello): void {
    this.nowNs = hello.now_ns;
    this.informed = false;
    this.agents.clear();
    this.words = hello.words;
    for (const robot of this.robots.values()) robot.connected = hello.robots.includes(robot.name);
    for (const name of hello.robots) this.robot(name).connected = true;
    for (const event of hello.recent) this.recall(event.robot, event);
  }

  /** Something that happened before the page was there. */
  private recall(name: string, event: Happening): void {
    const t_ns = event.t_mono_ms * 1e6;
    const turn = typeof event.payload["turn"] === "number" ? event.payload["turn"] : 0;
    const robot = this.robot(name);
    const last = robot.events.at(-1);
    if (last !== undefined && last.n >= event.seq) return;
    const entry: Entry = { type: "fact", topic: event.type, n: event.seq, t_ns, turn, body: event.payload, robot: name };
    if (event.type.startsWith("robot.")) {
      keep(robot.events, entry, KEPT_EVENTS);
      return;
    }
    applyFact(robot, entry);
    const begun = robot.turn(turn);
    if (begun !== undefined && begun.response === "") begun.wordsHidden = true;
  }

  private health(entry: Entry): void {
    const instance = entry.session ?? "";
    if (text(entry.body, "state") === "ready") this.agents.set(instance, text(entry.body, "kind"));
    else this.agents.delete(instance);
  }
}

function keep<T>(list: T[], item: T, most: number): void {
  list.push(item);
  if (list.length > most) list.splice(0, list.length - most);
}

function turnOf(robot: Robot, entry: Entry): Turn | null {
  const number = entry.turn ?? 0;
  if (number === 0) return null;
  let turn = robot.turn(number);
  if (turn === undefined) {
    turn = {
      number, began: entry.t_ns, user: "", priority: "", response: "", heard: "",
      wordsHidden: !robot.words, outcome: "", code: "", responder: "", fallback: "", by: 0, playedMs: 0,
      segments: [],
    };
    keep(robot.turns, turn, KEPT_TURNS);
    robot.turns.sort((a, b) => a.number - b.number);
  }
  return turn;
}

type Apply = (robot: Robot, body: Body, entry: Entry) => void;

const FACTS: Record<string, Apply> = {
  "robot.presence": (robot, body) => {
    robot.connected = flag(body, "connected");
    robot.client = text(body, "client") || robot.client;
    robot.aec = text(body, "aec") || "none";
    robot.attention = text(body, "attention") || "open";
    if (!robot.connected) robot.hearing = false;
  },
  "face.changed": (robot, body) => {
    robot.conversation = text(body, "conversation") || "idle";
    robot.emotion = text(body, "emotion") || "neutral";
    robot.intensity = number(body, "intensity", 0.5);
    robot.talking = flag(body, "talking");
  },
  "affect.changed": (robot, body, entry) => {
    robot.emotion = text(body, "emotion") || robot.emotion;
    robot.intensity = number(body, "intensity", robot.intensity);
    robot.reason = text(body, "reason");
    feel(robot, body, entry);
  },
  "affect.state": (robot, body, entry) => feel(robot, body, entry),
  "gesture.played": (robot, body, entry) => {
    robot.gesture = names(body, "names")[0] ?? "";
    robot.gestureNs = entry.t_ns;
  },
  "clock.measured": (robot, body) => {
    robot.rttMs = number(body, "rtt_ns") / 1e6;
  },
  "balls.seen": (robot, body) => {
    robot.balls = { width: number(body, "width"), height: number(body, "height"), balls: ballsOf(body) };
  },
  "voice.started": (robot, body) => {
    robot.hearing = true;
    robot.saying = { utterance: number(body, "utterance"), text: "", stable: 0, final: false };
  },
  "voice.confirmed": (robot) => {
    robot.hearing = true;
  },
  "utterance.ended": (robot) => {
    robot.hearing = false;
  },
  "utterance.dropped": (robot, body) => {
    robot.hearing = false;
    robot.lastDropped = text(body, "reason");
    robot.saying = null;
  },
  "transcript.partial": (robot, body) => {
    robot.saying = {
      utterance: number(body, "utterance"),
      text: text(body, "text"),
      stable: number(body, "stable_chars"),
      final: false,
    };
  },
  "transcript.final": (robot, body) => {
    const said = text(body, "text");
    robot.hearing = false;
    robot.saying = { utterance: number(body, "utterance"), text: said, stable: said.length, final: true };
  },
  "turn.started": (robot, body, entry) => {
    const turn = turnOf(robot, entry);
    if (turn === null) return;
    turn.began = entry.t_ns;
    turn.user = text(body, "user_text");
    turn.priority = text(body, "priority");
    if (turn.priority === "user") robot.saying = null;
  },
  "turn.reopened": (robot, body, entry) => {
    const turn = turnOf(robot, entry);
    if (turn === null) return;
    turn.outcome = "reopened";
    turn.by = number(body, "by");
  },
  "turn.ended": (robot, body, entry) => {
    const turn = turnOf(robot, entry);
    if (turn === null) return;
    turn.outcome = text(body, "outcome");
    turn.code = text(body, "code");
    turn.user = text(body, "user_text") || turn.user;
    turn.response = text(body, "response_text") || turn.response;
    turn.heard = text(body, "heard_text");
    turn.wordsHidden &&= turn.response === "";
    turn.playedMs = number(body, "played_ms");
    turn.responder = text(body, "responder");
    turn.fallback = text(body, "fallback");
    turn.segments = segmentsOf(body["segments"]);
    robot.talking = false;
    robot.ducked = false;
  },
  "response.delta": (robot, body, entry) => {
    const turn = turnOf(robot, entry);
    if (turn !== null && turn.outcome === "") turn.response += text(body, "text");
  },
  "speech.played": (robot, body, entry) => {
    const turn = turnOf(robot, entry);
    if (turn === null || turn.outcome !== "") return;
    turn.playedMs = number(body, "played_ms");
    turn.heard = text(body, "heard_text") || turn.heard;
  },
  "action.requested": (robot, body, entry) => {
    const id = text(body, "id");
    if (robot.actions.some((action) => action.id === id)) return;
    keep(robot.actions, {
      id, turn: entry.turn ?? 0, action: text(body, "action"), name: text(body, "name"), ttlMs: 0,
      askedNs: entry.t_ns, fate: "sent", detail: "",
    }, KEPT_TURNS);
  },
  "action.done": (robot, body) => {
    const action = robot.actions.find((each) => each.id === text(body, "id"));
    if (action === undefined) return;
    action.fate = flag(body, "ok") ? "done" : "refused";
    action.detail = text(body, "detail");
  },
};

/** States that change all the time say nothing in a list of what happened. */
const UNLISTED = new Set(["clock.measured", "affect.state", "speech.played", "robot.presence", "face.changed", "balls.seen"]);

function applyFact(robot: Robot, entry: Entry): void {
  const topic = entry.topic ?? "";
  FACTS[topic]?.(robot, entry.body ?? {}, entry);
  if (!UNLISTED.has(topic)) keep(robot.events, entry, KEPT_EVENTS);
}

function applyOther(robot: Robot, entry: Entry): void {
  const body = entry.body ?? {};
  switch (entry.type) {
    case "speech.out":
      robot.energy = entry.energy ?? 0;
      robot.energyNs = entry.t_ns;
      keep(robot.loudness, [entry.t_ns, robot.energy], KEPT_FEELINGS);
      return;
    case "depth":
      return;
    case "connection.opened":
      robot.connected = true;
      robot.client = entry.client ?? robot.client;
      break;
    case "connection.closed":
      robot.connected = false;
      break;
    case "told":
      told(robot, body, entry);
      break;
    case "said":
      if (text(body, "type") === "world") {
        robot.batteryMv = number(body["world"] as Body | undefined, "battery_mv");
        return;
      }
      if (text(body, "type") === "attention") {
        robot.attention = text(body, "attention");
        robot.held = flag(body, "held");
      }
      break;
  }
  keep(robot.events, entry, KEPT_EVENTS);
}

function told(robot: Robot, body: Body, entry: Entry): void {
  switch (text(body, "type")) {
    case "duck":
    case "hold":
      robot.ducked = true;
      break;
    case "release":
      robot.ducked = false;
      break;
    case "flush":
      robot.ducked = false;
      for (const action of robot.actions) {
        if (action.fate === "sent" && action.turn <= number(body, "turn")) action.fate = "flushed";
      }
      break;
    case "action": {
      FACTS["action.requested"]?.(robot, body, { ...entry, turn: number(body, "turn") });
      const action = robot.actions.find((each) => each.id === text(body, "id"));
      if (action !== undefined) action.ttlMs = number(body, "ttl_ms", 2000);
      break;
    }
  }
}

function feel(robot: Robot, body: Body, entry: Entry): void {
  keep(robot.feelings, {
    t_ns: entry.t_ns, valence: number(body, "valence"), arousal: number(body, "arousal"),
  }, KEPT_FEELINGS);
}

function ballsOf(body: Body): Ball[] {
  const balls = body["balls"];
  if (!Array.isArray(balls)) return [];
  return balls.flatMap((ball) =>
    ball !== null && typeof ball === "object" && !Array.isArray(ball)
      ? [{ x: number(ball, "x"), y: number(ball, "y"), radius: number(ball, "radius"), colour: text(ball, "colour") }]
      : [],
  );
}

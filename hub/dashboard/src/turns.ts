/** What the page knows of robots, turn by turn, from what the hub tells. Pure: no clock, no page. */

import { Robot, type Ball, type Turn } from "./robot.ts";
import { segmentsOf } from "./waterfall.ts";
import { flag, names, number, text, type Body, type Entry, type Happening, type Hello } from "./wire.ts";

export const KEPT_TURNS = 50;
export const KEPT_EVENTS = 1000;
export const KEPT_FEELINGS = 300;
const KEPT_QUEUES = 500;

/** How much waits in a queue. */
export interface Depth {
  queue: string;
  owner: string;
  depth: number;
  bound: number;
  t_ns: number;
}

/** Everything that one page knows. `take` keeps it bounded. */
export class Model {
  readonly robots = new Map<string, Robot>();
  readonly agents = new Map<string, string>();
  /** What waited in the hub's queues when they were last told of. */
  readonly depths = new Map<string, Depth>();
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
    if (entry.type === "depth") {
      this.deep(entry);
      return;
    }
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
    if (robot.events.some((each) => each.n === event.seq)) return;
    const entry: Entry = { type: "fact", topic: event.type, n: event.seq, t_ns, turn, body: event.payload, robot: name };
    if (event.type.startsWith("robot.")) {
      note(robot, entry);
      return;
    }
    applyFact(robot, entry);
    const begun = robot.turn(turn);
    if (begun !== undefined && begun.response === "") begun.wordsHidden = true;
  }

  private deep(entry: Entry): void {
    const { queue = "", owner = "", depth = 0, bound = 1 } = entry;
    this.depths.set(`${queue} ${owner}`, { queue, owner, depth, bound, t_ns: entry.t_ns });
    if (this.depths.size > KEPT_QUEUES) this.depths.delete(this.depths.keys().next().value ?? "");
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
    if (!robot.connected) robot.hearing = false;
  },
  "attention.changed": (robot, body) => attend(robot, body),
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
    robot.gestures = names(body, "names");
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
  if (!UNLISTED.has(topic)) note(robot, entry);
}

function applyOther(robot: Robot, entry: Entry): void {
  const body = entry.body ?? {};
  switch (entry.type) {
    case "speech.out":
      robot.energy = entry.energy ?? 0;
      robot.energyNs = entry.t_ns;
      return;
    case "connection.opened":
      robot.connected = true;
      robot.closed = 0;
      robot.client = entry.client ?? robot.client;
      break;
    case "connection.closed":
      robot.connected = false;
      robot.closed = entry.code ?? 0;
      break;
    case "told":
      told(robot, body, entry);
      break;
    case "said":
      if (text(body, "type") === "world") {
        embody(robot, body["world"] as Body | undefined);
        return;
      }
      break;
  }
  note(robot, entry);
}

/** Events are in the order of their numbers; one that is told twice is one. */
function note(robot: Robot, entry: Entry): void {
  let at = robot.events.length;
  while (at > 0 && robot.events[at - 1]!.n > entry.n) at -= 1;
  if (robot.events[at - 1]?.n === entry.n) return;
  robot.events.splice(at, 0, entry);
  if (robot.events.length > KEPT_EVENTS) robot.events.splice(0, robot.events.length - KEPT_EVENTS);
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

/** How a robot listens. */
export function attend(robot: Robot, body: Body): void {
  robot.attention = text(body, "attention") || "open";
  robot.mute = text(body, "mute") || "off";
  robot.takes = flag(body, "hearing", true);
  robot.held = flag(body, "held");
  robot.awake = flag(body, "awake");
  robot.unaddressed = number(body, "unaddressed");
}

/** What a robot tells of its body. */
function embody(robot: Robot, world: Body | undefined): void {
  const power = world?.["power"] as Body | undefined;
  robot.batteryMv = number(world, "battery_mv");
  robot.batteryPct = number(power, "soc_pct", -1);
  robot.charging = flag(power, "charging");
  robot.mode = text(world, "mode");
  robot.faults = number(world, "faults");
}

function feel(robot: Robot, body: Body, entry: Entry): void {
  if ((robot.feelings.at(-1)?.t_ns ?? 0) > entry.t_ns) return;
  keep(robot.feelings, {
    t_ns: entry.t_ns, emotion: text(body, "emotion") || text(body, "mood") || robot.emotion, valence: number(body, "valence"), arousal: number(body, "arousal"),
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

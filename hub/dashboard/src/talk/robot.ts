/** A virtual robot of this browser on the native wire: its microphone, its loudspeaker, its face. */

import { signal } from "@preact/signals";
import { socketUrl } from "../api.ts";
import { MOODS } from "../face.ts";
import { GESTURES } from "../gestures.ts";
import { hubNowNs } from "../store.ts";
import { Robot } from "../robot.ts";
import { attend } from "../turns.ts";
import { flag, names, number, text, type Body } from "../wire.ts";
import { askedMs, giveUp, Thread, waitMs } from "./again.ts";
import { micFrame, readFrame } from "./frames.ts";
import type { FromSound, ToSound } from "./sound.worklet.ts";
import type { Position } from "./speaker.ts";
import workletUrl from "./sound.worklet.ts?worker&url";

const RATE_HZ = 16_000;

export type Listening = "off" | "hands_free" | "hold";

export class Talker {
  readonly state = signal<"off" | "connecting" | "on" | "lost">("off");
  readonly problem = signal("");
  readonly level = signal(0);
  /** The switch of the microphone: while it is off nothing is sent, whatever the hub says. */
  micOff = false;
  /** Rises whenever `robot` changes. */
  readonly revision = signal(0);
  robot = new Robot("");

  private socket: WebSocket | null = null;
  private context: AudioContext | null = null;
  private sound: AudioWorkletNode | null = null;
  private microphone: MediaStream | null = null;
  listening: Listening = "off";
  private sent = 0;
  private epoch = 0;
  private words = new Map<number, string[]>();
  private speaking = 0;
  private thread = new Thread();
  private position: Position | null = null;
  private attempt = 0;
  private timer = 0;

  /** Be robot `name`. With `off` there is no microphone, and one types. */
  async start(name: string, listening: Listening): Promise<void> {
    this.stop();
    this.problem.value = "";
    this.state.value = "connecting";
    this.robot = new Robot(name);
    this.micOff = false;
    this.listening = listening;
    this.robot.attention = listening === "hands_free" ? "open" : "push_to_talk";
    try {
      await this.openSound(listening !== "off");
      await this.connect();
    } catch (error) {
      this.fail(error instanceof DOMException && error.name === "NotAllowedError"
        ? "This page may not use the microphone. Type instead, or allow it."
        : error instanceof Error ? error.message : "it did not work");
    }
  }

  stop(): void {
    clearTimeout(this.timer);
    const socket = this.socket;
    this.socket = null;
    socket?.close(1000);
    this.thread = new Thread();
    this.position = null;
    this.attempt = 0;
    for (const track of this.microphone?.getTracks() ?? []) track.stop();
    this.microphone = null;
    void this.context?.close();
    this.context = null;
    this.sound = null;
    this.sent = 0;
    this.words.clear();
    this.level.value = 0;
    this.robot.connected = false;
    this.state.value = "off";
    this.revision.value += 1;
  }

  type(words: string): void {
    this.send({ type: "text", text: words });
  }

  cancel(): void {
    this.send({ type: "cancel" });
  }

  hold(held: boolean): void {
    this.robot.held = held;
    this.send({ type: "attention", attention: "push_to_talk", held });
    this.revision.value += 1;
  }

  /** The switch of the browser's microphone. */
  switchMicrophone(off: boolean): void {
    this.micOff = off;
    this.robot.mute = off ? "hardware" : "off";
    this.send({ type: "mic_switch", off });
    this.revision.value += 1;
  }

  private async openSound(withMicrophone: boolean): Promise<void> {
    const context = new AudioContext({ sampleRate: RATE_HZ, latencyHint: "interactive" });
    this.context = context;
    await context.audioWorklet.addModule(workletUrl);
    const sound = new AudioWorkletNode(context, "sound", { outputChannelCount: [1] });
    sound.port.onmessage = (event: MessageEvent<FromSound>) => this.fromSound(event.data);
    sound.connect(context.destination);
    this.sound = sound;
    if (withMicrophone) {
      this.microphone = await navigator.mediaDevices.getUserMedia({
        audio: { channelCount: 1, echoCancellation: true, noiseSuppression: true, autoGainControl: true },
      });
      context.createMediaStreamSource(this.microphone).connect(sound);
    }
    await context.resume();
  }

  private async connect(): Promise<void> {
    const { robot } = this;
    const url = await socketUrl("robot", { robot_id: robot.name });
    if (this.robot !== robot || this.state.value === "off") return;
    const socket = new WebSocket(url);
    this.socket = socket;
    socket.binaryType = "arraybuffer";
    socket.onopen = () => {
      this.send({
        type: "hello", client: "dashboard", codec: "pcm", speech_rate_hz: RATE_HZ,
        language: navigator.language.slice(0, 2) || "en", aec: "device",
        attention: this.robot.attention, endpointing: "hub", mic_off: this.micOff,
        capabilities: { emotions: Object.keys(MOODS), gestures: GESTURES, skills: [] },
        ...this.thread.hello(this.position),
      });
    };
    socket.onmessage = (event: MessageEvent<string | ArrayBuffer>) => {
      if (typeof event.data === "string") this.told(JSON.parse(event.data) as Body);
      else this.speech(event.data);
    };
    socket.onclose = (event) => {
      if (this.socket === socket) this.lost(event);
    };
  }

  /** The connection is gone: what has come is played on, and the robot comes back by itself. */
  private lost(event: CloseEvent): void {
    const final = giveUp(event.code);
    if (final !== null || this.state.value === "connecting") {
      this.fail(`The connection ended: ${final ?? (event.reason || `code ${event.code}`)}.`);
      return;
    }
    this.again(askedMs(event.reason));
  }

  private again(asked = 0): void {
    this.socket = null;
    this.state.value = "lost";
    this.robot.connected = false;
    this.level.value = 0;
    this.revision.value += 1;
    const { robot } = this;
    const retry = (): void => void this.connect().catch(() => {
      // Whoever has left meanwhile, or is another robot now, does not come back.
      if (this.robot === robot && this.state.value === "lost") this.again();
    });
    this.timer = window.setTimeout(retry, asked + waitMs(this.attempt, Math.random()));
    this.attempt += 1;
  }

  private welcomed(body: Body): void {
    const resumed = this.thread.welcomed(body);
    this.epoch = number(body, "epoch");
    this.attempt = 0;
    this.sent = 0;
    this.robot.connected = true;
    this.state.value = "on";
    if (!resumed) this.forget();
  }

  /** Another session: what was still to be said is not said any more. */
  private forget(): void {
    this.toSound({ do: "forget" });
    this.position = null;
    for (const turn of this.robot.turns) {
      if (turn.outcome === "") Object.assign(turn, { outcome: "cancelled", code: "disconnected" });
    }
  }

  private fail(problem: string): void {
    this.stop();
    this.problem.value = problem;
  }

  private send(message: Record<string, unknown>): void {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(message));
  }

  private toSound(message: ToSound): void {
    this.sound?.port.postMessage(message);
  }

  private fromSound(message: FromSound): void {
    if (message.told === "mic") {
      this.level.value = this.micOff ? 0 : message.level;
      if (this.state.value !== "on" || this.socket?.readyState !== WebSocket.OPEN) return;
      if (!this.micOff) this.socket.send(micFrame(this.sent, message.pcm, message.playout));
      this.sent += message.pcm.length;
      return;
    }
    this.position = message.position;
    const { turn, samples, underruns } = message.position;
    const said = { epoch: this.epoch, turn, samples };
    this.send(message.told === "played" ? { type: "played", ...said, underruns } : { type: "flushed", ...said });
  }

  private speech(data: ArrayBuffer): void {
    const { header, pcm } = readFrame(data);
    if (header["type"] !== "speech") return;
    const count = (name: string): number => (typeof header[name] === "number" ? header[name] : 0);
    const samples = Float32Array.from(pcm, (sample) => sample / 32768);
    this.toSound({ do: "speech", epoch: count("epoch"), turn: count("turn"), first: count("first_sample"), pcm: samples });
    this.robot.energy = count("energy");
    this.robot.energyNs = hubNowNs();
  }

  private told(body: Body): void {
    const kind = text(body, "type");
    if (kind === "ping") {
      const now = Math.round(performance.now() * 1e6);
      this.send({ type: "pong", t0_ns: body["t0_ns"], t1_ns: now, t2_ns: now });
      return;
    }
    if (kind !== "welcome" && !this.thread.isNews(body)) return;
    this.obey(kind, body);
    this.revision.value += 1;
  }

  private obey(kind: string, body: Body): void {
    const { robot } = this;
    const turn = number(body, "turn");
    switch (kind) {
      case "welcome":
        this.welcomed(body);
        break;
      case "transcript":
        robot.saying = {
          utterance: number(body, "utterance"), text: text(body, "text"), stable: 0,
          final: flag(body, "final"),
        };
        break;
      case "turn_begin":
        robot.saying = null;
        this.begin(turn, text(body, "user_text"));
        break;
      case "emotion":
        robot.emotion = text(body, "emotion") || "neutral";
        robot.intensity = number(body, "intensity", 0.5);
        break;
      case "gestures":
        robot.gestures = names(body, "names");
        robot.gestureNs = hubNowNs();
        break;
      case "listening":
        attend(robot, { ...body, held: robot.held });
        break;
      case "face":
        robot.conversation = text(body, "conversation") || "idle";
        break;
      case "speech_text":
        this.phrase(turn, number(body, "phrase"), text(body, "text"));
        break;
      case "speech_end":
        this.toSound({ do: "end", turn, samples: number(body, "samples") });
        break;
      case "duck":
        this.toSound({ do: "duck", turn, gainDb: number(body, "gain_db", -15) });
        break;
      case "hold":
      case "release":
        this.toSound({ do: kind, turn });
        break;
      case "flush":
        this.toSound({ do: "flush", epoch: number(body, "epoch"), turn });
        break;
      case "action":
        this.send({ type: "action_result", id: text(body, "id"), ok: false, detail: "a browser has no body" });
        break;
      case "turn_end":
        this.end(turn, body);
        break;
      case "error":
        this.problem.value = text(body, "message") || text(body, "code");
        break;
    }
  }

  private begin(number: number, user: string): void {
    this.problem.value = "";
    this.speaking = number;
    this.words.set(number, []);
    this.robot.turns.push({
      number, began: hubNowNs(), user, priority: "", response: "", heard: "",
      wordsHidden: false, outcome: "", code: "", responder: "", fallback: "", by: 0, playedMs: 0, segments: [],
    });
    this.robot.turns.splice(0, this.robot.turns.length - 50);
  }

  private phrase(number: number, phrase: number, said: string): void {
    if (this.robot.turn(number) === undefined) this.begin(number, "");
    const phrases = this.words.get(number) ?? [];
    phrases[phrase] = said;
    this.words.set(number, phrases);
    const turn = this.robot.turn(number);
    if (turn !== undefined) turn.response = phrases.join(" ");
  }

  private end(number: number, body: Body): void {
    const turn = this.robot.turn(number);
    if (turn === undefined) return;
    turn.outcome = text(body, "outcome");
    turn.code = text(body, "code");
    turn.heard = text(body, "heard_text");
    turn.response = text(body, "response_text") || turn.response;
    turn.playedMs = turn.heard === "" ? 0 : 1;
    if (this.speaking === number) this.robot.talking = false;
    this.words.delete(number);
  }
}

/** One for the page: it goes on while one looks at other pages. */
export const talker = new Talker();

/** The one connection to `/observe`: it comes back by itself, 0.5 s × 2ⁿ later and at most 8 s. */

import { batch } from "@preact/signals";
import { call, socketUrl } from "./api.ts";
import { about, dropped, hubNowNs, link, model, needsToken, offsetNs, revision } from "./store.ts";
import { Model } from "./turns.ts";
import type { Batch, Hello } from "./wire.ts";

const FIRST_MS = 500;
const LONGEST_MS = 8000;
const NOT_AUTHORISED = 4003;

export class Observation {
  private socket: WebSocket | null = null;
  private timer = 0;
  private failures = 0;
  private over = false;

  constructor(private readonly robot: string) {
    void this.open();
  }

  close(): void {
    this.over = true;
    clearTimeout(this.timer);
    this.socket?.close(1000);
  }

  private async open(): Promise<void> {
    link.value = "connecting";
    try {
      await call("./"); // a WebSocket cannot tell that a token is needed until it has been opened
      const url = await socketUrl("observe", { robot: this.robot });
      if (this.over) return;
      this.socket = new WebSocket(url);
    } catch {
      this.again();
      return;
    }
    this.socket.onmessage = (event) => this.take(event.data as string);
    this.socket.onclose = (event) => {
      if (event.code === NOT_AUTHORISED) needsToken.value = true;
      this.again();
    };
  }

  private again(): void {
    if (this.over) return;
    link.value = "lost";
    if (needsToken.value) return;
    const wait = Math.min(LONGEST_MS, FIRST_MS * 2 ** this.failures);
    this.failures += 1;
    this.timer = window.setTimeout(() => void this.open(), wait);
  }

  private take(data: string): void {
    const message = JSON.parse(data) as Hello | Batch;
    if (message.type === "hello") this.begin(message);
    else this.apply(message);
  }

  private begin(hello: Hello): void {
    this.failures = 0;
    const known = model.value;
    const same = about.value.hubId === hello.hub_id && about.value.boot === hello.boot;
    const all = same ? known : new Model();
    all.greet(hello);
    batch(() => {
      offsetNs.value = hello.now_ns - performance.now() * 1e6;
      model.value = all;
      about.value = {
        version: hello.version, hubId: hello.hub_id, boot: hello.boot, words: hello.words,
        recording: hello.recording, bench: hello.bench,
      };
      dropped.value = 0;
      link.value = "open";
      revision.value += 1;
    });
  }

  private apply(told: Batch): void {
    const all = model.value;
    all.informed = true;
    // States first: they are at least as old as what happened after them in the same batch.
    for (const entry of told.states) all.take(entry);
    for (const entry of told.happenings) all.take(entry);
    const robot = all.robots.get(this.robot);
    if (robot !== undefined) {
      const now = hubNowNs() / 1e6;
      robot.mic.push(told.mic, now);
      robot.voice.push(told.voice, now);
    }
    batch(() => {
      dropped.value = told.dropped;
      revision.value += 1;
    });
  }
}

/** How a virtual robot comes back after its connection was lost: when, and with what. Pure. */

import { flag, number, text, type Body } from "../wire.ts";
import type { Position } from "./speaker.ts";

/** Closes after which coming back would change nothing, in words for people. */
const FINAL: Record<number, string> = {
  1000: "the hub ended it",
  4000: "the hub did not understand this page",
  4001: "another connection is this robot now",
  4003: "the token does not allow it",
  4012: "the hub is elsewhere now",
  4011: "the hub speaks another version",
  4400: "the hub refuses this name",
  1009: "a frame was too large",
};
const LONGEST_MS = 8000;
const SWIFT = 6;

/** Why not to come back; null if it is worth a try. */
export function giveUp(code: number): string | null {
  return FINAL[code] ?? null;
}

/** Milliseconds until the next try; `attempt` counts those since the last welcome, from 0. */
export function waitMs(attempt: number, chance: number): number {
  if (attempt === 0) return 100 * chance;
  return chance * Math.min(LONGEST_MS, 1000 * 2 ** Math.max(0, attempt - SWIFT));
}

/** How long the hub wants a robot to stay away that fights with another over its name. */
export function askedMs(reason: string): number {
  const seconds = /^duel (\d{1,4})$/.exec(reason)?.[1];
  return 1000 * Math.min(60, Number(seconds ?? 0));
}

/** What a robot brings back in `hello`, and which of the hub's numbered messages are news. */
export class Thread {
  private resume = "";
  private boot = 0;
  private last = 0;

  /** Fields of `hello`, none for a robot that has not been welcomed. */
  hello(position: Position | null): Body {
    if (this.resume === "") return {};
    const back: Body = { resume: this.resume, boot: this.boot, order: this.last };
    if (position !== null && position.turn > 0) {
      back["playing"] = { turn: position.turn, samples: position.samples, received: position.received };
    }
    return back;
  }

  /** The hub's answer; true if the session goes on, and its speech with it. */
  welcomed(body: Body): boolean {
    const boot = number(body, "boot");
    const resumed = flag(body, "resumed");
    if (!resumed || boot !== this.boot) this.last = number(body, "order");
    this.boot = boot;
    this.resume = text(body, "resume");
    return resumed;
  }

  /** Whether a message is to be obeyed: it bears no number, or one that has not come before. */
  isNews(body: Body): boolean {
    const order = number(body, "order");
    if (order === 0) return true;
    if (order <= this.last) return false;
    this.last = order;
    return true;
  }
}

/** Which part of a robot's time is shown, and where in it things stand. Pure; times are the hub's
 * nanoseconds. */

import type { Entry } from "./wire.ts";

export interface Span {
  from: number;
  to: number;
}

export const LANES = ["heard", "turn", "voice", "body", "wire", "other"] as const;
export type Lane = (typeof LANES)[number];

const SHORTEST_NS = 1e6;

const OF_TOPIC: Record<string, Lane> = {
  voice: "heard", utterance: "heard", transcript: "heard", attention: "heard",
  turn: "turn", response: "turn", tool: "turn", reminder: "turn",
  speech: "voice",
  action: "body", gesture: "body", affect: "body", face: "body", balls: "body", camera: "body",
};

export function laneOf(entry: Entry): Lane {
  if (entry.topic !== undefined && entry.topic !== "") return OF_TOPIC[entry.topic.split(".")[0] ?? ""] ?? "other";
  return /^(told|said|connection)/.test(entry.type) ? "wire" : "other";
}

/** From the first to the last of them, and never shorter than a second. */
export function spanOf(events: readonly Entry[]): Span {
  const first = events[0]?.t_ns ?? 0;
  const from = events.reduce((earliest, event) => Math.min(earliest, event.t_ns), first);
  const to = events.reduce((latest, event) => Math.max(latest, event.t_ns), first);
  return { from, to: Math.max(to, from + 1e9) };
}

/** What of a span was dragged over, given as two shares of it in any order; null for a mere click. */
export function dragged(span: Span, one: number, other: number): Span | null {
  const [low, high] = one < other ? [one, other] : [other, one];
  const long = span.to - span.from;
  const part = { from: span.from + Math.max(0, low) * long, to: span.from + Math.min(1, high) * long };
  return high - low < 0.01 || part.to - part.from < SHORTEST_NS ? null : part;
}

/** `span` shorter (`by` < 1) or longer about its middle, within `whole`. */
export function scaled(span: Span, by: number, whole: Span): Span {
  const middle = (span.from + span.to) / 2;
  const half = Math.max(SHORTEST_NS, (span.to - span.from) * by) / 2;
  return within({ from: middle - half, to: middle + half }, whole);
}

/** `span` earlier (negative) or later by that share of itself, within `whole`. */
export function shifted(span: Span, by: number, whole: Span): Span {
  const step = (span.to - span.from) * by;
  return within({ from: span.from + step, to: span.to + step }, whole);
}

function within(span: Span, whole: Span): Span {
  const long = Math.min(span.to - span.from, whole.to - whole.from);
  const from = Math.min(Math.max(span.from, whole.from), whole.to - long);
  return { from, to: from + long };
}

export function shareOf(span: Span, t_ns: number): number {
  return (t_ns - span.from) / (span.to - span.from);
}

/** The event of a lane that is nearest to a share of the span, if one is near enough. */
export function nearest(events: readonly Entry[], span: Span, share: number, lane: Lane): Entry | undefined {
  let found: Entry | undefined;
  let best = 0.015;
  for (const event of events) {
    const away = Math.abs(shareOf(span, event.t_ns) - share);
    if (away <= best && laneOf(event) === lane) {
      best = away;
      found = event;
    }
  }
  return found;
}

/** Moods as stretches of time. Pure; times are seconds of the hub's clock. */

import type { Feeling } from "./robot.ts";

export interface Stretch {
  emotion: string;
  from: number;
  to: number;
}

/** What was felt between two moments: neighbours of the same mood are one stretch. */
export function moodsOf(feelings: readonly Feeling[], from: number, to: number): Stretch[] {
  const found: Stretch[] = [];
  feelings.forEach((feeling, at) => {
    const next = feelings[at + 1];
    const began = Math.max(from, feeling.t_ns / 1e9);
    const ended = Math.min(to, next === undefined ? to : next.t_ns / 1e9);
    if (ended <= began) return;
    const last = found.at(-1);
    if (last?.emotion === feeling.emotion) last.to = ended;
    else found.push({ emotion: feeling.emotion, from: began, to: ended });
  });
  return found;
}

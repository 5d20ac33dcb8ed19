/** What led to what, by the marks that entries of the trace bear. Pure. */

import type { Entry } from "./wire.ts";

/** Entries that led to `entry`, the first cause first. */
export function causesOf(events: readonly Entry[], entry: Entry): Entry[] {
  const chain: Entry[] = [];
  const seen = new Set<number>([entry.n]);
  let at: Entry | undefined = entry;
  while (at !== undefined && chain.length < 20) {
    at = causeOf(events, at);
    if (at === undefined || seen.has(at.n)) break;
    seen.add(at.n);
    chain.unshift(at);
  }
  return chain;
}

function causeOf(events: readonly Entry[], entry: Entry): Entry | undefined {
  const by = entry.by ?? 0;
  const cause = entry.cause ?? 0;
  return events.find((each) => (by > 0 && each.n === by) || (cause > 0 && each.type === "command" && each.id === cause));
}

/** Entries that `entry` led to at once. */
export function effectsOf(events: readonly Entry[], entry: Entry): Entry[] {
  return events.filter((each) => each !== entry && causeOf(events, each) === entry);
}

/** Where the time of a turn went. Pure. */

import type { Json } from "./wire.ts";

export interface Segment {
  name: string;
  ms: number;
}

export interface Bar extends Segment {
  startMs: number;
}

export interface Waterfall {
  bars: Bar[];
  totalMs: number;
}

const LABELS: Record<string, string> = {
  endpointing: "end of speech noticed",
  transcript: "speech understood",
  sight: "looked",
  first_token: "first word thought",
  first_phrase: "first phrase complete",
  first_sample_made: "first sound made",
  first_byte_sent: "first sound sent",
  first_sample_played: "first sound played",
};

export function label(segment: string): string {
  return LABELS[segment] ?? segment.replaceAll("_", " ");
}

/** The segments of a `turn.ended`; what is none is left out. */
export function segmentsOf(value: Json | undefined): Segment[] {
  if (!Array.isArray(value)) return [];
  const found: Segment[] = [];
  for (const each of value) {
    if (each === null || typeof each !== "object" || Array.isArray(each)) continue;
    const { name, ms } = each;
    if (typeof name === "string" && typeof ms === "number" && Number.isFinite(ms) && ms >= 0) {
      found.push({ name, ms });
    }
  }
  return found;
}

/** Segments end to end: each begins where the one before it ended, so that they add up. */
export function waterfall(segments: readonly Segment[]): Waterfall {
  let totalMs = 0;
  const bars = segments.map((segment) => {
    const bar = { ...segment, startMs: totalMs };
    totalMs += segment.ms;
    return bar;
  });
  return { bars, totalMs };
}

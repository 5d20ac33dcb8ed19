/** What the hub sends on `/observe`: entries of its trace, as `hub/trace/entries.py` has them. Fields
 * at their default are left out. */

export type Json = string | number | boolean | null | Json[] | { [key: string]: Json };
export type Body = { [key: string]: Json };

/** One entry. `n` numbers them, `by` is the `n` of what the hub acted on, `cause` an agent's cause. */
export interface Entry {
  type: string;
  n: number;
  t_ns: number;
  by?: number;
  topic?: string;
  body?: Body;
  robot?: string;
  session?: string;
  epoch?: number;
  turn?: number;
  job?: number;
  src?: string;
  peer?: string;
  id?: number;
  cause?: number;
  energy?: number;
  samples?: number;
  queue?: string;
  owner?: string;
  depth?: number;
  bound?: number;
  client?: string;
  code?: number;
  reason?: string;
}

/** What happened before the page was there, without words. */
export interface Happening {
  robot: string;
  type: string;
  payload: Body;
  t_mono_ms: number;
  seq: number;
}

export interface Hello {
  type: "hello";
  hub_id: string;
  boot: number;
  version: string;
  robot: string;
  words: boolean;
  recording: boolean;
  bench: boolean;
  now_ns: number;
  robots: string[];
  recent: Happening[];
}

export interface Batch {
  type: "batch";
  happenings: Entry[];
  states: Entry[];
  dropped: number;
  /** Loudness 0 to 255 of each 20 ms of the microphone of the robot that is watched, and of its voice. */
  mic: number[];
  voice: number[];
}

export function text(body: Body | undefined, field: string): string {
  const value = body?.[field];
  return typeof value === "string" ? value : "";
}

export function number(body: Body | undefined, field: string, otherwise = 0): number {
  const value = body?.[field];
  return typeof value === "number" ? value : otherwise;
}

export function flag(body: Body | undefined, field: string, otherwise = false): boolean {
  const value = body?.[field];
  return typeof value === "boolean" ? value : otherwise;
}

/** Words of a list of names. */
export function names(body: Body | undefined, field: string): string[] {
  const value = body?.[field];
  return Array.isArray(value) ? value.filter((each): each is string => typeof each === "string") : [];
}

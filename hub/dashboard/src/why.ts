/** Why a turn was silent, slow or cut, and why a robot says nothing now: one sentence each. Pure. */

import type { Turn } from "./robot.ts";
import { label, waterfall } from "./waterfall.ts";

/** A user begins to wonder whether they were heard. */
export const SLOW_MS = 1500;

const FALLBACKS: Record<string, string> = {
  llm_timeout: "the model had not begun to answer in time",
  llm_nonsense: "the model answered nonsense",
  llm_failed: "the model failed",
  planner_down: "the model's process is down",
};

const CODES: Record<string, string> = {
  barge_in: "the user spoke into it",
  user_spoke: "the user spoke",
  stop_word: "the user said stop",
  client: "a button was pressed, or a program said so",
  takeover: "another connection took the robot over",
  disconnected: "the robot's connection was lost",
  not_connected: "the robot is not connected",
  hub_restarted: "the hub was started anew in the middle of it",
  no_planner: "nobody was there who could think of an answer",
  planner_down: "the process that thinks is down",
  tts_down: "the process that speaks is down",
  tts_unavailable: "no voice was there to speak",
  stt_down: "the process that understands speech is down",
  stt_timeout: "what was said was not understood in time",
  speech_missing: "no sound came from the voice",
  speech_stalled: "nothing more reached the loudspeaker",
  user_speaking: "the user was speaking",
};

/** Why what the user said was not answered: reasons of `utterance.dropped`. */
const DROPPED: Record<string, string> = {
  too_short: "too short for speech",
  echo: "the robot's own voice",
  muted: "said while the robot was muted",
  empty: "nothing that could be understood",
  not_addressed: "said to somebody else",
  cut: "cut off with the connection",
};

export function dropped(reason: string): string {
  return known(DROPPED, reason);
}

function words(count: number): string {
  return count === 1 ? "1 word" : `${count} words`;
}

function countWords(said: string): number {
  return said.split(/\s+/).filter((word) => word !== "").length;
}

function known(table: Record<string, string>, code: string): string {
  return table[code] ?? code.replaceAll("_", " ");
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

/** Why a turn went as it did; null if nothing about it asks for a reason. */
export function whyOf(turn: Turn): string | null {
  if (turn.outcome === "") return null;
  return cut(turn) ?? silent(turn) ?? slow(turn) ?? stoodIn(turn);
}

function cut(turn: Turn): string | null {
  const heard = countWords(turn.heard);
  const after = heard > 0 ? `after ${words(heard)}` : "before a word was heard";
  switch (turn.outcome) {
    case "interrupted":
      return `Cut ${after}: ${known(CODES, turn.code || "barge_in")}.`;
    case "cancelled":
      return `Stopped ${after}: ${known(CODES, turn.code || "client")}.`;
    case "superseded":
      return `Cut ${after}: something more important was to be said.`;
    case "reopened":
      return turn.by > 0
        ? `Not answered: the user went on speaking, and turn ${turn.by} has all of it.`
        : "Not answered: the user went on speaking, and the next turn has all of it.";
    case "failed":
      return `Failed ${after}: ${known(CODES, turn.code || "unknown")}.`;
    default:
      return null;
  }
}

function silent(turn: Turn): string | null {
  if (turn.playedMs > 0 || turn.heard !== "") return null;
  if (turn.wordsHidden) return null;
  if (turn.response === "") return "Silent: the answer had no words.";
  return `Silent: there was an answer, but nothing of it was played${
    turn.code === "" ? "" : ` (${known(CODES, turn.code)})`
  }.`;
}

function slow(turn: Turn): string | null {
  const { bars, totalMs } = waterfall(turn.segments);
  if (totalMs < SLOW_MS) return null;
  const longest = bars.reduce((a, b) => (b.ms > a.ms ? b : a));
  const stand = turn.fallback === "" ? "" : `; ${fallbackOf(turn)}`;
  return `Slow: ${seconds(longest.ms)} of ${seconds(totalMs)} went by until ${label(longest.name)}${stand}.`;
}

function stoodIn(turn: Turn): string | null {
  if (turn.fallback === "") return null;
  const sentence = fallbackOf(turn);
  return `${sentence.charAt(0).toUpperCase()}${sentence.slice(1)}.`;
}

function fallbackOf(turn: Turn): string {
  const who = turn.responder === "" ? "another planner" : turn.responder;
  return `${who} answered instead: ${known(FALLBACKS, turn.fallback)}`;
}

/** What is known of a robot that says nothing now. */
export interface Standing {
  connected: boolean;
  attention: string;
  mute: string;
  awake: boolean;
  held: boolean;
  hearing: boolean;
  conversation: string;
  missing: readonly string[];
}

/** Why a robot is silent at this moment, or what it is doing. */
export function standingOf(robot: Standing): string {
  if (!robot.connected) return "It is not connected.";
  if (robot.conversation === "speaking") return "It is speaking.";
  if (robot.conversation === "thinking") return "It is thinking of an answer.";
  if (robot.hearing) return "It hears a voice.";
  if (robot.missing.length > 0) {
    return `It cannot answer by voice: no ${robot.missing.join(", no ")} is ready.`;
  }
  if (robot.mute === "hardware") return "The switch of its microphone is off: it hears nothing.";
  if (robot.mute !== "off") return "It is muted, and hears nothing.";
  switch (robot.attention) {
    case "push_to_talk":
      return robot.held ? "It listens while the button is held." : "It waits for its button.";
    case "wake_word":
      return robot.awake ? "It was called, and listens." : "It waits for its wake word.";
    default:
      return "It listens, and nobody speaks.";
  }
}

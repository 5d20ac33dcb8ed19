/** The face as a robot's display shows it: 320 × 240, 13 moods, gestures, gaze, blink, a mouth that
 * follows the voice, the border of the conversation, and the system's screens over all of it. Drawing is
 * a function of what is given. */

import { drawScreen, type Screen } from "./screens.ts";

export interface FaceState {
  mood: string;
  /** 0 to 1. */
  intensity: number;
  conversation: string;
  talking: boolean;
  /** Loudness 0 to 255. */
  energy: number;
  gesture: string;
  connected: boolean;
  screen: Screen;
  /** 0 to 1: how full the battery is. */
  battery: number;
}

interface Look {
  /** Eyes 0 to 1.3, brows from sad (-1) to angry (1), smile -1 to 1. */
  open: number;
  brow: number;
  smile: number;
  colour: string;
}

export const MOODS: Record<string, Look> = {
  neutral: { open: 1, brow: 0, smile: 0.1, colour: "#a0e1ff" },
  happy: { open: 0.9, brow: -0.1, smile: 0.8, colour: "#ffe08a" },
  excited: { open: 1.2, brow: -0.2, smile: 1, colour: "#ffb86b" },
  curious: { open: 1.1, brow: -0.3, smile: 0.2, colour: "#8affd2" },
  sad: { open: 0.7, brow: -0.8, smile: -0.7, colour: "#7aa2ff" },
  scared: { open: 1.3, brow: -0.9, smile: -0.5, colour: "#c9b3ff" },
  angry: { open: 0.7, brow: 0.9, smile: -0.6, colour: "#ff7a6b" },
  surprised: { open: 1.3, brow: -0.5, smile: 0, colour: "#ffd36b" },
  sleepy: { open: 0.2, brow: 0, smile: 0, colour: "#8fa3c9" },
  love: { open: 0.9, brow: -0.2, smile: 0.9, colour: "#ff9ecb" },
  silly: { open: 1, brow: 0.3, smile: 0.9, colour: "#c2ff7a" },
  thinking: { open: 0.8, brow: 0.2, smile: -0.1, colour: "#b9a6ff" },
  confused: { open: 1, brow: 0.4, smile: -0.2, colour: "#ffc9a0" },
};

/** Gestures that for their while change more than they move. */
const LOOKS: Record<string, Look> = {
  surprise: { open: 1.3, brow: -0.5, smile: 0, colour: MOODS["surprised"]!.colour },
  confused: { open: 1.1, brow: 0.5, smile: -0.3, colour: MOODS["confused"]!.colour },
  laugh: { open: 0.6, brow: -0.2, smile: 1, colour: MOODS["happy"]!.colour },
  rage: { open: 0.6, brow: 1, smile: -0.9, colour: MOODS["angry"]!.colour },
  heart: { open: 0.9, brow: -0.2, smile: 0.9, colour: MOODS["love"]!.colour },
};

export const BORDERS: Record<string, string> = {
  idle: "#282c34",
  attention: "#3ca0dc",
  listening: "#28be96",
  ptt: "#f0b428",
  thinking: "#966ee6",
  speaking: "#468cf0",
  error: "#dc3c32",
  done: "#5a6e5a",
};

const DARK = "#0c0e14";
const MOUTH = "#e6f0fa";
const SHUT = new Set(["blink", "sleepy", "laugh", "nod"]);

/** How far a gesture moves the face, `phase` 0 to 1 of it. */
function shift(gesture: string, phase: number): [number, number] {
  const swing = Math.sin(phase * Math.PI * 4) * (1 - phase);
  if (gesture === "nod" || gesture === "laugh") return [0, 10 * swing];
  if (gesture === "headshake" || gesture === "rage") return [14 * swing, 0];
  if (gesture === "confused") return [6 * Math.sin(phase * Math.PI * 2), 3 * swing];
  if (gesture === "wiggle") return [10 * swing, 5 * Math.sin(phase * Math.PI * 6) * (1 - phase)];
  return [0, 0];
}

/** Open 0 to 1: a blink of 180 ms every few seconds, at times that look like chance. */
export function blinkAt(seconds: number): number {
  const phase = (seconds + 0.7 * Math.sin(seconds * 0.31)) % 3.7;
  return phase < 0.18 ? Math.abs(phase / 0.09 - 1) : 1;
}

/** Where it looks, -1 to 1: up and aside when it thinks, else about. */
export function gazeAt(conversation: string, seconds: number): [number, number] {
  if (conversation === "thinking") return [0.5, -0.3];
  if (conversation === "listening" || conversation === "ptt") return [0, 0];
  return [0.35 * Math.sin(seconds * 0.53), 0.18 * Math.sin(seconds * 0.37)];
}

/** Draw onto a canvas of any size. `seconds` runs, `gesturePhase` 0 to 1 of the gesture. */
export function drawFace(
  ctx: CanvasRenderingContext2D, face: FaceState, seconds: number, gesturePhase: number, still: boolean,
): void {
  const { width, height } = ctx.canvas;
  ctx.setTransform(width / 320, 0, 0, height / 240, 0, 0);
  ctx.fillStyle = DARK;
  ctx.fillRect(0, 0, 320, 240);
  if (face.screen !== "none") {
    drawScreen(ctx, face.screen, face.battery, seconds, still);
    return;
  }
  if (!face.connected) {
    drawAway(ctx);
    return;
  }
  const played = LOOKS[face.gesture];
  const look = played ?? MOODS[face.mood] ?? MOODS["neutral"]!;
  const strength = played === undefined ? 0.4 + 0.6 * face.intensity : 1;
  const { gesture } = face;
  const [dx, dy] = still ? [0, 0] : shift(gesture, gesturePhase);
  const blink = still ? 1 : blinkAt(seconds);
  const gaze = still ? ([0, 0] as [number, number]) : gazeAt(face.conversation, seconds);
  ctx.save();
  ctx.translate(dx, dy);
  for (const side of [-1, 1] as const) {
    const winks = gesture === (side < 0 ? "wink_l" : "wink_r");
    const shut = SHUT.has(gesture) || winks;
    const uneven = gesture === "confused" && side > 0 ? 0.6 : 1;
    const open = shut ? 0.1 : Math.max(0.1, (1 + (look.open - 1) * strength) * blink * uneven);
    drawEye(ctx, 160 + side * 60, open, gaze, look, gesture, face.mood);
    drawBrow(ctx, side, look, strength);
  }
  drawMouth(ctx, look, strength, face, gesture);
  ctx.restore();
  ctx.lineWidth = 8;
  ctx.strokeStyle = BORDERS[face.conversation] ?? BORDERS["idle"]!;
  ctx.strokeRect(4, 4, 312, 232);
}

function drawAway(ctx: CanvasRenderingContext2D): void {
  ctx.strokeStyle = "#4a5160";
  ctx.lineWidth = 6;
  ctx.lineCap = "round";
  for (const x of [100, 220]) {
    ctx.beginPath();
    ctx.moveTo(x - 22, 108);
    ctx.lineTo(x + 22, 108);
    ctx.stroke();
  }
}

function drawEye(
  ctx: CanvasRenderingContext2D, x: number, open: number, gaze: [number, number], look: Look,
  gesture: string, mood: string,
): void {
  ctx.fillStyle = look.colour;
  ctx.strokeStyle = look.colour;
  if (gesture === "x_eyes") return drawCross(ctx, x);
  if (gesture === "heart" || mood === "love") return drawHeart(ctx, x);
  ctx.beginPath();
  ctx.ellipse(x, 104, 30, 42 * open, 0, 0, 2 * Math.PI);
  ctx.fill();
  if (open > 0.35) {
    ctx.fillStyle = DARK;
    ctx.beginPath();
    ctx.ellipse(x + 13 * gaze[0], 104 + 14 * gaze[1], 11, 13 * Math.min(1, open), 0, 0, 2 * Math.PI);
    ctx.fill();
  }
}

function drawCross(ctx: CanvasRenderingContext2D, x: number): void {
  ctx.lineWidth = 9;
  ctx.lineCap = "round";
  ctx.beginPath();
  ctx.moveTo(x - 20, 84);
  ctx.lineTo(x + 20, 124);
  ctx.moveTo(x + 20, 84);
  ctx.lineTo(x - 20, 124);
  ctx.stroke();
}

function drawHeart(ctx: CanvasRenderingContext2D, x: number): void {
  ctx.beginPath();
  ctx.moveTo(x, 136);
  ctx.bezierCurveTo(x - 62, 92, x - 28, 62, x, 88);
  ctx.bezierCurveTo(x + 28, 62, x + 62, 92, x, 136);
  ctx.fill();
}

function drawBrow(ctx: CanvasRenderingContext2D, side: -1 | 1, look: Look, strength: number): void {
  const tilt = 14 * look.brow * strength;
  const x = 160 + side * 60;
  const y = 46 - 30 * Math.max(0, look.open - 1); // above eyes that are wide open
  ctx.strokeStyle = look.colour;
  ctx.lineWidth = 6;
  ctx.lineCap = "round";
  ctx.beginPath();
  ctx.moveTo(x - side * 30, y + tilt);
  ctx.lineTo(x + side * 30, y - tilt);
  ctx.stroke();
}

function drawMouth(
  ctx: CanvasRenderingContext2D, look: Look, strength: number, face: FaceState, gesture: string,
): void {
  ctx.strokeStyle = MOUTH;
  ctx.fillStyle = MOUTH;
  ctx.lineWidth = 7;
  ctx.lineCap = "round";
  ctx.beginPath();
  if (face.talking || gesture === "laugh" || gesture === "surprise" || face.mood === "surprised") {
    const wide = face.talking ? 26 + (14 * face.energy) / 255 : 20;
    const open = face.talking ? 4 + (22 * face.energy) / 255 : 16;
    ctx.ellipse(160, 190, wide, open, 0, 0, 2 * Math.PI);
    ctx.fill();
    return;
  }
  const bend = 26 * look.smile * strength;
  ctx.moveTo(118, 190 - bend / 2);
  ctx.quadraticCurveTo(160, 190 + bend, 202, 190 - bend / 2);
  ctx.stroke();
}

/** The screens that the system puts over a face: what a robot's body and its connection ask for. */

export type Screen = "none" | "booting" | "error" | "low_battery" | "updating" | "shutting_down";

/** What decides which screen there is. */
export interface Condition {
  connected: boolean;
  /** Code that the last connection was closed with; 0 while there is one, or if nobody knows. */
  closed: number;
  /** Mode of the robot's world, in its own word. */
  mode: string;
  faults: number;
  /** 0 to 100, or -1. */
  batteryPct: number;
  charging: boolean;
}

/** The hub sends its robots away with it when it ends. */
const DRAINING = 4010;
export const CRITICAL_PCT = 10;

/** Pure. The gravest one wins; a fault is graver than an empty battery. */
export function screenOf(robot: Condition): Screen {
  if (!robot.connected) return robot.closed === DRAINING ? "shutting_down" : "none";
  const mode = robot.mode.toLowerCase();
  // Words, not parts of others: a robot that is rotating is not updated.
  if (/(?<![a-z])(updat|ota(?![a-z]))/.test(mode)) return "updating";
  if (/shut(ting)?.?down|power(ing)?.?off/.test(mode)) return "shutting_down";
  if (/boot|starting/.test(mode)) return "booting";
  if (robot.faults > 0 || /error|(?<![a-z])(fault|e.?stop)/.test(mode)) return "error";
  const empty = robot.batteryPct >= 0 && robot.batteryPct <= CRITICAL_PCT;
  return empty && !robot.charging ? "low_battery" : "none";
}

export const TITLES: Record<Screen, string> = {
  none: "", booting: "starting", error: "a fault", low_battery: "battery low", updating: "updating",
  shutting_down: "shutting down",
};

const COLOURS: Record<Screen, string> = {
  none: "#4a5160", booting: "#3ca0dc", error: "#dc3c32", low_battery: "#f0b428", updating: "#966ee6",
  shutting_down: "#7d8696",
};

/** Draw a screen onto a face of 320 × 240; `share` 0 to 1 is how full the battery is. */
export function drawScreen(
  ctx: CanvasRenderingContext2D, screen: Screen, share: number, seconds: number, still: boolean,
): void {
  ctx.strokeStyle = ctx.fillStyle = COLOURS[screen];
  ctx.lineWidth = 8;
  ctx.lineCap = "round";
  ctx.lineJoin = "round";
  switch (screen) {
    case "booting":
    case "updating":
      drawTurning(ctx, still ? 0 : seconds, screen === "updating");
      break;
    case "error":
      drawWarning(ctx);
      break;
    case "low_battery":
      drawBattery(ctx, share, still || seconds % 1 < 0.6);
      break;
    case "shutting_down":
      drawPower(ctx);
      break;
  }
  ctx.font = "600 20px system-ui, sans-serif";
  ctx.textAlign = "center";
  ctx.fillText(TITLES[screen], 160, 206);
}

function drawTurning(ctx: CanvasRenderingContext2D, seconds: number, arrow: boolean): void {
  const from = (seconds * 3) % (2 * Math.PI);
  ctx.beginPath();
  ctx.arc(160, 104, 46, from, from + 1.5 * Math.PI);
  ctx.stroke();
  if (!arrow) return;
  ctx.beginPath();
  ctx.moveTo(160, 82);
  ctx.lineTo(160, 124);
  ctx.moveTo(144, 108);
  ctx.lineTo(160, 126);
  ctx.lineTo(176, 108);
  ctx.stroke();
}

function drawWarning(ctx: CanvasRenderingContext2D): void {
  ctx.beginPath();
  ctx.moveTo(160, 52);
  ctx.lineTo(216, 150);
  ctx.lineTo(104, 150);
  ctx.closePath();
  ctx.stroke();
  ctx.beginPath();
  ctx.moveTo(160, 86);
  ctx.lineTo(160, 114);
  ctx.moveTo(160, 132);
  ctx.lineTo(160, 133);
  ctx.stroke();
}

function drawBattery(ctx: CanvasRenderingContext2D, share: number, lit: boolean): void {
  ctx.strokeRect(96, 66, 118, 76);
  ctx.fillRect(222, 90, 10, 28);
  if (lit) ctx.fillRect(106, 76, Math.max(8, 98 * share), 56);
}

function drawPower(ctx: CanvasRenderingContext2D): void {
  ctx.beginPath();
  ctx.arc(160, 108, 44, -0.3 * Math.PI, 1.3 * Math.PI);
  ctx.moveTo(160, 52);
  ctx.lineTo(160, 100);
  ctx.stroke();
}

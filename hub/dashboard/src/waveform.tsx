/** What goes in and what comes out: the microphone above the line, the voice below it. */

import { useEffect, useRef } from "preact/hooks";
import { animate } from "./canvas.tsx";
import type { Robot } from "./robot.ts";
import { hubNowNs } from "./store.ts";
import { STEP_MS } from "./waves.ts";

const SECONDS = 8;
const STEPS = (SECONDS * 1000) / STEP_MS;
/** What is drawn is so old: the next batch is on its way by then. */
const DELAY_MS = 300;
const HEIGHT = 110;

export function Waveform({ robot }: { robot: Robot }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    const place = canvas.current;
    const ctx = place?.getContext("2d");
    if (!place || !ctx) return undefined;
    return animate(() => {
      const wide = Math.max(1, Math.round(place.clientWidth * devicePixelRatio));
      const high = HEIGHT * devicePixelRatio;
      if (place.width !== wide) place.width = wide;
      if (place.height !== high) place.height = high;
      const until = hubNowNs() / 1e6 - DELAY_MS;
      const style = getComputedStyle(place);
      ctx.clearRect(0, 0, wide, high);
      ctx.fillStyle = style.borderColor;
      ctx.fillRect(0, high / 2 - 1, wide, 2);
      bars(ctx, robot.mic.last(STEPS, until).map((step) => step / 255), style.getPropertyValue("--mic"), -1);
      bars(ctx, robot.voice.last(STEPS, until).map((step) => Math.sqrt(step / 255)), style.getPropertyValue("--voice"), 1);
    });
  }, [robot]);
  return (
    <>
      <p class="legend"><span class="dot mic" /> microphone <span class="dot voice" /> its voice</p>
      <canvas ref={canvas} class="waveform" role="img" aria-label={`Loudness of its microphone and of its voice over the last ${SECONDS} seconds`} />
    </>
  );
}

/** One bar for each step, upwards (-1) or downwards (1) from the middle. */
function bars(ctx: CanvasRenderingContext2D, shares: readonly number[], colour: string, way: 1 | -1): void {
  const { width, height } = ctx.canvas;
  const wide = width / shares.length;
  ctx.fillStyle = colour;
  shares.forEach((share, at) => {
    if (share <= 0) return;
    const tall = Math.max(1, (height / 2 - 3) * share);
    ctx.fillRect(at * wide, way < 0 ? height / 2 - 1 - tall : height / 2 + 1, Math.max(1, wide * 0.8), tall);
  });
}

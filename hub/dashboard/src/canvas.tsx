/** A face on a canvas. All faces share one loop of animation, which rests while nobody looks. */

import { useEffect, useRef } from "preact/hooks";
import { drawFace } from "./face.ts";
import { hubNowNs } from "./store.ts";
import type { Robot } from "./turns.ts";

type Draw = (seconds: number) => void;

const GESTURE_S = 0.9;
/** Sound is sent ahead of the loudspeaker by about this much. */
const LEAD_S = 0.3;
const MOUTH_S = 0.5;

const drawn = new Set<Draw>();
let frame = 0;

function loop(ms: number): void {
  for (const draw of drawn) draw(ms / 1000);
  frame = drawn.size > 0 ? requestAnimationFrame(loop) : 0;
}

function animate(draw: Draw): () => void {
  drawn.add(draw);
  if (frame === 0) frame = requestAnimationFrame(loop);
  return () => drawn.delete(draw);
}

const calm = matchMedia("(prefers-reduced-motion: reduce)");

export function Face({ robot, wide }: { robot: Robot; wide: number }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    const ctx = canvas.current?.getContext("2d", { alpha: false });
    if (!ctx) return undefined;
    let mouth = 0;
    return animate((seconds) => {
      const now = hubNowNs();
      const sounding = now - robot.energyNs < (MOUTH_S + LEAD_S) * 1e9;
      const wobble = 0.55 + 0.45 * Math.sin(seconds * 19) * Math.sin(seconds * 7.3);
      mouth += ((sounding ? robot.energy * wobble : 0) - mouth) * 0.3;
      const phase = robot.gestureNs > 0 ? (now - robot.gestureNs) / (GESTURE_S * 1e9) : 1;
      drawFace(ctx, {
        mood: robot.emotion, intensity: robot.intensity, conversation: robot.conversation,
        talking: robot.talking || sounding, energy: mouth, gesture: robot.gesture,
        connected: robot.connected,
      }, seconds, phase >= 0 && phase < 1 ? phase : 1, calm.matches);
    });
  }, [robot]);
  const about = robot.connected
    ? `Face: ${robot.emotion}, ${robot.conversation}`
    : "Face: not connected";
  return (
    <canvas ref={canvas} class="face" width={wide} height={wide * 0.75} role="img" aria-label={about} />
  );
}

/** A face on a canvas. All faces share one loop of animation, which rests while nobody looks. */

import { useEffect, useRef } from "preact/hooks";
import { drawFace } from "./face.ts";
import { gestureAt } from "./gestures.ts";
import { screenOf, TITLES } from "./screens.ts";
import { hubNowNs } from "./store.ts";
import type { Robot } from "./robot.ts";

type Draw = (seconds: number) => void;

/** Sound is sent ahead of the loudspeaker by about this much. */
const LEAD_S = 0.3;
const MOUTH_S = 0.5;

const drawn = new Set<Draw>();
let frame = 0;

function loop(ms: number): void {
  for (const draw of drawn) draw(ms / 1000);
  frame = drawn.size > 0 ? requestAnimationFrame(loop) : 0;
}

export function animate(draw: Draw): () => void {
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
      const [gesture, phase] = gestureAt(robot.gestures, (now - robot.gestureNs) / 1e6);
      drawFace(ctx, {
        mood: robot.emotion, intensity: robot.intensity, conversation: robot.conversation,
        talking: robot.talking || sounding, energy: mouth, gesture,
        connected: robot.connected, screen: screenOf(robot),
        battery: Math.max(0, robot.batteryPct) / 100,
      }, seconds, phase, calm.matches);
    });
  }, [robot]);
  const screen = screenOf(robot);
  const about = screen !== "none"
    ? `Face: ${TITLES[screen]}`
    : robot.connected ? `Face: ${robot.emotion}, ${robot.conversation}` : "Face: not connected";
  return (
    <canvas ref={canvas} class="face" width={wide} height={wide * 0.75} role="img" aria-label={about}
      data-screen={screen} />
  );
}

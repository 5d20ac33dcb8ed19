/** A robot's events as marks along a line of time: drag over a part of it to see only that. */

import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { Entry } from "../wire.ts";
import { dragged, LANES, laneOf, nearest, scaled, shareOf, shifted, type Span } from "../zoom.ts";

const LANE_HIGH = 20;
const HEIGHT = LANES.length * LANE_HIGH;
const COLOURS: Record<string, string> = {
  heard: "--mic", turn: "--link", voice: "--voice", body: "--warn", wire: "--quiet", other: "--quiet",
};

export function Overview({ events, span, whole, zoom, pick, chosen }: {
  events: readonly Entry[];
  span: Span;
  whole: Span;
  /** Show this part only; null: everything. */
  zoom: (span: Span | null) => void;
  pick: (n: number) => void;
  chosen: number | null;
}) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const drag = useSignal<[number, number] | null>(null);
  const range = drag.value;
  useEffect(() => {
    const place = canvas.current;
    if (place === null) return;
    const draw = (): void => paint(place, events, span, range, chosen);
    draw();
    const sizes = new ResizeObserver(draw);
    sizes.observe(place);
    return () => sizes.disconnect();
  }, [events, events.length, span.from, span.to, range, chosen]);

  const shareAt = (event: PointerEvent): number => {
    const box = (event.currentTarget as HTMLElement).getBoundingClientRect();
    return Math.min(1, Math.max(0, (event.clientX - box.left) / box.width));
  };
  const down = (event: PointerEvent): void => {
    if (event.button !== 0) return;
    (event.currentTarget as HTMLElement).setPointerCapture(event.pointerId);
    drag.value = [shareAt(event), shareAt(event)];
  };
  const move = (event: PointerEvent): void => {
    if (drag.value !== null) drag.value = [drag.value[0], shareAt(event)];
  };
  const up = (event: PointerEvent): void => {
    if (drag.value === null) return;
    const [from] = drag.value;
    drag.value = null;
    const part = dragged(span, from, shareAt(event));
    if (part !== null) {
      zoom(part);
      return;
    }
    const box = (event.currentTarget as HTMLElement).getBoundingClientRect();
    const lane = LANES[Math.floor(((event.clientY - box.top) / box.height) * LANES.length)];
    const near = lane === undefined ? undefined : nearest(events, span, from, lane);
    if (near !== undefined) pick(near.n);
  };
  const isWhole = span.from <= whole.from && span.to >= whole.to;
  return (
    <div class="overview">
      <div class="lanes" aria-hidden="true">{LANES.map((lane) => <span key={lane}>{lane}</span>)}</div>
      <canvas ref={canvas} role="img" data-from={Math.round(span.from / 1e6)} data-to={Math.round(span.to / 1e6)}
        aria-label={`${events.length} events in ${seconds(span.to - span.from)}: drag over a part to see only that`}
        onPointerDown={down} onPointerMove={move} onPointerUp={up} onPointerCancel={() => (drag.value = null)}
        onDblClick={() => zoom(null)} />
      <div class="tools" role="group" aria-label="Time that is shown">
        <button type="button" onClick={() => zoom(scaled(span, 0.5, whole))}>Closer</button>
        <button type="button" disabled={isWhole} onClick={() => zoom(scaled(span, 2, whole))}>Wider</button>
        <button type="button" disabled={isWhole} onClick={() => zoom(shifted(span, -0.5, whole))}>Earlier</button>
        <button type="button" disabled={isWhole} onClick={() => zoom(shifted(span, 0.5, whole))}>Later</button>
        <button type="button" disabled={isWhole} onClick={() => zoom(null)}>All of it</button>
        <span class="quiet">{seconds(span.from - whole.from)} to {seconds(span.to - whole.from)}</span>
      </div>
    </div>
  );
}

function seconds(ns: number): string {
  return `${(ns / 1e9).toFixed(ns < 1e10 ? 2 : 1)} s`;
}

function paint(
  place: HTMLCanvasElement, events: readonly Entry[], span: Span, range: [number, number] | null, chosen: number | null,
): void {
  const ctx = place.getContext("2d");
  if (ctx === null) return;
  const wide = place.clientWidth;
  place.width = Math.max(1, Math.round(wide * devicePixelRatio));
  place.height = HEIGHT * devicePixelRatio;
  ctx.scale(devicePixelRatio, devicePixelRatio);
  const style = getComputedStyle(place);
  const colour = (name: string): string => style.getPropertyValue(name);
  ctx.fillStyle = colour("--line");
  for (let lane = 1; lane < LANES.length; lane += 1) ctx.fillRect(0, lane * LANE_HIGH, wide, 1);
  for (const event of events) {
    const share = shareOf(span, event.t_ns);
    if (share < 0 || share > 1) continue;
    const lane = laneOf(event);
    const picked = event.n === chosen;
    ctx.fillStyle = colour(picked ? "--bad" : COLOURS[lane] ?? "--quiet");
    const top = LANES.indexOf(lane) * LANE_HIGH;
    ctx.fillRect(share * (wide - 3), top + (picked ? 1 : 4), picked ? 4 : 3, LANE_HIGH - (picked ? 2 : 8));
  }
  if (range !== null) {
    const [left, right] = [Math.min(...range) * wide, Math.max(...range) * wide];
    ctx.globalAlpha = 0.25;
    ctx.fillStyle = colour("--link");
    ctx.fillRect(left, 0, Math.max(1, right - left), HEIGHT);
  }
}

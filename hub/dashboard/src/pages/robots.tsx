/** All robots at a glance. */

import { Face } from "../canvas.tsx";
import { robotHref } from "../route.ts";
import { link, model, revision } from "../store.ts";
import type { Robot } from "../robot.ts";
import { standingOf, whyOf } from "../why.ts";

export function RobotsPage() {
  void revision.value;
  const robots = [...model.value.robots.values()].sort(
    (a, b) => Number(b.connected) - Number(a.connected) || a.name.localeCompare(b.name),
  );
  return (
    <>
      <h1>Robots</h1>
      {robots.length === 0 && link.value === "open" && (
        <p class="empty">
          No robot has been here yet. Connect one to <code>/robot?robot_id=…</code>, or be one
          yourself: <a href="#/talk">Talk</a>.
        </p>
      )}
      <ul class="tiles">
        {robots.map((robot) => <Tile robot={robot} key={robot.name} />)}
      </ul>
    </>
  );
}

function Tile({ robot }: { robot: Robot }) {
  void revision.value;
  const latency = robot.lastLatencyMs;
  const last = robot.turns.at(-1);
  const why = last === undefined ? null : whyOf(last);
  return (
    <li>
      <a class={robot.connected ? "tile" : "tile away"} href={robotHref(robot.name)}>
        <Face robot={robot} wide={320} />
        <strong class="name">{robot.name}</strong>
        <span class="doing">{standingOf({ ...standing(robot) })}</span>
        <span class="facts">
          {robot.connected && <span class="chip">{robot.emotion}</span>}
          {latency !== null && <span class="chip">{Math.round(latency)} ms</span>}
          {batteryOf(robot) !== "" && <span class="chip">{batteryOf(robot)}</span>}
          {robot.rttMs > 0 && <span class="chip">net {robot.rttMs.toFixed(1)} ms</span>}
        </span>
        {why !== null && <span class="why">{why}</span>}
      </a>
    </li>
  );
}

function batteryOf(robot: Robot): string {
  if (robot.batteryPct >= 0) return `battery ${robot.batteryPct} %`;
  return robot.batteryMv > 0 ? `${(robot.batteryMv / 1000).toFixed(1)} V` : "";
}

export function standing(robot: Robot) {
  return {
    connected: robot.connected, attention: robot.attention, mute: robot.mute, awake: robot.awake,
    held: robot.held, hearing: robot.hearing, conversation: robot.conversation, missing: model.value.missing,
  };
}

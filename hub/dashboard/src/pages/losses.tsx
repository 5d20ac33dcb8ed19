/** What waits in the hub's bounded queues, and what was missed or thrown away, by class. */

import { Card } from "../app.tsx";
import { hubNowNs, model, revision } from "../store.ts";

export type Losses = Record<string, { gaps: number; dropped: number }>;

/** Of an empty queue nothing is told. */
const FRESH_NS = 1.5e9;

export function LossesByClass({ losses }: { losses: Losses }) {
  return (
    <Card title="Gaps and drops">
      <table class="list">
        <thead><tr><th>class</th><th class="number">gaps</th><th class="number">dropped</th></tr></thead>
        <tbody>
          {Object.entries(losses).map(([kind, { gaps, dropped }]) => (
            <tr key={kind} data-class={kind}>
              <td>{kind}</td>
              <td class={gaps > 0 ? "number warn" : "number"}>{gaps}</td>
              <td class={dropped > 0 ? "number warn" : "number"}>{dropped}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Card>
  );
}

export function Queues() {
  void revision.value;
  const now = hubNowNs();
  const waiting = [...model.value.depths.values()].filter((each) => now - each.t_ns < FRESH_NS)
    .sort((a, b) => b.depth / b.bound - a.depth / a.bound);
  return (
    <Card title="Queues">
      {waiting.length === 0 && <p class="empty">Nothing waits.</p>}
      {waiting.slice(0, 12).map((each) => (
        <p class="queue" key={`${each.queue} ${each.owner}`}>
          <span>{each.queue} <span class="quiet">{each.owner}</span></span>
          <meter min={0} max={each.bound} high={0.8 * each.bound} value={each.depth} aria-label={`${each.queue} ${each.owner}`} />
          <span class="number">{each.depth} / {each.bound}</span>
        </p>
      ))}
    </Card>
  );
}

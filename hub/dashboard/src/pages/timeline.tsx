/** Everything that happened to a robot, in order, with what led to it and what it led to. */

import { useSignal } from "@preact/signals";
import { Card } from "../app.tsx";
import { causesOf, effectsOf } from "../causes.ts";
import { spanOf, type Span } from "../zoom.ts";
import { Overview } from "./overview.tsx";
import { hubNowNs, revision } from "../store.ts";
import type { Robot } from "../robot.ts";
import { text, type Entry } from "../wire.ts";

const SHOWN = 80;
const WINDOWS = [["everything", 0], ["10 s", 10], ["1 min", 60], ["5 min", 300]] as const;

export function nameOf(entry: Entry): string {
  if (entry.topic !== undefined && entry.topic !== "") return entry.topic;
  const kind = text(entry.body, "type");
  return kind === "" ? entry.type : `${entry.type} ${kind}`;
}

export function Timeline({ robot }: { robot: Robot }) {
  void revision.value;
  const filter = useSignal("");
  const chosen = useSignal<number | null>(null);
  const seconds = useSignal(0);
  const zoom = useSignal<Span | null>(null);
  const frozen = useSignal<readonly Entry[] | null>(null);
  const wanted = filter.value.trim().toLowerCase();
  const all = frozen.value ?? robot.events;
  const whole = spanOf(all);
  const since = seconds.value === 0 ? whole.from : Math.min(hubNowNs() - seconds.value * 1e9, whole.to - 1e6);
  const span = zoom.value ?? { from: since, to: whole.to };
  const named = all.filter((entry) => nameOf(entry).includes(wanted));
  const matching = named.filter((entry) => entry.t_ns >= span.from && entry.t_ns <= span.to);
  const shown = matching.slice(-SHOWN).reverse();
  const picked = chosen.value === null ? undefined : all.find((entry) => entry.n === chosen.value);
  const first = all[0]?.t_ns ?? 0;
  return (
    <Card title="Events" wide>
      <div class="tools">
        <label>Filter <input type="search" value={filter.value} placeholder="turn, transcript, told …"
          onInput={(event) => (filter.value = event.currentTarget.value)} /></label>
        <label>Of the last <select value={seconds.value} onChange={(event) => {
          seconds.value = Number(event.currentTarget.value);
          zoom.value = null;
        }}>
          {WINDOWS.map(([title, value]) => <option value={value} key={title}>{title}</option>)}
        </select></label>
        <button type="button" aria-pressed={frozen.value !== null}
          onClick={() => (frozen.value = frozen.value === null ? [...robot.events] : null)}>
          {frozen.value === null ? "Hold still" : "Go on"}
        </button>
        <span class="quiet">{matching.length} of {all.length}</span>
      </div>
      {all.length > 0 && (
        <Overview events={named} span={span} whole={whole} chosen={chosen.value}
          zoom={(part) => {
            zoom.value = part;
            if (part === null) seconds.value = 0;
          }} pick={(n) => (chosen.value = n)} />
      )}
      {all.length === 0 && <p class="empty">Nothing has happened yet.</p>}
      <div class="timeline">
        <ol class="events">
          {shown.map((entry) => <Row entry={entry} first={first} chosen={chosen.value === entry.n} pick={(n) => (chosen.value = n)} key={entry.n} />)}
        </ol>
        {picked !== undefined && <Chosen entry={picked} all={all} first={first} pick={(n) => (chosen.value = n)} />}
      </div>
    </Card>
  );
}

function Row({ entry, first, chosen, pick }: {
  entry: Entry; first: number; chosen: boolean; pick: (n: number) => void;
}) {
  void revision.value;
  return (
    <li>
      <button type="button" class={chosen ? "event chosen" : "event"} onClick={() => pick(entry.n)}>
        <span class="number">{((entry.t_ns - first) / 1e9).toFixed(3)}</span>
        <span class={`kind ${entry.type.split(".")[0] ?? ""}`}>{nameOf(entry)}</span>
        <span class="quiet">{entry.turn ? `turn ${entry.turn}` : ""}</span>
      </button>
    </li>
  );
}

function Chosen({ entry, all, first, pick }: {
  entry: Entry; all: readonly Entry[]; first: number; pick: (n: number) => void;
}) {
  void revision.value;
  const before = causesOf(all, entry);
  const after = effectsOf(all, entry);
  return (
    <div class="chosen-event" role="region" aria-label="The chosen event">
      <h3>{nameOf(entry)}</h3>
      {before.length > 0 && <><h4>Because of</h4><ol class="events">{before.map((each) => <Row entry={each} first={first} chosen={false} pick={pick} key={each.n} />)}</ol></>}
      <pre>{JSON.stringify(entry.body ?? {}, null, 2)}</pre>
      <p class="quiet">n {entry.n}{entry.src ? ` · from ${entry.src}` : ""}{entry.peer ? ` · to ${entry.peer}` : ""}</p>
      {after.length > 0 && <><h4>Led to</h4><ol class="events">{after.map((each) => <Row entry={each} first={first} chosen={false} pick={pick} key={each.n} />)}</ol></>}
    </div>
  );
}

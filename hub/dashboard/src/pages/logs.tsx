/** The hub's own log as it is written, and the traces that it keeps: for administrators. */

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { call, read, told } from "../api.ts";
import { Card } from "../app.tsx";
import { about } from "../store.ts";

interface Line {
  n: number;
  at: string;
  level: string;
  event: string;
  keys: Record<string, string | number | boolean>;
}

const EVERY_MS = 2000;
const KEPT = 500;
const LEVELS = ["debug", "info", "warning", "error"] as const;

export function Logs() {
  const logged = useSignal<Line[]>([]);
  const level = useSignal<string>("info");
  const wanted = useSignal("");
  useEffect(() => {
    let timer = 0;
    let gone = false;
    logged.value = [];
    const look = async (): Promise<void> => {
      if (!document.hidden) {
        try {
          const after = logged.peek().at(-1)?.n ?? 0;
          const { lines } = await read<{ lines: Line[] }>(`logs?after=${after}`);
          if (lines.length > 0) logged.value = [...logged.peek(), ...lines].slice(-KEPT);
        } catch {
          // It is not there, or this token may not look: the page says so elsewhere.
        }
      }
      if (!gone) timer = window.setTimeout(() => void look(), EVERY_MS);
    };
    void look();
    return () => {
      gone = true;
      clearTimeout(timer);
    };
  }, [about.value.boot]);
  const least = LEVELS.indexOf(level.value as (typeof LEVELS)[number]);
  const filter = wanted.value.trim().toLowerCase();
  const shown = logged.value.filter((line) =>
    rank(line.level) >= least && `${line.event} ${keysOf(line)}`.toLowerCase().includes(filter));
  return (
    <Card title="Log" wide>
      <div class="tools">
        <label>From <select value={level.value} onChange={(event) => (level.value = event.currentTarget.value)}>
          {LEVELS.map((each) => <option key={each}>{each}</option>)}
        </select></label>
        <label>With <input type="search" value={wanted.value} onInput={(event) => (wanted.value = event.currentTarget.value)} /></label>
        <span class="quiet">{shown.length} of {logged.value.length} lines</span>
      </div>
      {shown.length === 0 ? <p class="empty">Nothing has been logged that fits.</p> : (
        <ol class="log" tabIndex={0} aria-label="Lines of the log, the newest first">
          {shown.slice(-200).reverse().map((line) => (
            <li key={line.n} class={line.level}>
              <time dateTime={line.at}>{timeOf(line.at)}</time> <span class="level">{line.level}</span> <strong>{line.event}</strong> <span class="quiet">{keysOf(line)}</span>
            </li>
          ))}
        </ol>
      )}
    </Card>
  );
}

function rank(level: string): number {
  const at = LEVELS.indexOf(level as (typeof LEVELS)[number]);
  return at < 0 ? LEVELS.length : at;
}

function keysOf(line: Line): string {
  return Object.entries(line.keys).map(([name, value]) => `${name}=${value}`).join(" ");
}

function timeOf(at: string): string {
  const when = new Date(at);
  return Number.isNaN(when.getTime()) ? at : when.toLocaleTimeString();
}

interface Trace {
  name: string;
  bytes: number;
  changed_s: number;
}

interface Kept {
  tracing: boolean;
  words: boolean;
  traces: Trace[];
}

export function Traces() {
  const kept = useSignal<Kept | null>(null);
  const loading = useSignal("");
  const look = async (): Promise<void> => {
    kept.value = await read<Kept>("traces");
  };
  useEffect(() => void look().catch(() => undefined), []);
  const fetchOne = async (name: string): Promise<void> => {
    loading.value = name;
    await told(async () => save(name, await (await call(`traces/${encodeURIComponent(name)}`)).blob()));
    loading.value = "";
  };
  const now = kept.value;
  if (now === null) return null;
  return (
    <Card title="Recordings" wide>
      <p class="quiet">
        {now.tracing ? `This run writes a trace, ${now.words ? "with words and sound" : "without words and sound"}.` : "This run writes no trace: set HUB_TRACE=1 for one, and HUB_RECORD=1 for words and sound in it."}
      </p>
      {now.traces.length > 0 && (
        <div class="scroll">
          <table class="list">
            <thead><tr><th>file</th><th>size</th><th>written</th><th><span class="hidden">download</span></th></tr></thead>
            <tbody>
              {now.traces.map((trace) => (
                <tr key={trace.name}>
                  <td>{trace.name}</td>
                  <td class="number">{sizeOf(trace.bytes)}</td>
                  <td>{new Date(trace.changed_s * 1000).toLocaleString()}</td>
                  <td class="act"><button type="button" disabled={loading.value !== ""} onClick={() => void fetchOne(trace.name)}>
                    {loading.value === trace.name ? "Loading …" : "Download"}
                  </button></td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      <button type="button" onClick={() => void told(look)}>Look again</button>
    </Card>
  );
}

function save(name: string, content: Blob): void {
  const url = URL.createObjectURL(content);
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

function sizeOf(bytes: number): string {
  return bytes < 1 << 20 ? `${Math.ceil(bytes / 1024)} KiB` : `${(bytes / (1 << 20)).toFixed(1)} MiB`;
}

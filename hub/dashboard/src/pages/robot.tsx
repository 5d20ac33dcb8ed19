/** One robot: what is said and heard, why it went so, where the time went, what happened. */

import { useSignal } from "@preact/signals";
import { useEffect, useMemo, useState } from "preact/hooks";
import { call, told } from "../api.ts";
import { Card } from "../app.tsx";
import { MOODS } from "../face.ts";
import { moodsOf } from "../moods.ts";
import { Face } from "../canvas.tsx";
import { Chart } from "../chart.tsx";
import { about, hubNowNs, link, model, revision } from "../store.ts";
import type { Robot, Turn } from "../robot.ts";
import { heardOf } from "../heard.ts";
import { label, waterfall } from "../waterfall.ts";
import { Waveform } from "../waveform.tsx";
import { dropped, standingOf, whyOf } from "../why.ts";
import { standing } from "./robots.tsx";
import { Timeline } from "./timeline.tsx";

export function RobotPage({ name }: { name: string }) {
  void revision.value;
  const robot = model.value.robots.get(name);
  if (robot === undefined) {
    return (
      <>
        <h1>{name}</h1>
        <p class="empty">{link.value === "open" ? "This robot has not been here since the hub was started." : "…"}</p>
      </>
    );
  }
  return (
    <>
      <h1><a href="#/robots" class="plain">Robots</a> / {name}</h1>
      <div class="robot">
        <div class="side">
          <Now robot={robot} />
        </div>
        <div class="middle">
          <Conversation robot={robot} />
          <Card title="Sound"><Waveform robot={robot} /></Card>
          <Latency robot={robot} />
          <Actions robot={robot} />
        </div>
        <div class="side more">
          <Camera robot={robot} />
          <Feelings robot={robot} />
        </div>
      </div>
      <Timeline robot={robot} />
    </>
  );
}

function Now({ robot }: { robot: Robot }) {
  void revision.value;
  return (
    <Card title="Now">
      <Face robot={robot} wide={640} />
      <p class="sentence" role="status">{standingOf(standing(robot))}</p>
      <dl class="pairs">
        <dt>Mood</dt><dd>{robot.emotion} {robot.intensity.toFixed(1)}{robot.reason === "" ? "" : ` (${robot.reason})`}</dd>
        <dt>Conversation</dt><dd>{robot.conversation}{robot.ducked ? ", held back" : ""}</dd>
        <dt>Listens</dt><dd>{listens(robot)}</dd>
        <dt>Muted</dt><dd>{MUTES[robot.mute] ?? robot.mute}</dd>
        <dt>Hears</dt><dd>{robot.hearing ? "a voice" : robot.lastDropped === "" ? "nothing" : `nothing (last: ${dropped(robot.lastDropped)})`}</dd>
        {robot.unaddressed > 0 && <><dt>Not to it</dt><dd>{robot.unaddressed} × somebody spoke to somebody else</dd></>}
        <dt>Its own voice</dt><dd>{robot.aec === "" || robot.aec === "none" ? "is not removed: no barge-in by voice" : `is removed by the ${robot.aec}`}</dd>
        {robot.client !== "" && <><dt>Client</dt><dd>{robot.client}</dd></>}
        {robot.batteryMv > 0 && <><dt>Battery</dt><dd>{(robot.batteryMv / 1000).toFixed(2)} V{robot.batteryPct >= 0 ? `, ${robot.batteryPct} %` : ""}{robot.charging ? ", charging" : ""}</dd></>}
      </dl>
      {about.value.words && robot.connected && <Attention robot={robot} />}
    </Card>
  );
}

const MUTES: Record<string, string> = {
  off: "no", software: "yes, from here or by a program", hardware: "yes, by the switch of its microphone",
};

function listens(robot: Robot): string {
  const called = robot.attention === "wake_word" && robot.awake ? ", called" : "";
  return `${robot.attention.replaceAll("_", " ")}${called}${robot.held ? ", button held" : ""}`;
}

/** How it is to listen, chosen from here. */
function Attention({ robot }: { robot: Robot }) {
  void revision.value;
  const choose = (wish: Record<string, string | boolean>): void => {
    void told(() => call(`robots/${encodeURIComponent(robot.name)}/attention`, {
      method: "PUT", body: JSON.stringify(wish), headers: { "Content-Type": "application/json" },
    }));
  };
  return (
    <div class="tools choose">
      <label>Let it listen <select value={robot.attention} onChange={(event) => choose({ attention: event.currentTarget.value })}>
        <option value="open">always</option>
        <option value="wake_word">after its wake word</option>
        <option value="push_to_talk">while its button is held</option>
      </select></label>
      <button type="button" aria-pressed={robot.mute === "software"} disabled={robot.mute === "hardware"}
        onClick={() => choose({ muted: robot.mute === "off" })}>
        {robot.mute === "off" ? "Mute" : "Unmute"}
      </button>
    </div>
  );
}

function Conversation({ robot }: { robot: Robot }) {
  void revision.value;
  const turns = robot.turns.slice(-12);
  return (
    <Card title="Conversation" wide>
      {!about.value.words && <p class="quiet">This token may not hear: words are left out.</p>}
      {turns.some(partlyHeard) && <p class="quiet"><em>Slanted</em>: generated, but not heard.</p>}
      <ol class="talk" aria-live="polite">
        {turns.map((turn) => <Exchange turn={turn} key={turn.number} />)}
      </ol>
      {robot.saying !== null && <Saying robot={robot} />}
      {turns.length === 0 && robot.saying === null && <p class="empty">Nothing has been said yet.</p>}
    </Card>
  );
}

function partlyHeard(turn: Turn): boolean {
  return turn.outcome !== "" && heardOf(turn.response, turn.heard)[1] !== "";
}

function Saying({ robot }: { robot: Robot }) {
  void revision.value;
  const saying = robot.saying;
  if (saying === null) return null;
  return (
    <p class="bubble user live" data-live="partial">
      <span>{saying.text.slice(0, saying.stable)}</span>
      <span class="quiet">{saying.text.slice(saying.stable)}{saying.final ? "" : "…"}</span>
    </p>
  );
}

function Exchange({ turn }: { turn: Turn }) {
  void revision.value;
  const why = whyOf(turn);
  const [heard, rest] = heardOf(turn.response, turn.heard);
  return (
    <li data-turn={turn.number}>
      {turn.user !== "" && <p class="bubble user">{turn.user}</p>}
      {(heard !== "" || rest !== "") && (
        <p class={turn.outcome === "" ? "bubble said live" : "bubble said"}>
          <span class="heard">{heard}</span>
          {rest !== "" && <span class="unheard" title="generated, not heard">{rest}</span>}
        </p>
      )}
      <p class="meta">
        <span>turn {turn.number}</span>
        {turn.outcome !== "" && <span class={`chip ${turn.outcome}`}>{turn.outcome}</span>}
        {turn.responder !== "" && <span class="quiet">answered by {turn.responder}</span>}
        {turn.wordsHidden && <span class="quiet">words are not kept</span>}
      </p>
      {why !== null && <p class="why">{why}</p>}
    </li>
  );
}

function Latency({ robot }: { robot: Robot }) {
  void revision.value;
  const turns = robot.turns.filter((turn) => turn.segments.length > 0).slice(-5).reverse();
  const longest = Math.max(1, ...turns.map((turn) => waterfall(turn.segments).totalMs));
  return (
    <Card title="Where the time went" wide>
      {turns.length === 0 && <p class="empty">No turn has been answered by voice yet.</p>}
      {turns.map((turn) => <Bars turn={turn} longest={longest} key={turn.number} />)}
    </Card>
  );
}

function Bars({ turn, longest }: { turn: Turn; longest: number }) {
  void revision.value;
  const { bars, totalMs } = waterfall(turn.segments);
  return (
    <figure class="waterfall">
      <figcaption>
        Turn {turn.number}: <strong>{totalMs.toFixed(1)} ms</strong> from the end of speech to the first sound
      </figcaption>
      <table>
        <thead class="hidden"><tr><th>step</th><th>when</th><th>how long</th></tr></thead>
        <tbody>
          {bars.map((bar, at) => (
            <tr key={bar.name}>
              <th scope="row">{label(bar.name)}</th>
              <td class="lane">
                <span
                  class={`bar bar${at % 8}`}
                  style={{ marginLeft: `${(100 * bar.startMs) / longest}%`, width: `${(100 * bar.ms) / longest}%` }}
                />
              </td>
              <td class="number">{bar.ms.toFixed(1)} ms</td>
            </tr>
          ))}
        </tbody>
      </table>
    </figure>
  );
}

function Actions({ robot }: { robot: Robot }) {
  void revision.value;
  if (robot.actions.length === 0) return null;
  return (
    <Card title="Actions and their fate" wide>
      <table class="list">
        <thead><tr><th>turn</th><th>action</th><th>within</th><th>fate</th></tr></thead>
        <tbody>
          {robot.actions.slice(-12).reverse().map((action) => {
            const late = action.fate === "sent" && action.ttlMs > 0 && hubNowNs() - action.askedNs > action.ttlMs * 1e6;
            return (
              <tr key={action.id}>
                <td>{action.turn || ""}</td>
                <td>{action.action} {action.name}</td>
                <td>{action.ttlMs > 0 ? `${action.ttlMs} ms` : ""}</td>
                <td><span class={`chip ${late ? "expired" : action.fate}`}>{late ? "expired" : action.fate}</span> {action.detail}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </Card>
  );
}

const FEELINGS = [
  { label: "valence", colour: "#2f9e6e" },
  { label: "arousal", colour: "#c7761f" },
] as const;
const NS = 1e9;

function Feelings({ robot }: { robot: Robot }) {
  void revision.value;
  const now = Math.floor(hubNowNs() / NS);
  const felt = useMemo(() => {
    const recent = robot.feelings.filter((each) => each.t_ns / NS > now - 60);
    const last = robot.feelings.at(-1);
    if (last !== undefined) recent.push({ ...last, t_ns: now * NS });
    return [
      recent.map((each) => each.t_ns / NS - now),
      recent.map((each) => each.valence),
      recent.map((each) => each.arousal),
    ] as [number[], number[], number[]];
  }, [robot, now]);
  return (
    <Card title="Feelings over the last minute">
      <p class="legend"><span class="dot green" /> valence <span class="dot amber" /> arousal</p>
      <Moods robot={robot} now={now} />
      <Chart lines={FEELINGS} data={felt} range={[-1, 1]} label="Valence and arousal over the last minute" />
    </Card>
  );
}

/** Which mood was shown when, as stretches of the same minute. */
function Moods({ robot, now }: { robot: Robot; now: number }) {
  const stretches = moodsOf(robot.feelings, now - 60, now);
  if (stretches.length === 0) return null;
  return (
    <ol class="moods" aria-label="Moods over the last minute">
      {stretches.map((each) => (
        <li key={each.from} title={each.emotion}
          style={{ left: `${(100 * (each.from - now + 60)) / 60}%`, width: `${(100 * (each.to - each.from)) / 60}%`, background: (MOODS[each.emotion] ?? MOODS["neutral"]!).colour }}>
          <span>{each.emotion}</span>
        </li>
      ))}
    </ol>
  );
}

const PICTURE_MS = 1000;
const NO_PICTURE_MS = 10_000;

function Camera({ robot }: { robot: Robot }) {
  void revision.value;
  const [shown, show] = useState("");
  const age = useSignal("");
  useEffect(() => {
    let url = "";
    let timer = 0;
    let gone = false;
    const look = async (): Promise<void> => {
      if (!document.hidden) {
        try {
          const answer = await call(`observe/${encodeURIComponent(robot.name)}/camera`);
          if (gone) return;
          if (answer.status === 204) {
            timer = window.setTimeout(() => void look(), NO_PICTURE_MS);
            return;
          }
          const jpeg = await answer.blob();
          const old = url;
          url = URL.createObjectURL(jpeg);
          show(url);
          age.value = answer.headers.get("X-Picture-Age-Ms") ?? "";
          if (old !== "") URL.revokeObjectURL(old);
        } catch {
          return; // nobody with this token may see what it sees: that does not change by asking
        }
      }
      if (!gone) timer = window.setTimeout(() => void look(), PICTURE_MS);
    };
    if (robot.connected && about.value.words) void look();
    return () => {
      gone = true;
      clearTimeout(timer);
      if (url !== "") URL.revokeObjectURL(url);
    };
  }, [robot.name, robot.connected]);
  if (shown === "") return null;
  const seen = robot.balls;
  return (
    <Card title="Camera">
      <div class="camera">
        <img src={shown} alt={`What ${robot.name} sees`} />
        {seen !== null && seen.width > 0 && (
          <svg viewBox={`0 0 ${seen.width} ${seen.height}`} aria-hidden="true">
            {seen.balls.map((ball, at) => <circle cx={ball.x} cy={ball.y} r={ball.radius} key={at} />)}
          </svg>
        )}
      </div>
      <p class="quiet">{age.value === "" ? "" : `${age.value} ms old`}{seen !== null && seen.balls.length > 0 ? ` · ${seen.balls.map((ball) => `${ball.colour} ball`).join(", ")}` : ""}</p>
    </Card>
  );
}

/** The hub itself: agents and their models, jobs, losses, how late it is. */

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { call, post, read, Refused, told } from "../api.ts";
import { Card } from "../app.tsx";
import { about, link, notice } from "../store.ts";
import { lines } from "../lines.ts";
import { LossesByClass, Queues, type Losses } from "./losses.tsx";
import { Logs, Traces } from "./logs.tsx";
import { Tokens } from "./tokens.tsx";

interface Agent {
  kind: string;
  role: string;
  state: string;
  backend: string;
  model: string;
  capacity: number;
  active: number;
  progress: string;
  lag_ms: number;
  drops: Record<string, number>;
  model_state?: string;
  model_asked?: string;
  model_detail?: string;
  memory_mib?: number;
}

interface Status {
  hub_id: string;
  version: string;
  ready: boolean;
  draining: boolean;
  tracing: boolean;
  recording: boolean;
  degraded: Record<string, string>;
  restarts: Record<string, number>;
  violations: Record<string, number>;
  loop: { p99_ms: number; worst_ms: number };
  robots: string[];
  agents: Record<string, Agent>;
  losses: Losses;
  counters: Record<string, number>;
}

interface Job {
  id: string;
  request: string;
  agent: string;
  job_class: string;
  state: string;
  client: string | null;
  robot: string;
  model: string;
  waited_s: number;
  ran_s: number;
  code: string;
  progress: number | null;
}

interface Waits {
  queues: Record<string, { pending_requests: number; priority: number }>;
  system: { cpu_percent: number | null; memory_percent: number | null };
}

interface Health {
  gpu_budget?: Record<string, unknown>;
}

const EVERY_MS = 2000;

export function SystemPage() {
  const status = useSignal<Status | null>(null);
  const jobs = useSignal<Job[]>([]);
  const queues = useSignal<Waits | null>(null);
  const health = useSignal<Health | null>(null);
  const refused = useSignal("");

  const refresh = async (): Promise<void> => {
    try {
      const [now, listed, waiting] = await Promise.all([
        read<Status>("status"), read<{ jobs: Job[] }>("jobs"), read<Waits>("queue-status"),
      ]);
      status.value = now;
      jobs.value = listed.jobs;
      queues.value = waiting;
      refused.value = "";
    } catch (error) {
      if (error instanceof Refused) refused.value = error.message;
    }
  };

  useEffect(() => {
    let timer = 0;
    let gone = false;
    const again = async (): Promise<void> => {
      if (!document.hidden) await refresh();
      if (!gone) timer = window.setTimeout(() => void again(), EVERY_MS);
    };
    void again();
    read<Health>("health").then((found) => (health.value = found), () => undefined);
    return () => {
      gone = true;
      clearTimeout(timer);
    };
  }, []);

  const now = status.value;
  return (
    <>
      <h1>System</h1>
      {refused.value !== "" && <p class="notice" role="alert">{refused.value}</p>}
      {now === null ? <p class="empty">{refused.value === "" ? "…" : ""}</p> : (
        <div class="cards">
          <Overview status={now} queues={queues.value} />
          {about.value.words && <Pairing />}
          <Queues />
          <Agents status={now} refresh={refresh} />
          <Jobs jobs={jobs.value} queues={queues.value} refresh={refresh} />
          <LossesByClass losses={now.losses} />
          {health.value?.gpu_budget !== undefined && <Budget budget={health.value.gpu_budget} />}
          <Counters title="Refusals and losses by name" counters={now.counters} only={isLoss} folded />
          <Counters title="All counters" counters={now.counters} only={() => true} folded />
          {about.value.words && <><Tokens /><Traces /><Logs /></>}
        </div>
      )}
    </>
  );
}

function isLoss(name: string): boolean {
  return /lost|drop|refus|expired|fail|overrun|stale|fenced|slow|bad_|half_open|denied|late/.test(name);
}

function Overview({ status, queues }: { status: Status; queues: Waits | null }) {
  const broken = Object.entries(status.violations).filter(([, count]) => count > 0);
  const system = queues?.system;
  return (
    <Card title="The hub">
      <p>
        <span class={status.ready ? "chip ready" : "chip failed"}>{status.ready ? "ready" : "not ready"}</span>
        {status.draining && <span class="chip failed">draining</span>}
        {status.tracing && <span class="chip">tracing</span>}
        {link.value === "lost" && <span class="chip failed">no answer</span>}
      </p>
      <dl class="pairs">
        <dt>Robots</dt><dd>{status.robots.length}</dd>
        <dt>Loop late by</dt><dd>{Math.min(status.loop.p99_ms, status.loop.worst_ms).toFixed(1)} ms (99 %), {status.loop.worst_ms.toFixed(1)} ms at worst</dd>
        {system !== undefined && system.cpu_percent !== null && <><dt>Processor</dt><dd>{system.cpu_percent.toFixed(0)} %</dd></>}
        {system !== undefined && system.memory_percent !== null && <><dt>Memory</dt><dd>{system.memory_percent.toFixed(0)} %</dd></>}
        <dt>Broken invariants</dt>
        <dd>{broken.length === 0 ? "none" : broken.map(([name, count]) => `${name}: ${count}`).join(", ")}</dd>
      </dl>
      {Object.entries(status.degraded).map(([name, why]) => <p class="bad" key={name}>{name}: {why}</p>)}
    </Card>
  );
}

interface Waiting {
  robot_id: string;
  code: string;
  address: string;
}

/** Robots that ask to be let in; whoever sees this page as an administrator may. */
function Pairing() {
  const waiting = useSignal<Waiting[]>([]);
  const let_in = useSignal("");
  const look = async (): Promise<void> => {
    waiting.value = (await read<{ waiting: Waiting[] }>("pairing/waiting")).waiting;
  };
  useEffect(() => {
    const timer = setInterval(() => {
      if (!document.hidden) void look().catch(() => undefined);
    }, EVERY_MS);
    void look().catch(() => undefined);
    return () => clearInterval(timer);
  }, []);
  const confirm = (robot: Waiting): void => {
    void told(async () => {
      await post("pairing/confirm", { code: robot.code });
      let_in.value = robot.robot_id;
      await look();
    });
  };
  return (
    <Card title="Pairing">
      {waiting.value.length === 0 && <p class="empty">No robot waits to be let in.</p>}
      {waiting.value.map((robot) => (
        <p class="agent" key={robot.code}>
          <strong>{robot.robot_id}</strong> <span class="quiet">{robot.address}</span>
          <span>shows <code>{robot.code}</code></span>
          <button type="button" onClick={() => confirm(robot)}>Let in</button>
        </p>
      ))}
      {let_in.value !== "" && <p role="status">{let_in.value} has been let in.</p>}
    </Card>
  );
}

function Agents({ status, refresh }: { status: Status; refresh: () => Promise<void> }) {
  const agents = Object.entries(status.agents);
  return (
    <Card title="Agents and models" wide>
      {agents.length === 0 && <p class="empty">No agent is here.</p>}
      <ul class="agents">
        {agents.map(([instance, agent]) => (
          <li key={instance} data-agent={`${agent.kind}-${agent.role}`}>
            <AgentRow instance={instance} agent={agent} restarts={restartsOf(status, agent)} refresh={refresh} />
          </li>
        ))}
      </ul>
    </Card>
  );
}

function restartsOf(status: Status, agent: Agent): number {
  return status.restarts[`${agent.kind}-${agent.role}`] ?? status.restarts[agent.kind] ?? 0;
}

function AgentRow({ instance, agent, restarts, refresh }: {
  instance: string; agent: Agent; restarts: number; refresh: () => Promise<void>;
}) {
  const drops = Object.values(agent.drops).reduce((sum, count) => sum + count, 0);
  return (
    <>
      <p class="agent">
        <strong title={instance}>{agent.kind}</strong>
        {agent.role !== "primary" && <span class="quiet">{agent.role}</span>}
        <span class={`chip ${agent.state}`}>{agent.state}</span>
        <span>{agent.backend}{agent.model === "" || agent.model === agent.backend ? "" : ` · ${agent.model}`}</span>
        <span class="quiet">
          {agent.active} of {agent.capacity} busy
          {restarts > 0 ? ` · started anew ${restarts} ×` : ""}
          {agent.lag_ms >= 50 ? ` · ${agent.lag_ms.toFixed(0)} ms late` : ""}
          {drops > 0 ? ` · ${drops} dropped` : ""}
          {agent.memory_mib ? ` · ${agent.memory_mib} MiB` : ""}
        </span>
      </p>
      {agent.progress !== "" && <Loading progress={agent.progress} />}
      {agent.model_state !== undefined && <ModelForm agent={agent} refresh={refresh} />}
    </>
  );
}

/** What an agent tells of a load ends in a share where it knows one. */
function Loading({ progress }: { progress: string }) {
  const share = /(\d+)\s*%/.exec(progress)?.[1];
  return (
    <p class="loading">
      <progress max={100} value={share === undefined ? undefined : Number(share)} aria-label="Loading" /> {progress}
    </p>
  );
}

function ModelForm({ agent, refresh }: { agent: Agent; refresh: () => Promise<void> }) {
  const wanted = useSignal("");
  const step = useSignal("");
  const change = async (path: string, body: Record<string, string>): Promise<void> => {
    step.value = "asked …";
    await told(async () => {
      const answer = await post(path, body);
      for await (const line of lines(answer)) {
        const said = line as { step?: string; done?: number; total?: number; unit?: string; status?: string; detail?: string; code?: string };
        if (said.status === "failed") notice.value = said.detail ?? said.code ?? "it failed";
        if (said.step !== undefined) {
          step.value = said.total ? `${said.step} ${Math.round((100 * (said.done ?? 0)) / said.total)} %` : said.step;
        }
      }
      await refresh();
    });
    step.value = "";
  };
  const which = { kind: agent.kind, role: agent.role };
  const load = (event: Event): void => {
    event.preventDefault();
    const model = wanted.value.trim() || (agent.model_asked ?? agent.model);
    if (model !== "") void change("models/load", { ...which, model });
  };
  return (
    <form class="tools" onSubmit={load}>
      <span class={`chip ${agent.model_state}`}>model {agent.model_state}</span>
      {agent.model_detail !== undefined && agent.model_detail !== "" && <span class="bad">{agent.model_detail}</span>}
      <label>Model <input value={wanted.value} placeholder={agent.model_asked || agent.model} onInput={(event) => (wanted.value = event.currentTarget.value)} /></label>
      <button type="submit" disabled={step.value !== ""}>{agent.model_state === "unloaded" || wanted.value.trim() === "" ? "Load" : "Switch"}</button>
      <button type="button" disabled={step.value !== "" || agent.model_state === "unloaded"} onClick={() => void change("models/unload", which)}>Unload</button>
      {step.value !== "" && <span role="status">{step.value}</span>}
    </form>
  );
}

function Jobs({ jobs, queues, refresh }: { jobs: Job[]; queues: Waits | null; refresh: () => Promise<void> }) {
  const cancel = (id: string): void => {
    void told(async () => {
      await call(`jobs/${encodeURIComponent(id)}`, { method: "DELETE" });
      await refresh();
    });
  };
  const waiting = Object.entries(queues?.queues ?? {}).filter(([, queue]) => queue.pending_requests > 0);
  return (
    <Card title="Jobs" wide>
      {waiting.length > 0 && <p>{waiting.map(([model, queue]) => `${queue.pending_requests} wait for ${model}`).join(", ")}</p>}
      {jobs.length === 0 ? <p class="empty">No job is under way, and none was in the last ten minutes.</p> : (
        <div class="scroll">
          <table class="list">
            <thead><tr><th>job</th><th>class</th><th>for</th><th>state</th><th>waited</th><th>ran</th><th><span class="hidden">cancel</span></th></tr></thead>
            <tbody>
              {jobs.slice(0, 50).map((job) => (
                <tr key={job.id} data-job={job.id}>
                  <td>{job.request}<br /><span class="quiet">{job.model || job.agent}</span></td>
                  <td>{job.job_class}</td>
                  <td>{job.robot || job.client || ""}</td>
                  <td>
                    <span class={`chip ${job.state}`}>{job.state}</span> {job.code}
                    {job.state === "running" && job.progress !== null && (
                      <progress class="share" max={1} value={job.progress} aria-label="How much is done" />
                    )}
                  </td>
                  <td class="number">{job.waited_s.toFixed(1)} s</td>
                  <td class="number">{job.ran_s.toFixed(1)} s</td>
                  <td>{(job.state === "queued" || job.state === "running") && (
                    <button type="button" onClick={() => cancel(job.id)}>Cancel</button>
                  )}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </Card>
  );
}

function Counters({ title, counters, only, folded }: {
  title: string; counters: Record<string, number>; only: (name: string) => boolean; folded?: boolean;
}) {
  const shown = Object.entries(counters).filter(([name, count]) => count > 0 && only(name));
  const list = (
    <dl class="pairs counts">
      {shown.map(([name, count]) => [<dt key={name}>{name}</dt>, <dd key={`${name}=`} class="number">{count}</dd>])}
    </dl>
  );
  return (
    <Card title={title}>
      {shown.length === 0 ? <p class="empty">None.</p> : folded ? <details><summary>{shown.length} of them</summary>{list}</details> : list}
    </Card>
  );
}

function Budget({ budget }: { budget: Record<string, unknown> }) {
  const plain = Object.entries(budget).filter(([, value]) => ["number", "string", "boolean"].includes(typeof value));
  return (
    <Card title="GPU budget">
      <dl class="pairs counts">
        {plain.map(([name, value]) => [<dt key={name}>{name.replaceAll("_", " ")}</dt>, <dd key={`${name}=`}>{String(value)}</dd>])}
      </dl>
    </Card>
  );
}

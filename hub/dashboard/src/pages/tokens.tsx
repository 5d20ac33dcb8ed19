/** Who may come in: tokens are made here, shown once, and taken back. */

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { call, post, read, token, told } from "../api.ts";
import { Card } from "../app.tsx";

interface Token {
  id: string;
  scope: string;
  robot: string;
  label: string;
  rate: number | null;
  created_s: number;
  own: boolean;
}

const SCOPES = [
  ["robot", "robot: be one robot"],
  ["client", "client: use models and robots"],
  ["observer", "observer: look, without words"],
  ["admin", "admin: everything"],
] as const;

export function Tokens() {
  const tokens = useSignal<Token[] | null>(null);
  const made = useSignal("");
  const sure = useSignal("");
  const look = async (): Promise<void> => {
    tokens.value = (await read<{ tokens: Token[] }>("tokens")).tokens;
  };
  useEffect(() => void look().catch(() => undefined), []);
  const revoke = (id: string): void => {
    if (sure.value !== id) {
      sure.value = id;
      return;
    }
    sure.value = "";
    void told(async () => {
      await call(`tokens/${encodeURIComponent(id)}`, { method: "DELETE" });
      await look();
    });
  };
  const shown = tokens.value;
  return (
    <Card title="Tokens" wide>
      {shown !== null && shown.length === 0 && (
        <p class="empty">There is none: everybody on the hub's machine may do everything. From the first token on, nobody may without one.</p>
      )}
      {shown !== null && shown.length > 0 && (
        <div class="scroll">
          <table class="list">
            <thead><tr><th>id</th><th>for</th><th>label</th><th>made</th><th><span class="hidden">revoke</span></th></tr></thead>
            <tbody>
              {shown.map((one) => (
                <tr key={one.id} data-token={one.id}>
                  <td><code>{one.id}</code>{one.own && <><br /><span class="quiet">yours</span></>}</td>
                  <td><span class="chip">{one.scope}</span> {one.robot}{one.rate === null ? "" : <span class="quiet"> {one.rate} a minute</span>}</td>
                  <td>{one.label}</td>
                  <td>{new Date(one.created_s * 1000).toLocaleDateString()}</td>
                  <td class="act">
                    <button type="button" class={sure.value === one.id ? "danger" : undefined} onClick={() => revoke(one.id)}>
                      {sure.value === one.id ? "Really revoke" : "Revoke"}
                    </button>
                    {sure.value === one.id && <button type="button" class="plain" onClick={() => (sure.value = "")}>Keep</button>}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {made.value !== "" && (
        <p class="made" role="status">
          This is shown once: <code data-secret>{made.value}</code>
          <button type="button" class="plain" onClick={() => (made.value = "")}>I have it</button>
        </p>
      )}
      <NewToken made={async (secret) => {
        made.value = secret;
        if (shown?.length === 0) tokens.value = null; // who has no token of their own may look no more
        else await look();
      }} />
    </Card>
  );
}

function NewToken({ made }: { made: (secret: string) => Promise<void> }) {
  const scope = useSignal<string>("robot");
  const robot = useSignal("");
  const label = useSignal("");
  const add = (event: Event): void => {
    event.preventDefault();
    void told(async () => {
      const body = { scope: scope.value, robot: scope.value === "robot" ? robot.value.trim() : "", label: label.value };
      const answer = (await (await post("tokens", body)).json()) as { token: string };
      robot.value = label.value = "";
      await made(answer.token);
    });
  };
  return (
    <form class="tools" onSubmit={add} aria-label="New token">
      <label>Scope <select name="scope" value={scope.value} onChange={(event) => (scope.value = event.currentTarget.value)}>
        {SCOPES.map(([value, title]) => <option value={value} key={value}>{title}</option>)}
      </select></label>
      {scope.value === "robot" && (
        <label>Its robot <input value={robot.value} required pattern="[A-Za-z0-9._\-]{1,64}" onInput={(event) => (robot.value = event.currentTarget.value)} /></label>
      )}
      <label>Label <input value={label.value} maxLength={100} onInput={(event) => (label.value = event.currentTarget.value)} /></label>
      <button type="submit">Make a token</button>
      {token() === "" && <span class="quiet">Make an admin's first, and sign in with it.</span>}
    </form>
  );
}

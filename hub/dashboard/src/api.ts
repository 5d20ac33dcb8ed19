/** HTTP of the hub, with the token of this tab. Addresses are relative: a proxy may put a path before. */

import { needsToken, notice } from "./store.ts";

const KEPT = "robot-hub.token";

/** A token lives as long as its tab. */
export function token(): string {
  return sessionStorage.getItem(KEPT) ?? "";
}

export function keepToken(value: string): void {
  if (value === "") sessionStorage.removeItem(KEPT);
  else sessionStorage.setItem(KEPT, value);
}

export class Refused extends Error {
  constructor(readonly status: number, message: string) {
    super(message);
  }
}

export async function call(path: string, init: RequestInit = {}): Promise<Response> {
  const headers = new Headers(init.headers);
  headers.set("Accept", "application/json");
  if (token() !== "") headers.set("Authorization", `Bearer ${token()}`);
  const answer = await fetch(path, { ...init, headers, cache: "no-store" });
  if (answer.status === 401) needsToken.value = true;
  if (!answer.ok) throw new Refused(answer.status, await detail(answer));
  return answer;
}

async function detail(answer: Response): Promise<string> {
  try {
    const body: unknown = await answer.json();
    if (body !== null && typeof body === "object") {
      const { detail, error } = body as { detail?: unknown; error?: unknown };
      if (typeof detail === "string") return detail;
      if (typeof error === "string") return error;
    }
  } catch {
    // An answer that is no JSON says no more than its status.
  }
  return `HTTP ${answer.status}`;
}

export async function read<T>(path: string): Promise<T> {
  return (await (await call(path)).json()) as T;
}

export async function post(path: string, body: unknown): Promise<Response> {
  return call(path, {
    method: "POST",
    body: JSON.stringify(body),
    headers: { "Content-Type": "application/json" },
  });
}

/** The address of a WebSocket, with a one-use ticket where there is a token. */
export async function socketUrl(path: string, query: Record<string, string>): Promise<string> {
  const url = new URL(path, document.baseURI);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  url.hash = "";
  for (const [name, value] of Object.entries(query)) if (value !== "") url.searchParams.set(name, value);
  if (token() !== "") {
    const { ticket } = (await (await call("tickets", { method: "POST" })).json()) as { ticket: string };
    url.searchParams.set("ticket", ticket);
  }
  return url.href;
}

/** Tell the person what a request came to nothing by. */
export async function told(work: () => Promise<unknown>): Promise<void> {
  try {
    notice.value = "";
    await work();
  } catch (error) {
    notice.value = error instanceof Error ? error.message : "it did not work";
  }
}

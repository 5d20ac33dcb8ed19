/** The frame around every page: where one is, whether the hub answers, and the way in. */

import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { keepToken, token } from "./api.ts";
import { RobotPage } from "./pages/robot.tsx";
import { RobotsPage } from "./pages/robots.tsx";
import { SystemPage } from "./pages/system.tsx";
import { TalkPage } from "./pages/talk.tsx";
import { route } from "./route.ts";
import { about, dropped, link, needsToken, notice } from "./store.ts";

const PAGES = [
  ["robots", "Robots"],
  ["talk", "Talk"],
  ["system", "System"],
] as const;

export function App() {
  return (
    <>
      <a class="skip" href="#main" onClick={skip}>To the page</a>
      <Header />
      <main id="main" tabIndex={-1}>
        {notice.value !== "" && (
          <p class="notice" role="alert">
            {notice.value} <button type="button" class="plain" onClick={() => (notice.value = "")}>Close</button>
          </p>
        )}
        {needsToken.value ? <Login /> : <Page />}
      </main>
      <Footer />
    </>
  );
}

function skip(event: Event): void {
  event.preventDefault();
  document.getElementById("main")?.focus();
}

function Page() {
  const { page, robot } = route.value;
  switch (page) {
    case "robot":
      return <RobotPage name={robot} key={robot} />;
    case "talk":
      return <TalkPage />;
    case "system":
      return <SystemPage />;
    default:
      return <RobotsPage />;
  }
}

function Header() {
  const here = route.value.page === "robot" ? "robots" : route.value.page;
  return (
    <header>
      <span class="brand">Robot Hub</span>
      <nav aria-label="Pages">
        {PAGES.map(([page, title]) => (
          <a href={`#/${page}`} aria-current={here === page ? "page" : undefined} key={page}>{title}</a>
        ))}
      </nav>
      <Link />
    </header>
  );
}

function Link() {
  if (needsToken.value) return <span class="pill">signed out</span>;
  const state = link.value;
  const words = { open: "live", connecting: "connecting", lost: "no answer" }[state];
  return <span class={`pill ${state}`} role="status">{words}</span>;
}

function Login() {
  const typed = useSignal("");
  const submit = (event: Event): void => {
    event.preventDefault();
    keepToken(typed.value.trim());
    notice.value = "";
    needsToken.value = false;
  };
  return (
    <form class="card narrow" onSubmit={submit}>
      <h1>A token is needed</h1>
      <p>
        Make one on the hub's machine with <code>robot-hub tokens add --scope observer</code>, or with
        scope <code>admin</code> to hear what is said and to change things. It is kept in this tab only.
      </p>
      <label>
        Token
        <input
          type="password" name="token" autocomplete="off" required value={typed.value}
          onInput={(event) => (typed.value = event.currentTarget.value)}
        />
      </label>
      {token() !== "" && <p class="bad">The token that was given is not known here, or may not look.</p>}
      <button type="submit">Sign in</button>
    </form>
  );
}

function Footer() {
  const { version, hubId, words, recording, bench } = about.value;
  return (
    <footer>
      <span>{version === "" ? "" : `version ${version} · ${hubId}`}</span>
      {recording && <strong class="warn">What people say is being recorded</strong>}
      {bench && <strong class="warn">Bench mode: the engines are scripted</strong>}
      {link.value === "open" && !words && <span>Words are hidden: this token may not hear</span>}
      {dropped.value > 0 && <span>{dropped.value} events were left out for this slow page</span>}
      {token() !== "" && (
        <button type="button" class="plain" onClick={signOut}>Sign out</button>
      )}
      <a href="docs">API</a>
    </footer>
  );
}

function signOut(): void {
  keepToken("");
  needsToken.value = true;
}

export function Card({ title, children, wide }: { title: string; children: ComponentChildren; wide?: boolean }) {
  return (
    <section class={wide ? "card wide" : "card"} aria-label={title}>
      <h2>{title}</h2>
      {children}
    </section>
  );
}

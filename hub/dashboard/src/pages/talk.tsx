/** Talk with the hub from the browser, as a robot without a body. */

import { useSignal } from "@preact/signals";
import { Card } from "../app.tsx";
import { Face } from "../canvas.tsx";
import { heardOf } from "../heard.ts";
import { robotHref } from "../route.ts";
import { talker, type Listening } from "../talk/robot.ts";
import { standingOf, whyOf } from "../why.ts";

const KEPT = "robot-hub.robot";

function ownName(): string {
  const kept = sessionStorage.getItem(KEPT);
  if (kept !== null) return kept;
  const made = `browser-${crypto.getRandomValues(new Uint16Array(1))[0]!.toString(16).padStart(4, "0")}`;
  sessionStorage.setItem(KEPT, made);
  return made;
}

export function TalkPage() {
  void talker.revision.value;
  const state = talker.state.value;
  return (
    <>
      <h1>Talk</h1>
      <div class="robot">
        <div class="side">
          {state === "on" || state === "lost" ? <Live /> : <Start connecting={state === "connecting"} />}
        </div>
        <div class="middle"><Said /></div>
      </div>
    </>
  );
}

function Start({ connecting }: { connecting: boolean }) {
  const name = useSignal(ownName());
  const listening = useSignal<Listening>("hands_free");
  const start = (event: Event): void => {
    event.preventDefault();
    sessionStorage.setItem(KEPT, name.value);
    void talker.start(name.value, listening.value);
  };
  const safe = window.isSecureContext;
  return (
    <Card title="Be a robot">
      <form onSubmit={start} class="stack">
        <label>Its name <input value={name.value} required pattern="[A-Za-z0-9._\-]{1,64}" onInput={(event) => (name.value = event.currentTarget.value)} /></label>
        <fieldset>
          <legend>How do you want to talk?</legend>
          {([["hands_free", "Hands-free: it hears when you speak, also while it speaks"], ["hold", "Hold a button while you speak"], ["off", "Type, and hear the answer"]] as const).map(([value, title]) => (
            <label class="choice" key={value}>
              <input type="radio" name="listening" value={value} checked={listening.value === value}
                disabled={!safe && value !== "off"} onChange={() => (listening.value = value)} /> {title}
            </label>
          ))}
        </fieldset>
        {!safe && <p class="quiet">The browser gives microphones only to pages over HTTPS, or of this machine.</p>}
        <button type="submit" class="primary" disabled={connecting}>{connecting ? "Connecting …" : "Connect"}</button>
        {talker.problem.value !== "" && <p class="bad" role="alert">{talker.problem.value}</p>}
      </form>
    </Card>
  );
}

function Live() {
  void talker.revision.value;
  const { robot } = talker;
  return (
    <Card title={robot.name}>
      <Face robot={robot} wide={640} />
      {talker.listening !== "off" && <Level />}
      <p class="sentence" role="status">{standingOfTalker()}</p>
      <Buttons />
      {talker.problem.value !== "" && <p class="bad" role="alert">{talker.problem.value}</p>}
      <p><a href={robotHref(robot.name)}>What the hub sees of it</a></p>
    </Card>
  );
}

function standingOfTalker(): string {
  const { robot } = talker;
  if (talker.state.value === "lost") return "The connection was lost. It comes back by itself …";
  const types = talker.listening === "off" && !["speaking", "thinking"].includes(robot.conversation);
  return types && robot.connected ? "It waits for what you type." : standingOf({ ...robot, missing: [], hearing: false });
}

/** Alone, so that only this is drawn fifty times a second. */
function Level() {
  const share = Math.min(1, Math.sqrt(talker.level.value) * 1.6);
  return <meter class="level" min={0} max={1} value={share} aria-label="Microphone" />;
}

function Buttons() {
  void talker.revision.value;
  const held = talker.robot.held;
  const press = (event: KeyboardEvent, down: boolean): void => {
    if (event.key !== " " && event.key !== "Enter") return;
    event.preventDefault();
    if (!event.repeat) talker.hold(down);
  };
  return (
    <div class="tools">
      <button type="button" class="danger" onClick={() => talker.cancel()}>Stop speaking</button>
      {talker.listening === "hold" && (
        <button type="button" class="primary" aria-pressed={held}
          onPointerDown={() => talker.hold(true)} onPointerUp={() => talker.hold(false)}
          onPointerCancel={() => talker.hold(false)} onKeyDown={(event) => press(event, true)}
          onKeyUp={(event) => press(event, false)}>
          {held ? "Listening …" : "Hold to talk"}
        </button>
      )}
      {talker.listening !== "off" && (
        <button type="button" aria-pressed={talker.micOff} onClick={() => talker.switchMicrophone(!talker.micOff)}>
          {talker.micOff ? "Unmute" : "Mute"}
        </button>
      )}
      <button type="button" onClick={() => talker.stop()}>Disconnect</button>
    </div>
  );
}

function Said() {
  void talker.revision.value;
  const typed = useSignal("");
  const { robot } = talker;
  const on = talker.state.value === "on";
  const send = (event: Event): void => {
    event.preventDefault();
    const words = typed.value.trim();
    if (words === "") return;
    talker.type(words);
    typed.value = "";
  };
  return (
    <Card title="Conversation" wide>
      <ol class="talk" aria-live="polite">
        {robot.turns.slice(-20).map((turn) => {
          const [heard, rest] = turn.outcome === "" ? [turn.response, ""] : heardOf(turn.response, turn.heard);
          const why = whyOf(turn);
          return (
            <li key={turn.number} data-turn={turn.number} data-outcome={turn.outcome}>
              {turn.user !== "" && <p class="bubble user">{turn.user}</p>}
              {(heard !== "" || rest !== "") && (
                <p class={turn.outcome === "" ? "bubble said live" : "bubble said"}>
                  <span class="heard">{heard}</span><span class="unheard">{rest}</span>
                </p>
              )}
              {why !== null && <p class="why">{why}</p>}
            </li>
          );
        })}
      </ol>
      {robot.saying !== null && <p class="bubble user live">{robot.saying.text}{robot.saying.final ? "" : "…"}</p>}
      {robot.turns.length === 0 && <p class="empty">{on ? "Say something, or type it." : "Connect, and say something."}</p>}
      <form class="say" onSubmit={send}>
        <input aria-label="What you say" placeholder="Type what you say" value={typed.value} disabled={!on}
          maxLength={2000} onInput={(event) => (typed.value = event.currentTarget.value)} />
        <button type="submit" class="primary" disabled={!on}>Say</button>
      </form>
    </Card>
  );
}

import { effect } from "@preact/signals";
import { render } from "preact";
import "./style.css";
import { App } from "./app.tsx";
import { Observation } from "./observe.ts";
import { follow, route } from "./route.ts";
import { needsToken } from "./store.ts";

follow();

// One connection at a time: to all robots from afar, or to the one that is looked at.
let open: Observation | null = null;
let watched: string | null = null;
effect(() => {
  const robot = route.value.page === "robot" ? route.value.robot : "";
  if (needsToken.value) {
    open?.close();
    open = watched = null;
  } else if (robot !== watched) {
    open?.close();
    watched = robot;
    open = new Observation(robot);
  }
});

const root = document.getElementById("page");
if (root !== null) render(<App />, root);

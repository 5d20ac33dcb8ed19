/** Which page is shown, from the part of the address behind `#`: the server never sees it. */

import { signal } from "@preact/signals";

export interface Route {
  page: "robots" | "robot" | "talk" | "system";
  robot: string;
}

export function routeOf(hash: string): Route {
  const [page = "", ...rest] = hash.replace(/^#\/?/, "").split("/");
  let robot = "";
  try {
    robot = decodeURIComponent(rest.join("/"));
  } catch {
    robot = "";
  }
  if (page === "robot" && /^[A-Za-z0-9._-]{1,64}$/.test(robot)) return { page: "robot", robot };
  if (page === "talk" || page === "system") return { page, robot: "" };
  return { page: "robots", robot: "" };
}

export const route = signal<Route>(routeOf(location.hash));

export function follow(): void {
  addEventListener("hashchange", () => {
    route.value = routeOf(location.hash);
  });
}

export function robotHref(name: string): string {
  return `#/robot/${encodeURIComponent(name)}`;
}

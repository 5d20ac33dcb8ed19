/** What all parts of the page share: the model, its revision, the connection, the token. */

import { signal } from "@preact/signals";
import { Model } from "./turns.ts";

export const model = signal(new Model());
/** Rises with every batch. The model is changed in place: every component that draws of it reads this. */
export const revision = signal(0);
export const link = signal<"connecting" | "open" | "lost">("connecting");
export const about = signal({ version: "", hubId: "", boot: 0, words: true, recording: false, bench: false });
export const dropped = signal(0);
export const needsToken = signal(false);
export const notice = signal("");
/** Hub nanoseconds minus this page's milliseconds × 1e6, as of the newest batch. */
export const offsetNs = signal(0);

export function hubNowNs(): number {
  return performance.now() * 1e6 + offsetNs.value;
}

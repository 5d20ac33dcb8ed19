/** Gestures in the order in which a robot plays them, as long as its display does. Pure. */

const LAST_MS: Record<string, number> = {
  blink: 180, wink_l: 200, wink_r: 200, nod: 350, headshake: 350, laugh: 500, confused: 500, wiggle: 600,
  surprise: 800, heart: 2000, x_eyes: 2500, sleepy: 3000, rage: 3000,
};
const OTHER_MS = 500;

export const GESTURES = Object.keys(LAST_MS);

/** What is played `ms` after the first of them began, and how far it is, 0 to 1; none is "". */
export function gestureAt(names: readonly string[], ms: number): [string, number] {
  let left = ms;
  if (left < 0) return ["", 0];
  for (const name of names) {
    const long = LAST_MS[name] ?? OTHER_MS;
    if (left < long) return [name, left / long];
    left -= long;
  }
  return ["", 0];
}

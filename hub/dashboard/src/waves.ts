/** The last seconds of a loudness, in steps of 20 ms. Pure: whoever pushes says what time it is. */

export const STEP_MS = 20;
export const KEPT_STEPS = 600;
/** Steps come in batches, and batches late: only a longer pause is silence. */
const PAUSE_MS = 120;
/** What is sent ahead of the loudspeaker may lie so far in the future. */
const AHEAD_MS = 2000;

export class Wave {
  private steps: number[] = [];
  /** When the last step ends, in milliseconds of the hub's clock. */
  private end = 0;

  /** Steps that have been told at `now`; they follow the ones before them, or a silence. */
  push(values: readonly number[], now: number): void {
    if (values.length === 0) return;
    const long = values.length * STEP_MS;
    const late = now - (this.end + long);
    if (this.steps.length === 0 || late > KEPT_STEPS * STEP_MS || late < -AHEAD_MS) {
      this.steps = [];
      this.end = now - long;
    } else if (late > PAUSE_MS) {
      const silent = Math.round(late / STEP_MS);
      for (let each = 0; each < silent; each += 1) this.steps.push(0);
      this.end += silent * STEP_MS;
    }
    this.steps.push(...values);
    this.end += long;
    this.steps.splice(0, this.steps.length - KEPT_STEPS);
  }

  /** `count` steps, the last of which holds `until`; 0 where nothing is known. */
  last(count: number, until: number): number[] {
    const newest = this.steps.length - 1 - Math.floor((this.end - until) / STEP_MS);
    return Array.from({ length: count }, (_, at) => this.steps[newest - count + 1 + at] ?? 0);
  }
}

/** A loudspeaker as the native wire wants it: it knows what it has played, ducks, holds, and throws away
 * what is flushed. Pure: the sound card asks it for samples. */

export interface Position {
  epoch: number;
  turn: number;
  samples: number;
  /** Where what has come so far ends; `samples` where the rest was thrown away. */
  received: number;
  underruns: number;
}

interface Piece {
  first: number;
  pcm: Float32Array;
}

/** 20 ms: how long a change of loudness takes, so that it does not click. */
const RAMP_S = 0.02;

export class Speaker {
  private epoch = 0;
  private turn = 0;
  private fence = 0;
  private pieces: Piece[] = [];
  private at = 0;
  private received = 0;
  private end = -1;
  private underruns = 0;
  private dry = false;
  private held = false;
  private gain = 1;
  private goal = 1;
  private readonly step: number;

  constructor(rateHz: number) {
    this.step = 1 / (RAMP_S * rateHz);
  }

  get position(): Position {
    return { epoch: this.epoch, turn: this.turn, samples: this.at, received: this.received, underruns: this.underruns };
  }

  /** There is something to be played, and it is not held. */
  get playing(): boolean {
    return this.turn > 0 && !this.held && this.pieces.length > 0;
  }

  push(epoch: number, turn: number, first: number, pcm: Float32Array): void {
    if (turn <= this.fence || turn < this.turn) return;
    if (turn > this.turn) this.begin(epoch, turn, first);
    this.epoch = epoch;
    // A hub that goes on after a cut may send again what has come already.
    const had = Math.max(0, this.received - first);
    if (had >= pcm.length) return;
    this.pieces.push({ first: first + had, pcm: pcm.subarray(had) });
    this.received = first + pcm.length;
  }

  /** The response has `samples` samples in all. */
  finish(turn: number, samples: number): void {
    if (turn === this.turn) this.end = samples;
  }

  duck(turn: number, gainDb: number): void {
    if (turn === this.turn) this.goal = 10 ** (gainDb / 20);
  }

  hold(turn: number): void {
    if (turn === this.turn) this.held = true;
  }

  release(turn: number): void {
    if (turn !== this.turn) return;
    this.held = false;
    this.goal = 1;
  }

  /** Everything at or below `turn` is thrown away; where the loudspeaker stood. */
  flush(epoch: number, turn: number): Position {
    this.fence = Math.max(this.fence, turn);
    const stood = this.position;
    if (this.turn <= this.fence) {
      this.pieces = [];
      this.held = false;
      this.end = this.received = this.at;
    }
    return { ...stood, received: this.received, epoch };
  }

  /** Fill `out`; true if the position is to be told now: the response is over, or it ran dry. */
  pull(out: Float32Array): boolean {
    out.fill(0);
    if (this.held || this.turn === 0) return false;
    let filled = 0;
    while (filled < out.length) {
      const piece = this.pieces[0];
      if (piece === undefined) break;
      if (piece.first > this.at) this.at = piece.first;
      const offset = this.at - piece.first;
      const count = Math.min(piece.pcm.length - offset, out.length - filled);
      if (count <= 0) {
        this.pieces.shift();
        continue;
      }
      for (let each = 0; each < count; each += 1) {
        this.ramp();
        out[filled + each] = (piece.pcm[offset + each] ?? 0) * this.gain;
      }
      filled += count;
      this.at += count;
      if (offset + count >= piece.pcm.length) this.pieces.shift();
    }
    return this.notePause(filled);
  }

  private notePause(filled: number): boolean {
    if (filled > 0) this.dry = false;
    if (this.pieces.length > 0 || this.dry) return false;
    this.dry = true;
    if (this.end >= 0 && this.at >= this.end) return true;
    if (this.at > 0) this.underruns += 1;
    return true;
  }

  private begin(epoch: number, turn: number, first: number): void {
    this.epoch = epoch;
    this.turn = turn;
    this.pieces = [];
    this.at = this.received = first;
    this.end = -1;
    this.underruns = 0;
    this.dry = false;
    this.held = false;
    this.gain = this.goal = 1;
  }

  private ramp(): void {
    if (this.gain < this.goal) this.gain = Math.min(this.goal, this.gain + this.step);
    else if (this.gain > this.goal) this.gain = Math.max(this.goal, this.gain - this.step);
  }
}

/** Samples of a microphone as the wire wants them: s16, in chunks of `size`. */
export class Chunker {
  private buffer: Int16Array<ArrayBuffer>;
  private filled = 0;

  constructor(private readonly size: number) {
    this.buffer = new Int16Array(size);
  }

  push(samples: Float32Array): Int16Array<ArrayBuffer>[] {
    const whole: Int16Array<ArrayBuffer>[] = [];
    for (const sample of samples) {
      this.buffer[this.filled] = Math.round(Math.max(-1, Math.min(1, sample)) * 32767);
      this.filled += 1;
      if (this.filled === this.size) {
        whole.push(this.buffer);
        this.buffer = new Int16Array(this.size);
        this.filled = 0;
      }
    }
    return whole;
  }
}

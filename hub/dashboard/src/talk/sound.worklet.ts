/** Runs on the browser's audio thread: the loudspeaker and the microphone of a virtual robot. */

import { Chunker, Speaker, type Position } from "./speaker.ts";

declare const sampleRate: number;
declare abstract class AudioWorkletProcessor {
  readonly port: MessagePort;
}
declare function registerProcessor(name: string, processor: new () => AudioWorkletProcessor): void;

export type ToSound =
  | { do: "speech"; epoch: number; turn: number; first: number; pcm: Float32Array }
  | { do: "end"; turn: number; samples: number }
  | { do: "duck"; turn: number; gainDb: number }
  | { do: "hold" | "release"; turn: number }
  | { do: "forget" }
  | { do: "flush"; epoch: number; turn: number };

export type FromSound =
  | { told: "played" | "flushed"; position: Position }
  | { told: "mic"; pcm: Int16Array; playout: number; level: number };

const EVERY_S = 0.1;
const MIC_SAMPLES = 320;

class Sound extends AudioWorkletProcessor {
  private speaker = new Speaker(sampleRate);
  private readonly chunker = new Chunker(MIC_SAMPLES);
  private since = 0;

  constructor() {
    super();
    this.port.onmessage = (event: MessageEvent<ToSound>) => this.on(event.data);
  }

  private on(message: ToSound): void {
    switch (message.do) {
      case "speech":
        this.speaker.push(message.epoch, message.turn, message.first, message.pcm);
        break;
      case "end":
        this.speaker.finish(message.turn, message.samples);
        this.tell("played");
        break;
      case "duck":
        this.speaker.duck(message.turn, message.gainDb);
        break;
      case "hold":
        this.speaker.hold(message.turn);
        this.tell("played");
        break;
      case "release":
        this.speaker.release(message.turn);
        break;
      case "forget":
        this.speaker = new Speaker(sampleRate);
        break;
      case "flush":
        this.port.postMessage({
          told: "flushed", position: { ...this.speaker.flush(message.epoch, message.turn), turn: message.turn },
        } satisfies FromSound);
        break;
    }
  }

  process(inputs: Float32Array[][], outputs: Float32Array[][]): boolean {
    const heard = inputs[0]?.[0];
    if (heard !== undefined) this.listen(heard);
    const out = outputs[0]?.[0];
    if (out !== undefined) {
      const was = this.speaker.playing;
      const now = this.speaker.pull(out);
      this.since += out.length;
      if (now || (was && this.since >= EVERY_S * sampleRate)) this.tell("played");
    }
    return true;
  }

  private listen(heard: Float32Array): void {
    for (const pcm of this.chunker.push(heard)) {
      let sum = 0;
      for (const sample of pcm) sum += sample * sample;
      const level = Math.sqrt(sum / pcm.length) / 32768;
      const { samples } = this.speaker.position;
      const playout = this.speaker.playing ? samples : -1;
      this.port.postMessage({ told: "mic", pcm, playout, level } satisfies FromSound, [pcm.buffer]);
    }
  }

  private tell(told: "played"): void {
    this.since = 0;
    const { position } = this.speaker;
    if (position.turn > 0) this.port.postMessage({ told, position } satisfies FromSound);
  }
}

registerProcessor("sound", Sound);

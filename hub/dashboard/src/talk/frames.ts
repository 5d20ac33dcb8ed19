/** Binary frames of the native robot wire: u16 length, a msgpack map, samples. Pure. */

export type Header = Record<string, string | number | boolean | null>;

export class BadFrame extends Error {}

/** A microphone frame of s16le samples. */
export function micFrame(firstSample: number, pcm: Int16Array, playoutSample: number): Uint8Array<ArrayBuffer> {
  const header = encodeMap({ type: "mic", first_sample: firstSample, playout_sample: playoutSample });
  const frame = new Uint8Array(2 + header.length + pcm.byteLength);
  new DataView(frame.buffer).setUint16(0, header.length, true);
  frame.set(header, 2);
  const sound = new DataView(frame.buffer, 2 + header.length);
  pcm.forEach((sample, at) => sound.setInt16(2 * at, sample, true));
  return frame;
}

/** Header and samples of a frame of the hub; raises `BadFrame`. */
export function readFrame(data: ArrayBuffer): { header: Header; pcm: Int16Array } {
  const view = new DataView(data);
  if (data.byteLength < 2) throw new BadFrame("a frame has at least two bytes");
  const length = view.getUint16(0, true);
  if (2 + length > data.byteLength) throw new BadFrame("the header is cut off");
  const header = new Reader(new DataView(data, 2, length)).map();
  const samples = (data.byteLength - 2 - length) >> 1;
  const sound = new DataView(data, 2 + length);
  const pcm = new Int16Array(samples);
  for (let at = 0; at < samples; at += 1) pcm[at] = sound.getInt16(2 * at, true);
  return { header, pcm };
}

export function encodeMap(map: Record<string, string | number>): Uint8Array {
  const bytes: number[] = [0x80 | Object.keys(map).length];
  for (const [key, value] of Object.entries(map)) {
    encodeString(bytes, key);
    if (typeof value === "string") encodeString(bytes, value);
    else encodeInteger(bytes, value);
  }
  return Uint8Array.from(bytes);
}

function encodeString(bytes: number[], value: string): void {
  const utf8 = new TextEncoder().encode(value);
  if (utf8.length < 32) bytes.push(0xa0 | utf8.length);
  else bytes.push(0xd9, utf8.length);
  bytes.push(...utf8);
}

function encodeInteger(bytes: number[], value: number): void {
  if (value >= 0 && value < 128) {
    bytes.push(value);
    return;
  }
  const wide = new DataView(new ArrayBuffer(8));
  wide.setBigInt64(0, BigInt(value));
  bytes.push(0xd3, ...new Uint8Array(wide.buffer));
}

class Reader {
  private at = 0;

  constructor(private readonly view: DataView) {}

  map(): Header {
    const first = this.byte();
    let count: number;
    if ((first & 0xf0) === 0x80) count = first & 0x0f;
    else if (first === 0xde) count = this.unsigned(2);
    else throw new BadFrame("the header is no map");
    const found: Header = {};
    for (let each = 0; each < count; each += 1) {
      const key = this.value();
      if (typeof key !== "string") throw new BadFrame("a key is no text");
      found[key] = this.value();
    }
    return found;
  }

  private value(): string | number | boolean | null {
    const first = this.byte();
    if (first < 0x80) return first;
    if (first >= 0xe0) return first - 0x100;
    if ((first & 0xe0) === 0xa0) return this.string(first & 0x1f);
    switch (first) {
      case 0xc0: return null;
      case 0xc2: return false;
      case 0xc3: return true;
      case 0xca: return this.float(4);
      case 0xcb: return this.float(8);
      case 0xcc: return this.unsigned(1);
      case 0xcd: return this.unsigned(2);
      case 0xce: return this.unsigned(4);
      case 0xcf: return this.unsigned(8);
      case 0xd0: return this.signed(1);
      case 0xd1: return this.signed(2);
      case 0xd2: return this.signed(4);
      case 0xd3: return this.signed(8);
      case 0xd9: return this.string(this.unsigned(1));
      case 0xda: return this.string(this.unsigned(2));
      default: throw new BadFrame(`a header holds no value of kind 0x${first.toString(16)}`);
    }
  }

  private take(count: number): number {
    const from = this.at;
    if (from + count > this.view.byteLength) throw new BadFrame("the header is cut off");
    this.at += count;
    return from;
  }

  private byte(): number {
    return this.view.getUint8(this.take(1));
  }

  private unsigned(bytes: 1 | 2 | 4 | 8): number {
    const at = this.take(bytes);
    if (bytes === 1) return this.view.getUint8(at);
    if (bytes === 2) return this.view.getUint16(at);
    if (bytes === 4) return this.view.getUint32(at);
    return Number(this.view.getBigUint64(at));
  }

  private signed(bytes: 1 | 2 | 4 | 8): number {
    const at = this.take(bytes);
    if (bytes === 1) return this.view.getInt8(at);
    if (bytes === 2) return this.view.getInt16(at);
    if (bytes === 4) return this.view.getInt32(at);
    return Number(this.view.getBigInt64(at));
  }

  private float(bytes: 4 | 8): number {
    const at = this.take(bytes);
    return bytes === 4 ? this.view.getFloat32(at) : this.view.getFloat64(at);
  }

  private string(length: number): string {
    const at = this.take(length);
    return new TextDecoder().decode(new Uint8Array(this.view.buffer, this.view.byteOffset + at, length));
  }
}

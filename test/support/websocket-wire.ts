/** A WebSocket client that sends frames as they are given, and tells what came frame by frame (RFC 6455 §5). */
import { randomBytes } from 'node:crypto';
import { Wire, type WireAddress } from './wire.js';

export const TEXT = 1;
export const BINARY = 2;
export const CLOSE = 8;
export const PING = 9;
export const PONG = 10;

export interface FrameOptions {
  /** @defaultValue true */
  isLast?: boolean;
  /** The three reserved bits, 4 is RSV1. @defaultValue 0 */
  reserved?: number;
  /** @defaultValue true */
  isMasked?: boolean;
}

const NAMES: Readonly<Record<number, string>> = {
  0: 'more',
  [TEXT]: 'text',
  [BINARY]: 'binary',
  [CLOSE]: 'close',
  [PING]: 'ping',
  [PONG]: 'pong',
};

/** A frame of a client. */
export function frame(
  opcode: number,
  payload: string | Uint8Array = '',
  { isLast = true, reserved = 0, isMasked = true }: FrameOptions = {},
): Buffer {
  const bytes = Buffer.from(payload as string);
  const { length } = bytes;
  const first = (isLast ? 0x80 : 0) | (reserved << 4) | opcode;
  const mask = isMasked ? 0x80 : 0;
  const head = Buffer.alloc(length < 126 ? 2 : length < 65_536 ? 4 : 10);
  head[0] = first;
  head[1] = mask | (length < 126 ? length : length < 65_536 ? 126 : 127);
  if (length >= 65_536) head.writeBigUInt64BE(BigInt(length), 2);
  else if (length >= 126) head.writeUInt16BE(length, 2);
  if (!isMasked) return Buffer.concat([head, bytes]);
  const key = randomBytes(4);
  return Buffer.concat([head, key, bytes.map((byte, at) => byte ^ (key[at % 4] as number))]);
}

/** A close frame. */
export function close(code?: number, reason: string | Uint8Array = ''): Buffer {
  if (code === undefined) return frame(CLOSE);
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(code);
  return frame(CLOSE, Buffer.concat([bytes, Buffer.from(reason as string)]));
}

/** The request of a handshake. */
export function handshake(path: string, headers: Readonly<Record<string, string | undefined>> = {}): string {
  const all: Record<string, string | undefined> = {
    Host: 'a',
    Upgrade: 'websocket',
    Connection: 'Upgrade',
    'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
    'Sec-WebSocket-Version': '13',
    ...headers,
  };
  const lines = Object.entries(all).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}: ${value}\r\n`],
  );
  return `GET ${path} HTTP/1.1\r\n${lines.join('')}\r\n`;
}

/** A connection whose handshake was accepted. */
export class WebSocketWire {
  readonly wire: Wire;
  readonly head: string;

  private constructor(wire: Wire, head: string) {
    this.wire = wire;
    this.head = head;
  }

  /** @throws when it is not accepted */
  static async open(address: WireAddress, path: string, headers = {}): Promise<WebSocketWire> {
    const wire = await Wire.open(address);
    wire.write(handshake(path, headers));
    await wire.until(() => wire.received.includes('\r\n\r\n') || wire.isEnded, 'a handshake');
    const end = wire.received.indexOf('\r\n\r\n');
    const head = wire.received.toString('latin1', 0, end);
    if (!head.startsWith('HTTP/1.1 101 ')) {
      wire.destroy();
      throw new Error(`refused: ${wire.received.toString('latin1')}`);
    }
    wire.received = wire.received.subarray(end + 4);
    return new WebSocketWire(wire, head);
  }

  /** The next frame as `text hello`, `close 1000 bye`, `pong abc`; `end` when the server ends the connection. */
  async next(): Promise<string> {
    const { wire } = this;
    let parsed = parseFrame(wire.received);
    await wire.until(() => {
      parsed = parseFrame(wire.received);
      return parsed !== undefined || wire.isEnded;
    }, 'a frame');
    if (parsed === undefined) return 'end';
    wire.received = wire.received.subarray(parsed.bytes);
    return parsed.text;
  }

  /**
   * Sends frames, and a ping behind them. Gives what comes until its pong, or the end of the connection.
   * @param isChopped - byte by byte
   */
  async outcome(frames: readonly Uint8Array[], isChopped = false): Promise<string> {
    const bytes = Buffer.concat([...frames, frame(PING, 'done')]);
    if (isChopped) for (const byte of bytes) this.wire.write(Buffer.of(byte));
    else this.wire.write(bytes);
    const seen: string[] = [];
    for (;;) {
      const one = await this.next();
      if (one === 'pong done') return [...seen, 'open'].join(', ');
      seen.push(one);
      if (one === 'end') return seen.join(', ');
    }
  }
}

function parseFrame(bytes: Buffer): { text: string; bytes: number } | undefined {
  if (bytes.length < 2) return undefined;
  const [first = 0, second = 0] = bytes;
  const short = second & 0x7f;
  const at = short === 126 ? 4 : short === 127 ? 10 : 2;
  if (bytes.length < at) return undefined;
  const length =
    short === 126 ? bytes.readUInt16BE(2) : short === 127 ? Number(bytes.readBigUInt64BE(2)) : short;
  if (bytes.length < at + length) return undefined;
  const payload = bytes.subarray(at, at + length);
  const flags = `${(first & 0x80) === 0 ? '(not last) ' : ''}${(first & 0x70) === 0 ? '' : '(reserved bits) '}${(second & 0x80) === 0 ? '' : '(masked) '}`;
  return { text: `${flags}${describe(first & 0x0f, payload)}`.trim(), bytes: at + length };
}

function describe(opcode: number, payload: Buffer): string {
  const name = NAMES[opcode] ?? `opcode ${opcode}`;
  if (opcode === CLOSE && payload.length >= 2)
    return `${name} ${payload.readUInt16BE(0)} ${payload.toString('utf8', 2)}`;
  const text = opcode === BINARY ? payload.toString('hex') : payload.toString('utf8');
  return text.length > 100 ? `${name} of ${payload.length}` : `${name} ${text}`;
}

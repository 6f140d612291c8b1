/** A client that writes bytes and reads responses strictly: what a lenient client would forgive is an error here. */
import { connect, type NetConnectOpts, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';

/** Longest wait for anything that a server should do at once. */
export const DEADLINE_MS = 3000;

/** Where to connect. */
export type WireAddress = { readonly host: string; readonly port: number } | { readonly path: string };

/** A response as it came. */
export interface WireResponse {
  readonly status: number;
  readonly reason: string;
  /** In order, as spelt on the wire, decoded as ISO-8859-1. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: Buffer;
  /** How the end of the body is known. */
  readonly framing: 'none' | 'length' | 'chunked' | 'close';
  /** The body came to its end. */
  readonly isComplete: boolean;
  /** Status codes of the 1xx responses before it. */
  readonly interim: readonly number[];
}

/** The values of a header. */
export function headerValues(response: WireResponse, name: string): string[] {
  return response.headers
    .filter(([one]) => one.toLowerCase() === name.toLowerCase())
    .map(([, value]) => value);
}

/** The one value of a header; an error when it is repeated. */
export function headerValue(response: WireResponse, name: string): string | undefined {
  const values = headerValues(response, name);
  if (values.length > 1) throw new Error(`header ${name} came ${values.length} times: ${values.join(' | ')}`);
  return values[0];
}

/** One raw connection. */
export class Wire {
  readonly socket: Socket;
  /** Bytes that came and belong to no response yet. */
  received: Buffer = Buffer.alloc(0);
  /** The server ended the connection, or it broke. */
  isEnded = false;
  error: Error | undefined;
  /** What `received` is a part of, from the beginning of its memory. */
  #room = Buffer.from(new ArrayBuffer(0));
  #wakes = new Set<() => void>();

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (bytes: Buffer) => {
      this.#append(bytes);
      this.#stir();
    });
    const end = () => {
      this.isEnded = true;
      this.#stir();
    };
    socket.on('end', end);
    socket.on('close', end);
    socket.on('error', (error) => {
      this.error = error;
      end();
    });
  }

  static async open(address: WireAddress, tls?: ConnectionOptions): Promise<Wire> {
    const options = { ...address, allowHalfOpen: true, noDelay: true };
    const socket =
      tls === undefined
        ? connect(options as NetConnectOpts)
        : connectTls({ ...options, ...tls } as ConnectionOptions);
    await new Promise<void>((resolve, reject) => {
      socket.once(tls === undefined ? 'connect' : 'secureConnect', resolve);
      socket.once('error', reject);
    });
    return new Wire(socket);
  }

  /** Writes; text is ISO-8859-1, so that each character is a byte. */
  write(data: string | Uint8Array): boolean {
    return typeof data === 'string' ? this.socket.write(data, 'latin1') : this.socket.write(data);
  }

  /** Waits until something is so. @throws after a deadline, with what was received */
  async until(isSo: () => boolean, what: string, deadlineMs = DEADLINE_MS): Promise<void> {
    const deadline = performance.now() + deadlineMs;
    while (!isSo()) {
      const leftMs = deadline - performance.now();
      if (leftMs <= 0) throw new Error(`waited ${deadlineMs} ms for ${what}; ${this.#describe()}`);
      await new Promise<void>((resolve) => {
        const wakes = this.#wakes;
        const timer = setTimeout(done, leftMs);
        wakes.add(done);
        function done(): void {
          clearTimeout(timer);
          wakes.delete(done);
          resolve();
        }
      });
    }
  }

  /** The next response; one that is cut has `isComplete` false. @throws when none comes, or it is malformed */
  async response({
    method = 'GET',
    deadlineMs = DEADLINE_MS,
  }: {
    method?: string;
    deadlineMs?: number;
  } = {}): Promise<WireResponse> {
    let parsed: Parsed | undefined;
    await this.until(
      () => {
        parsed = parseResponse(this.received, method, this.isEnded);
        return parsed !== undefined || this.isEnded;
      },
      'a response',
      deadlineMs,
    );
    if (parsed === undefined) throw new Error(`the connection ended before a response; ${this.#describe()}`);
    this.received = this.received.subarray(parsed.bytes);
    return parsed.response;
  }

  /** The next response, or undefined when the server ends the connection without one. */
  async responseOrEnd(deadlineMs = DEADLINE_MS): Promise<WireResponse | undefined> {
    await this.until(
      () => this.isEnded || parseResponse(this.received, 'GET', false) !== undefined,
      'a response or the end',
      deadlineMs,
    );
    return this.received.length === 0 ? undefined : this.response();
  }

  /** Waits until the server ends the connection. */
  async closed(deadlineMs = DEADLINE_MS): Promise<void> {
    await this.until(() => this.isEnded, 'the server to close the connection', deadlineMs);
  }

  destroy(): void {
    this.socket.destroy();
  }

  /** Copying all that is there for each piece would take seconds for megabytes: the room doubles when it is full. */
  #append(bytes: Buffer): void {
    const { length } = this.received;
    if (
      this.received.buffer !== this.#room.buffer ||
      this.received.byteOffset + length + bytes.length > this.#room.length
    ) {
      this.#room = Buffer.from(new ArrayBuffer(2 * (length + bytes.length)));
      this.received.copy(this.#room);
      this.received = this.#room.subarray(0, length);
    }
    const from = this.received.byteOffset;
    bytes.copy(this.#room, from + length);
    this.received = this.#room.subarray(from, from + length + bytes.length);
  }

  #stir(): void {
    for (const wake of [...this.#wakes]) wake();
  }

  #describe(): string {
    const text = JSON.stringify(this.received.toString('latin1').slice(0, 300));
    return `received ${this.received.length} bytes ${text}${this.isEnded ? ', connection ended' : ''}${this.error ? ` (${this.error.message})` : ''}`;
  }
}

interface Parsed {
  readonly response: WireResponse;
  readonly bytes: number;
}

/** Reads one response from the front of `bytes`; undefined when more must come. @throws for anything malformed */
function parseResponse(bytes: Buffer, method: string, isEnded: boolean): Parsed | undefined {
  const interim: number[] = [];
  let at = 0;
  for (;;) {
    const head = parseHead(bytes, at);
    if (head === undefined) {
      if (isEnded && at < bytes.length) throw malformed('a head without an end', bytes, at);
      return undefined;
    }
    at = head.end;
    if (head.status >= 200) {
      const body = parseBody(bytes, at, method, head, isEnded);
      if (body === undefined) return undefined;
      const { status, reason, headers } = head;
      const { content, framing, isComplete } = body;
      return {
        response: { status, reason, headers, body: content, framing, isComplete, interim },
        bytes: body.end,
      };
    }
    interim.push(head.status);
  }
}

interface Head {
  readonly status: number;
  readonly reason: string;
  readonly headers: [string, string][];
  readonly end: number;
}

const ONCE = ['content-length', 'transfer-encoding', 'date', 'connection', 'keep-alive', 'content-type'];

function parseHead(bytes: Buffer, from: number): Head | undefined {
  const end = bytes.indexOf('\r\n\r\n', from, 'latin1');
  if (end === -1) return undefined;
  const [statusLine = '', ...lines] = bytes.subarray(from, end).toString('latin1').split('\r\n');
  const match = /^HTTP\/1\.1 (\d{3}) ([\t\x20-\x7e]*)$/.exec(statusLine);
  if (match === null) throw malformed('a status line', bytes, from);
  const headers = lines.map((line): [string, string] => {
    const parts = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*([\t\x20-\x7e\x80-\xff]*)$/.exec(line);
    if (parts === null) throw malformed(`a header line ${JSON.stringify(line)}`, bytes, from);
    return [parts[1] as string, parts[2] as string];
  });
  for (const name of ONCE) {
    const count = headers.filter(([one]) => one.toLowerCase() === name).length;
    if (count > 1) throw malformed(`${count} ${name} headers`, bytes, from);
  }
  return { status: Number(match[1]), reason: match[2] as string, headers, end: end + 4 };
}

interface BodyPart {
  readonly content: Buffer;
  readonly framing: WireResponse['framing'];
  readonly isComplete: boolean;
  readonly end: number;
}

function parseBody(
  bytes: Buffer,
  from: number,
  method: string,
  head: Head,
  isEnded: boolean,
): BodyPart | undefined {
  const find = (name: string) => head.headers.find(([one]) => one.toLowerCase() === name)?.[1];
  const length = find('content-length');
  const encoding = find('transfer-encoding');
  const noBody = { content: Buffer.alloc(0), framing: 'none', isComplete: true, end: from } as const;
  if (length !== undefined && encoding !== undefined)
    throw malformed('a length beside an encoding', bytes, 0);
  if (length !== undefined && !/^\d+$/.test(length)) throw malformed('a Content-Length', bytes, 0);
  if (method === 'HEAD' || head.status === 204 || head.status === 304) return noBody;
  if (encoding !== undefined) {
    if (encoding !== 'chunked') throw malformed('a Transfer-Encoding', bytes, 0);
    return parseChunked(bytes, from, isEnded);
  }
  if (length === undefined) {
    return isEnded
      ? { content: bytes.subarray(from), framing: 'close', isComplete: true, end: bytes.length }
      : undefined;
  }
  const end = from + Number(length);
  const isComplete = bytes.length >= end;
  if (!isComplete && !isEnded) return undefined;
  return {
    content: bytes.subarray(from, end),
    framing: 'length',
    isComplete,
    end: Math.min(end, bytes.length),
  };
}

function parseChunked(bytes: Buffer, from: number, isEnded: boolean): BodyPart | undefined {
  const chunks: Buffer[] = [];
  const cut = () =>
    isEnded
      ? ({
          content: Buffer.concat(chunks),
          framing: 'chunked',
          isComplete: false,
          end: bytes.length,
        } as const)
      : undefined;
  for (let at = from; ; ) {
    const lineEnd = bytes.indexOf('\r\n', at, 'latin1');
    if (lineEnd === -1) return cut();
    const line = bytes.subarray(at, lineEnd).toString('latin1');
    if (!/^[0-9A-Fa-f]{1,8}$/.test(line)) throw malformed(`a chunk size ${JSON.stringify(line)}`, bytes, at);
    const size = Number.parseInt(line, 16);
    const dataEnd = lineEnd + 2 + size;
    if (bytes.length < dataEnd + 2) {
      if (isEnded) chunks.push(bytes.subarray(lineEnd + 2, dataEnd));
      return cut();
    }
    if (bytes.toString('latin1', dataEnd, dataEnd + 2) !== '\r\n')
      throw malformed('the end of a chunk', bytes, dataEnd);
    if (size === 0) {
      return { content: Buffer.concat(chunks), framing: 'chunked', isComplete: true, end: dataEnd + 2 };
    }
    chunks.push(bytes.subarray(lineEnd + 2, dataEnd));
    at = dataEnd + 2;
  }
}

function malformed(what: string, bytes: Buffer, at: number): Error {
  const text = bytes.subarray(at, at + 300).toString('latin1');
  return new Error(`malformed response: ${what}; at byte ${at}: ${JSON.stringify(text)}`);
}

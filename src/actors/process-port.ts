import { fstatSync } from 'node:fs';
import { Socket } from 'node:net';
import { DefaultDeserializer, serialize } from 'node:v8';
import { isMainThread } from 'node:worker_threads';
import { packError, type WireError } from '../core/wire-error.js';
import { unreadable } from './actor-errors.js';
import type { Port } from './port.js';
import { FAIL, type Frame, PARCEL, REPLY, SEND, UNANSWERED } from './wire.js';

/*
 * The channel to the process of an actor: a pair of sockets, and on it frames with their lengths. Node's own channel makes objects for
 * each message that the collector has to ask about, one by one, and messages wait for it: that was most of a slow hundredth.
 */

/** The descriptor of the channel in the process that was made. */
export const CHANNEL_DESCRIPTOR = 3;
/** The length of what follows in bytes, four of them, the lowest first; and its format. */
const HEADER_BYTES = 5;
/** JSON text, for what it gives back as it was: for small frames it costs least. */
const TEXT = 0;
/** What `structuredClone` copies, behind its kind, a byte, and its ticket, a double: it may be nested too deep to be read. */
const SERIALIZED = 1;
const LABEL_BYTES = 9;
/** What is longer is no frame, in bytes. */
const LONGEST = 2 ** 30;
const NOTHING = Buffer.alloc(0);
/** The most bytes of UTF-8 that a UTF-16 unit takes. */
const UNIT_BYTES = 3;
/** The bytes of a longer text are counted: memory costs more than that. */
const SHORT_TEXT = 4096;

/** Whether this process was made with a channel. */
export function hasChannel(): boolean {
  try {
    // Where node has a channel of its own, who made this process is no arbiter.
    return isMainThread && process.send === undefined && fstatSync(CHANNEL_DESCRIPTOR).isSocket();
  } catch {
    return false;
  }
}

/** The channel of this process, which was made for an actor. */
export function openChannel(): Port {
  return socketPort(new Socket({ fd: CHANNEL_DESCRIPTOR }));
}

/** One end of a channel. */
export function socketPort(socket: Socket): Port {
  // 'close' follows.
  socket.on('error', () => {});
  const post = (frame: Frame) => {
    if (!socket.writable) return;
    const bytes = serialize(frame);
    const length = requireLength(LABEL_BYTES + bytes.length);
    const head = writeHeader(Buffer.allocUnsafe(HEADER_BYTES + LABEL_BYTES), length, SERIALIZED);
    head.writeUInt8(frame[0], HEADER_BYTES);
    head.writeDoubleLE(typeof frame[1] === 'number' ? frame[1] : UNANSWERED, HEADER_BYTES + 1);
    socket.cork();
    socket.write(head);
    socket.write(bytes);
    socket.uncork();
  };
  return {
    post,
    postPlain: (frame) => {
      if (!socket.writable) return;
      const text = JSON.stringify(frame);
      const mostBytes = text.length <= SHORT_TEXT ? text.length * UNIT_BYTES : Buffer.byteLength(text);
      const bytes = Buffer.allocUnsafe(HEADER_BYTES + mostBytes);
      const length = bytes.write(text, HEADER_BYTES);
      socket.write(writeHeader(bytes, length, TEXT).subarray(0, HEADER_BYTES + length));
    },
    listen: ({ received, closed }) => {
      const frames = new FrameReader((ticket, error) => post([FAIL, ticket, error]));
      const next = () => {
        try {
          return frames.next();
        } catch {
          // The program itself has written there: nothing that follows can be read.
          socket.destroy();
          return undefined;
        }
      };
      const take = () => {
        let isTaken = false;
        try {
          for (let frame = next(); frame !== undefined; frame = next()) received(frame);
          isTaken = true;
        } finally {
          // Those behind one that made something throw are still to be taken.
          if (!isTaken) process.nextTick(take);
        }
      };
      socket.on('data', (chunk: Buffer) => {
        frames.push(chunk);
        take();
      });
      socket.once('close', closed);
    },
    flush: () => new Promise((resolve) => socket.write('', () => resolve())),
  };
}

function writeHeader(bytes: Buffer, length: number, format: number): Buffer {
  bytes.writeUInt32LE(length, 0);
  bytes[HEADER_BYTES - 1] = format;
  return bytes;
}

/** Frames from the pieces in which they come. */
class FrameReader {
  readonly #refuse: (ticket: number, error: WireError) => void;
  #bytes: Buffer = NOTHING;
  /** Where the next frame begins. */
  #at = 0;
  /** What has come after them, while a frame is not whole. */
  #more: Buffer[] = [];
  #moreBytes = 0;

  /** @param refuse - answers what cannot be read */
  constructor(refuse: (ticket: number, error: WireError) => void) {
    this.#refuse = refuse;
  }

  push(chunk: Buffer): void {
    if (this.#at === this.#bytes.length) {
      this.#bytes = chunk;
      this.#at = 0;
    } else {
      this.#more.push(chunk);
      this.#moreBytes += chunk.length;
    }
  }

  /** @returns undefined until more has come @throws for what is no frame */
  next(): Frame | undefined {
    for (;;) {
      const length = this.#has(HEADER_BYTES) ? this.#bytes.readUInt32LE(this.#at) : undefined;
      if (length === undefined || !this.#has(HEADER_BYTES + requireLength(length))) return undefined;
      const begin = this.#at + HEADER_BYTES;
      const end = begin + length;
      const bytes = this.#bytes;
      this.#at = end;
      // What has been read is not kept while nothing comes.
      if (end === bytes.length && this.#moreBytes === 0) {
        this.#bytes = NOTHING;
        this.#at = 0;
      }
      const frame =
        bytes[begin - 1] === TEXT
          ? (JSON.parse(bytes.toString('utf8', begin, end)) as Frame)
          : this.#deserialize(bytes.subarray(begin, end));
      if (Array.isArray(frame)) return frame;
      if (frame !== undefined) throw new TypeError('a frame is an array');
    }
  }

  /** @returns undefined for one that was refused: reading takes more of the stack than writing */
  #deserialize(bytes: Buffer): Frame | undefined {
    const kind = bytes.readUInt8(0);
    const ticket = bytes.readDoubleLE(1);
    try {
      const deserializer = new OwningDeserializer(bytes.subarray(LABEL_BYTES));
      deserializer.readHeader();
      return deserializer.readValue() as Frame;
    } catch (error) {
      const wire = packError(unreadable(error));
      if (kind === REPLY) return [FAIL, ticket, wire];
      if ((kind !== SEND && kind !== PARCEL) || ticket === UNANSWERED) throw error;
      this.#refuse(ticket, wire);
      return undefined;
    }
  }

  /** Whether so many bytes are there, and then in one piece. */
  #has(count: number): boolean {
    const left = this.#bytes.length - this.#at;
    if (left >= count) return true;
    if (left + this.#moreBytes < count) return false;
    this.#bytes = Buffer.concat([this.#bytes.subarray(this.#at), ...this.#more]);
    this.#at = 0;
    this.#more = [];
    this.#moreBytes = 0;
    return true;
  }
}

/** What v8 gives as views of the message, among which others may lie: whoever transfers their memory would take those along. */
class OwningDeserializer extends DefaultDeserializer {
  _readHostObject(): ArrayBufferView {
    const { _readHostObject: read } = DefaultDeserializer.prototype as Partial<OwningDeserializer>;
    const view = (read as () => ArrayBufferView).call(this);
    const bytes = view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength);
    if (Buffer.isBuffer(view)) return Buffer.from(bytes);
    return new (view.constructor as new (bytes: ArrayBufferLike) => ArrayBufferView)(bytes);
  }
}

function requireLength(bytes: number): number {
  if (bytes <= LONGEST) return bytes;
  throw new RangeError(`a message of ${bytes} bytes is longer than ${LONGEST}`);
}

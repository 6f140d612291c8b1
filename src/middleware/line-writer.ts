import { atExit } from '../core/at-exit.js';
import type { Logger } from '../core/logger.js';
import { unwatchErrors, watchErrors } from './stream-errors.js';

/** A stream for lines: any Writable of Node. */
export interface LineStream {
  write(text: string, done?: (error?: Error | null) => void): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
  off(event: 'error', listener: (error: Error) => void): unknown;
  /** How much waits in the stream, in bytes. */
  readonly writableLength?: number;
}

/** Lines are gathered up to this size: a write a request would cost as much as the request. */
const GATHER_BYTES = 65_536;
/** The most that a character of a text takes in UTF-8. */
const CHAR_BYTES = 3;
/** How long `stop` waits for the stream. */
const STOP_MS = 1000;

/** Writes lines to a stream, many at once; what a slow stream does not take in time is dropped and counted. */
export class LineWriter {
  readonly #stream: LineStream;
  readonly #flushMs: number;
  readonly #limitBytes: number;
  /** Lines as bytes: put together as text, they would be a tree of thousands of pieces, which cost as much again. */
  readonly #held = Buffer.allocUnsafeSlow(GATHER_BYTES);
  #heldBytes = 0;
  #timer: NodeJS.Timeout | undefined;
  #dropped = 0;
  #logger: Logger | undefined;
  #isBroken = false;
  /** What broke it before there was a log to tell of it. */
  #untold: Error | undefined;
  /** How many servers use it. */
  #users = 0;
  #forgetExit: (() => void) | undefined;

  /** @param limitBytes - how much may wait, here and in the stream */
  constructor(stream: LineStream, flushMs: number, limitBytes: number) {
    this.#stream = stream;
    this.#flushMs = flushMs;
    this.#limitBytes = limitBytes;
    // Not at the first line: a file that cannot be opened fails before it.
    watchErrors(stream, this.#fail);
  }

  /** How many lines were dropped and not told of yet. */
  get dropped(): number {
    return this.#dropped;
  }

  start(logger: Logger): void {
    this.#logger = logger;
    this.#users++;
    this.#forgetExit ??= atExit(() => this.flush());
    watchErrors(this.#stream, this.#fail);
    this.#isBroken = this.#untold !== undefined;
    if (this.#untold !== undefined) this.#tell(this.#untold);
    this.#untold = undefined;
  }

  /** @param line - without its end */
  write(line: string): void {
    if (this.#isBroken || this.#heldBytes + line.length >= this.#room()) {
      this.#dropped++;
      return;
    }
    const text = `${line}\n`;
    const mostBytes = CHAR_BYTES * text.length;
    if (this.#heldBytes + mostBytes > GATHER_BYTES) this.flush();
    if (mostBytes > GATHER_BYTES) {
      this.#send(text);
      return;
    }
    this.#heldBytes += this.#held.write(text, this.#heldBytes);
    this.#timer ??= setTimeout(() => this.flush(), this.#flushMs);
  }

  /** Hands what is gathered to the stream. */
  flush(done?: () => void): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const text = this.#held.toString('utf8', 0, this.#heldBytes);
    this.#heldBytes = 0;
    this.#send(text, done);
  }

  #send(text: string, done?: () => void): void {
    if (this.#isBroken) {
      done?.();
      return;
    }
    watchErrors(this.#stream, this.#fail);
    try {
      this.#stream.write(text, done && (() => done()));
    } catch (error) {
      this.#fail(error as Error);
      done?.();
    }
    if (this.#dropped === 0 || this.#isBroken) return;
    const dropped = this.#dropped;
    this.#dropped = 0;
    this.#logger?.warn(
      { dropped },
      `accessLog dropped ${dropped} lines, which its stream did not take in time`,
    );
  }

  /** Hands over what is left, and waits a second at the most until it is taken. The stream stays open. */
  async stop(): Promise<void> {
    const isTaken = await new Promise<boolean>((resolve) => {
      const timer = setTimeout(() => resolve(false), STOP_MS);
      this.flush(() => {
        clearTimeout(timer);
        resolve(true);
      });
    });
    // A stream that still writes may still fail, and without a listener that would end the process.
    this.#users = Math.max(0, this.#users - 1);
    if (this.#users > 0) return;
    this.#forgetExit?.();
    this.#forgetExit = undefined;
    if (isTaken) unwatchErrors(this.#stream, this.#fail);
  }

  #room(): number {
    return this.#limitBytes - (this.#stream.writableLength ?? 0);
  }

  /** A log that cannot be written is told of once, and ends no request. */
  readonly #fail = (error: Error): void => {
    if (this.#isBroken) return;
    this.#isBroken = true;
    this.#heldBytes = 0;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#logger === undefined) this.#untold = error;
    else this.#tell(error);
  };

  #tell(error: Error): void {
    this.#logger?.error(
      { err: error },
      `accessLog cannot write to its stream, and writes no more: ${error.message}`,
    );
  }
}

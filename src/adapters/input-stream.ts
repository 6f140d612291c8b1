import type { UnderlyingSource } from 'node:stream/web';
import type { BodySink } from '../core/body-sink.js';
import type { WsgiInput } from '../core/contract.js';
import { RequestInput } from '../core/input.js';

/** The body of a request as a stream: nothing is read before somebody reads it. */
export function streamInput(input: WsgiInput): ReadableStream<Uint8Array> {
  if (!(input instanceof RequestInput)) return ReadableStream.from(input);
  const source = new InputSource(input);
  return new ReadableStream(source, { highWaterMark: 0 });
}

/** What comes straight from a server. */
class InputSource implements BodySink, UnderlyingSource<Uint8Array> {
  readonly #input: RequestInput;
  /** Until it is cancelled. */
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined = undefined;
  wantsMore = false;

  constructor(input: RequestInput) {
    this.#input = input;
  }

  pull(controller: ReadableStreamDefaultController<Uint8Array>): void {
    this.#controller = controller;
    this.wantsMore = true;
    RequestInput.pour(this.#input, this);
  }

  /** The rest is held, as that of a body that nobody reads. */
  cancel(): void {
    this.#controller = undefined;
  }

  take(bytes: Buffer): void {
    this.wantsMore = false;
    this.#controller?.enqueue(bytes);
  }

  ended(): void {
    this.#controller?.close();
  }

  failed(error: Error): void {
    this.#controller?.error(error);
  }
}

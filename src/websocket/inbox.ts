import type { WebSocketMessage } from './websocket-message.js';

/** What a message takes beside its bytes, so that empty ones are bounded too. */
const OVERHEAD_BYTES = 128;

/** Messages that wait for their handler, in order. */
export class Inbox {
  #messages: WebSocketMessage[] = [];
  #first = 0;
  #bytes = 0;

  get isEmpty(): boolean {
    return this.#first === this.#messages.length;
  }

  get bytes(): number {
    return this.#bytes;
  }

  push(message: WebSocketMessage): void {
    this.#messages.push(message);
    this.#bytes += message.byteLength + OVERHEAD_BYTES;
  }

  shift(): WebSocketMessage | undefined {
    const message = this.#messages[this.#first];
    if (message === undefined) return undefined;
    this.#bytes -= message.byteLength + OVERHEAD_BYTES;
    this.#first++;
    if (this.isEmpty || this.#first >= 64) {
      this.#messages = this.#messages.slice(this.#first);
      this.#first = 0;
    }
    return message;
  }

  clear(): void {
    this.#messages = [];
    this.#first = 0;
    this.#bytes = 0;
  }
}

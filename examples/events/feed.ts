/** What happens, for any number of listeners: the last events are kept, so that who comes back misses none of them. */
import { EventEmitter, once } from 'node:events';
import type { ServerSentEvent } from 'vela';

export class Feed {
  /** Ids begin with it, so that those of an earlier run of the program are known as such. */
  readonly #run: string = Date.now().toString(36);
  readonly #bell = new EventEmitter({ captureRejections: false }).setMaxListeners(0);
  readonly #limit: number;
  #events: ServerSentEvent[] = [];
  /** Number of the first event that is kept. */
  #first = 0;
  #listeners = 0;

  /** @param limit - how many events are kept */
  constructor(limit: number) {
    this.#limit = limit;
  }

  get listeners(): number {
    return this.#listeners;
  }

  publish(event: string, data: unknown): void {
    const id = `${this.#run}-${this.#first + this.#events.length}`;
    this.#events.push({ event, id, data: JSON.stringify(data) });
    if (this.#events.length > this.#limit) {
      this.#events.shift();
      this.#first++;
    }
    this.#bell.emit('event');
  }

  /**
   * The events after `lastId`, then those to come, until the signal aborts. A listener that is too slow has no queue of
   * its own: what is no longer kept when its turn comes, it misses.
   */
  async *follow(lastId: string | undefined, signal: AbortSignal): AsyncGenerator<ServerSentEvent> {
    let next = this.#after(lastId);
    this.#listeners++;
    try {
      while (!signal.aborted) {
        next = Math.max(next, this.#first);
        const event = this.#events[next - this.#first];
        if (event === undefined) await once(this.#bell, 'event', { signal });
        else {
          next++;
          yield event;
        }
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      this.#listeners--;
    }
  }

  /** Whoever is new, or was here before the program was started anew, gets all that is kept. */
  #after(lastId: string | undefined): number {
    const [run, number] = lastId?.split('-') ?? [];
    const at = Number(number);
    const isKnown = run === this.#run && Number.isSafeInteger(at) && at < this.#first + this.#events.length;
    return isKnown ? at + 1 : this.#first;
  }
}

import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';

/** How long processes have to answer, in ms. */
const ANSWER_MS = 1000;

/** A count under way. */
interface Tally {
  count: number;
  missing: number;
  done(): void;
}

/**
 * Counts subscribers over all processes. Redis knows how many of them subscribe to a channel, as it has their connections, and so
 * of none that has died: these are asked, and each answers with its own number. Nothing is kept in Redis.
 */
export class RedisPresence {
  /** Where all are asked. */
  readonly requests: string;
  /** Where this process is answered. */
  readonly replies: string;
  readonly #countOf: (channel: string) => number;
  readonly #tallies = new Map<number, Tally>();
  #ticket = 0;

  constructor(base: string, origin: string, countOf: (channel: string) => number) {
    this.requests = `${base}!count`;
    this.replies = `${base}!${origin}`;
    this.#countOf = countOf;
  }

  /**
   * @param key - what Redis calls the channel
   * @param isHere - this process is among those that subscribe
   */
  async countOthers(client: Redis, channel: string, key: string, isHere: boolean): Promise<number> {
    const [, found] = (await client.pubsub('NUMSUB', key)) as [string, number];
    const missing = Number(found) - (isHere ? 1 : 0);
    if (missing <= 0) return 0;
    const ticket = ++this.#ticket;
    const waited = new AbortController();
    const tally: Tally = { count: 0, missing, done: () => waited.abort() };
    this.#tallies.set(ticket, tally);
    try {
      await client.publish(this.requests, JSON.stringify([this.replies, ticket, channel]));
      await sleep(ANSWER_MS, undefined, { signal: waited.signal }).catch(() => undefined);
      return tally.count;
    } finally {
      this.#tallies.delete(ticket);
    }
  }

  /** A question, or an answer. */
  async received(client: Redis, channel: string, bytes: Buffer): Promise<void> {
    const parts: unknown = JSON.parse(bytes.toString());
    if (!Array.isArray(parts)) return;
    if (channel === this.replies) this.#answered(parts);
    else await this.#asked(client, parts);
  }

  async #asked(client: Redis, [replies, ticket, channel]: readonly unknown[]): Promise<void> {
    if (typeof replies !== 'string' || typeof channel !== 'string' || replies === this.replies) return;
    const count = this.#countOf(channel);
    if (count > 0) await client.publish(replies, JSON.stringify([ticket, count]));
  }

  #answered([ticket, count]: readonly unknown[]): void {
    const tally = this.#tallies.get(Number(ticket));
    if (tally === undefined || typeof count !== 'number') return;
    tally.count += count;
    if (--tally.missing === 0) tally.done();
  }
}

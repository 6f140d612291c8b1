import type { Redis } from 'ioredis';
import { own } from '../core/own.js';
import { isPattern } from './channel-name.js';
import { escapePattern } from './redis-wire.js';

/** What the connection that subscribes needs to know, and tells. */
export interface SubscriberOwner {
  countOf(target: string): number;
  targets(): Iterable<string>;
  received(channel: string, bytes: Buffer, only: 'channel' | { readonly pattern: string }): void;
  /** A message of a channel that is not a user's. */
  told(channel: string, bytes: Buffer): void;
}

/** So many channels are subscribed to by one command. */
const MOST_AT_ONCE = 1000;

/** The connection that subscribes, kept at what is subscribed to here. */
export class RedisSubscriber {
  readonly #client: Redis;
  readonly #prefix: string;
  readonly #owner: SubscriberOwner;
  /** What Redis has been told to send. */
  readonly #subscribed = new Set<string>();
  /** Patterns as users have written them, by what Redis calls them. */
  readonly #patterns = new Map<string, string>();
  #changed = new Set<string>();
  #telling: Promise<void> | undefined;

  constructor(client: Redis, prefix: string, owner: SubscriberOwner) {
    this.#client = client;
    this.#prefix = prefix;
    this.#owner = owner;
    client.on('messageBuffer', (name: Buffer, bytes: Buffer) => {
      const channel = name.toString();
      if (channel.startsWith(prefix)) owner.received(channel.slice(prefix.length), bytes, 'channel');
      else owner.told(channel, bytes);
    });
    client.on('pmessageBuffer', (by: Buffer | string, name: Buffer, bytes: Buffer) => {
      const pattern = this.#patterns.get(String(by));
      if (pattern !== undefined) owner.received(name.toString().slice(prefix.length), bytes, { pattern });
    });
  }

  /** Subscribes to all that is wanted, and to further channels. */
  async open(further: readonly string[]): Promise<void> {
    await this.#client.subscribe(...further);
    for (const target of this.#owner.targets()) this.changed(target);
    while (this.#telling !== undefined) await this.#telling;
  }

  /** Whether Redis sends the messages of a channel. */
  has(target: string): boolean {
    return this.#subscribed.has(target);
  }

  /** Another number subscribes to it than before. */
  changed(target: string): void {
    if (this.#owner.countOf(target) > 0 === this.#subscribed.has(target)) return;
    this.#changed.add(target);
    this.#telling ??= own(this.#tellAll());
  }

  /** Resolves when Redis has answered all that it was told so far. */
  async settled(): Promise<void> {
    await this.#telling;
    await this.#client.ping();
  }

  /** Ends the connection. */
  cut(): void {
    this.#client.disconnect();
  }

  async #tellAll(): Promise<void> {
    try {
      // What else this turn of the loop brings goes along.
      await undefined;
      while (this.#changed.size > 0) {
        const changed = [...this.#changed].slice(0, MOST_AT_ONCE);
        for (const target of changed) this.#changed.delete(target);
        await this.#tell(changed);
      }
    } catch (error) {
      // Whether Redis has heard is not known: all begins anew.
      this.cut();
      throw error;
    } finally {
      this.#telling = undefined;
    }
  }

  async #tell(changed: readonly string[]): Promise<void> {
    const wanted = changed.filter((one) => this.#owner.countOf(one) > 0 && !this.#subscribed.has(one));
    const left = changed.filter((one) => this.#owner.countOf(one) === 0 && this.#subscribed.has(one));
    for (const one of wanted) this.#subscribed.add(one);
    for (const one of left) this.#subscribed.delete(one);
    const names = (targets: readonly string[], isOfPatterns: boolean) =>
      targets.filter((one) => isPattern(one) === isOfPatterns).map((one) => this.#nameOf(one));
    const [channels, patterns] = [names(wanted, false), names(wanted, true)];
    const [leftChannels, leftPatterns] = [names(left, false), names(left, true)];
    await Promise.all([
      channels.length > 0 && this.#client.subscribe(...channels),
      patterns.length > 0 && this.#client.psubscribe(...patterns),
      leftChannels.length > 0 && this.#client.unsubscribe(...leftChannels),
      leftPatterns.length > 0 && this.#client.punsubscribe(...leftPatterns),
    ]);
    for (const one of leftPatterns) this.#patterns.delete(one);
  }

  #nameOf(target: string): string {
    const name = this.#prefix + (isPattern(target) ? escapePattern(target) : target);
    if (isPattern(target)) this.#patterns.set(name, target);
    return name;
  }
}

import type { Actor } from '../actors/actor.js';
import { whenResident } from '../actors/current-actor.js';
import type { Carrier, CarrierOwner, ChannelsStatus } from './carrier.js';
import type { LockKeeper } from './lock-keeper.js';
import { MemoryLocks } from './memory-locks.js';
import type { PackedMessage } from './packed-message.js';
import { Uplink } from './relay-uplink.js';
import type { TopicSocket } from './subscriptions.js';

/** The workers of this program, as its main process has them. */
export interface RelayHub {
  publish(name: string, channel: string, message: PackedMessage): void;
  /** How many subscribe in all workers but one. */
  count(name: string, channel: string, except?: string): number;
}

const DONE = Promise.resolve();

/**
 * All channels of this process that have no data store. Those of one name are the same channels: here at once, and in other
 * processes of the program by way of its main process.
 */
class Relay {
  /** Of the main process and its workers. */
  readonly locks = new MemoryLocks();
  readonly #members = new Map<string, Set<CarrierOwner>>();
  #uplink: Uplink | undefined;
  #hub: RelayHub | undefined;
  #isWatching = false;

  get uplink(): Uplink | undefined {
    return this.#uplink;
  }

  /** In the main process: there are workers with channels. */
  attach(hub: RelayHub): void {
    this.#hub = hub;
  }

  join(member: CarrierOwner): void {
    const members = this.#members.get(member.name) ?? new Set();
    members.add(member);
    this.#members.set(member.name, members);
    if (!this.#isWatching) {
      this.#isWatching = true;
      whenResident((actor) => this.#connect(actor));
    }
    if (this.#uplink === undefined) member.become('connected');
    else this.#announce(member);
  }

  leave(member: CarrierOwner): void {
    const members = this.#members.get(member.name);
    members?.delete(member);
    if (members?.size === 0) this.#members.delete(member.name);
    for (const target of member.targets()) this.changed(member.name, target);
  }

  publish(
    from: CarrierOwner,
    channel: string,
    message: PackedMessage,
    except: TopicSocket | undefined,
  ): Promise<void> {
    for (const member of this.#membersOf(from.name))
      if (member !== from) member.deliver({ channel, message, except });
    this.#hub?.publish(from.name, channel, message);
    return this.#uplink?.publish(from.name, channel, message) ?? DONE;
  }

  changed(name: string, target: string): void {
    this.#uplink?.changed(name, target);
  }

  settled(): Promise<void> {
    return this.#uplink?.settled() ?? DONE;
  }

  /** How many subscribe in this process. */
  countHere(name: string, target: string, except?: CarrierOwner): number {
    let count = 0;
    for (const member of this.#membersOf(name)) if (member !== except) count += member.countOf(target);
    return count;
  }

  async countOthers(from: CarrierOwner, channel: string): Promise<number> {
    const here = this.countHere(from.name, channel, from) + (this.#hub?.count(from.name, channel) ?? 0);
    return here + ((await this.#uplink?.countOthers(from.name, channel)) ?? 0);
  }

  /** A message came from another process. */
  receive(name: string, channel: string, message: PackedMessage): void {
    for (const member of this.#membersOf(name)) member.deliver({ channel, message });
  }

  #membersOf(name: string): Iterable<CarrierOwner> {
    return this.#members.get(name) ?? [];
  }

  /** This process has become an actor. */
  #connect(actor: Actor): void {
    if (actor.isArbiter()) return;
    this.#uplink = new Uplink(actor, {
      countHere: (name, target) => this.countHere(name, target),
      receive: (name, channel, message) => this.receive(name, channel, message),
    });
    for (const members of this.#members.values()) for (const member of members) this.#announce(member);
  }

  #announce(member: CarrierOwner): void {
    const uplink = this.#uplink as Uplink;
    if (!uplink.isJoined) member.become('connecting');
    for (const target of member.targets()) this.changed(member.name, target);
    const become = (status: ChannelsStatus, error?: Error) => {
      // It may have gone on to a data store.
      if (this.#members.get(member.name)?.has(member) === true) member.become(status, error);
    };
    uplink.join().then(
      () => become('connected'),
      (error: Error) => become('disconnected', error),
    );
  }
}

/** One a process. */
export const relay = new Relay();

/** Channels without a data store. */
export class RelayCarrier implements Carrier {
  readonly #owner: CarrierOwner;
  #isOpen = false;

  constructor(owner: CarrierOwner) {
    this.#owner = owner;
  }

  get locks(): LockKeeper {
    return relay.uplink ?? relay.locks;
  }

  async open(): Promise<void> {
    if (this.#isOpen) return;
    this.#isOpen = true;
    relay.join(this.#owner);
    await relay.settled().catch(() => undefined);
  }

  publish(channel: string, message: PackedMessage, except: TopicSocket | undefined): Promise<void> {
    return relay.publish(this.#owner, channel, message, except);
  }

  changed(target: string): void {
    relay.changed(this.#owner.name, target);
  }

  settled(): Promise<void> {
    return relay.settled();
  }

  countOthers(channel: string): Promise<number> {
    return relay.countOthers(this.#owner, channel);
  }

  async close(): Promise<void> {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    relay.leave(this.#owner);
    await relay.uplink?.idle();
  }
}

import type { MessagePort } from 'node:worker_threads';
import { packError } from '../../core/wire-error.js';
import { ActorDied, MailboxFull } from '../actor-errors.js';
import type { Down } from '../down-notice.js';
import { Link } from '../link.js';
import type { Message } from '../message.js';
import { messagePort } from '../port.js';
import { CONNECT, type WireActor } from '../wire.js';

/** What direct links need of the actor that has them. */
export interface DirectOwner {
  /** Only between threads. */
  readonly isPossible: boolean;
  /** How many messages may be under way on each. */
  readonly limit: number;
  readonly arbiter: Link;
  receive(message: Message): void;
  watch(target: string, listener: (down: Down) => void): () => void;
}

/** How a target is reached: not known yet, by the arbiter, or by a link of its own. */
type Route = { readonly waiting: Message[] } | { readonly waiting: undefined; readonly link: Link };

/**
 * The ways of a thread's messages: straight to other threads, else by the arbiter. The first message to a target asks for a
 * port, and those that follow wait with it, so that none overtakes another.
 */
export class DirectLinks {
  readonly #owner: DirectOwner;
  /** By the name or id that is sent to. */
  readonly #routes = new Map<string, Route>();
  readonly #asked = new Map<number, string>();
  /** By ids: whoever asked, two actors speak over one link each way. */
  readonly #links = new Map<string, Link>();
  #ticket = 0;

  constructor(owner: DirectOwner) {
    this.#owner = owner;
  }

  deliver(target: string, message: Message): void {
    if (!this.#owner.isPossible || target === 'arbiter') {
      this.#owner.arbiter.send(target, message);
      return;
    }
    const route = this.#routes.get(target);
    if (route === undefined) this.#ask(target, message);
    else if (route.waiting === undefined) route.link.send(target, message);
    else if (route.waiting.length < this.#owner.limit) route.waiting.push(message);
    else message.settle({ isOk: false, error: packError(new MailboxFull(target, this.#owner.limit)) });
  }

  /** The arbiter's answer. @param id - of the target; `''` when there is none @param port - when it is a thread */
  connected(ticket: number, id: string, port: MessagePort | undefined): void {
    const target = this.#asked.get(ticket) as string;
    this.#asked.delete(ticket);
    const route = this.#routes.get(target);
    const link = port === undefined ? this.#owner.arbiter : this.#open(id, target, port);
    this.#routes.set(target, { waiting: undefined, link });
    for (const message of route?.waiting ?? []) link.send(target, message);
    // It may come up yet, as a thread.
    if (id === '') this.#routes.delete(target);
  }

  /** Another thread has asked for a port to this one. */
  add({ id, name }: WireActor, port: MessagePort): void {
    this.#open(id, name, port);
  }

  #ask(target: string, message: Message): void {
    this.#routes.set(target, { waiting: [message] });
    this.#asked.set(++this.#ticket, target);
    this.#owner.arbiter.tell([CONNECT, this.#ticket, target]);
  }

  /** What comes by any port is taken; what is sent goes by the first. */
  #open(id: string, name: string, port: MessagePort): Link {
    const link = new Link(messagePort(port, true), this.#owner.limit, {
      arrived: (_target, message) => this.#owner.receive(message),
      told: () => {},
      closed: () => this.#closed(id, name, link),
    });
    const first = this.#links.get(id) ?? link;
    this.#links.set(id, first);
    return first;
  }

  /** The peer is gone, or about to: the arbiter knows why. */
  #closed(id: string, name: string, link: Link): void {
    if (this.#links.get(id) === link) this.#links.delete(id);
    for (const [target, route] of this.#routes)
      if (route.waiting === undefined && route.link === link) this.#routes.delete(target);
    this.#owner.watch(id, ({ reason, error }) => {
      link.fail(new ActorDied(name, reason, error && { cause: error }));
    });
  }
}

import { toError } from '../core/errors.js';
import { packError } from '../core/wire-error.js';
import { MailboxFull, undeliverable } from './actor-errors.js';
import { ActorProxy } from './actor-proxy.js';
import { copyCheaply, DEAR } from './cheap-copy.js';
import type { Message, Outcome } from './message.js';
import { loseParcel, type Parcel } from './parcels.js';
import type { Port } from './port.js';
import { BATCH, FAIL, type Frame, PARCEL, REPLY, SEND, UNANSWERED, type WireActor } from './wire.js';

/** So many frames are posted without waiting for more. */
const MOST_GATHERED = 256;
/** What follows it runs once this turn's own work is done; it costs less than `queueMicrotask`. */
const NOW = Promise.resolve();

/** What was sent, and is not settled. */
type Settled = Pick<Message, 'settle'>;

/** Who hears of a link. */
export interface LinkEvents {
  /** A message came from the other side. */
  arrived(target: string, message: Message): void;
  /** A parcel came. Throws when it cannot be taken. */
  parcel?(kind: string, content: unknown): void;
  /** Any other frame. */
  told(frame: Frame): void;
  /** Every frame, before anything else. */
  heard?(): void;
  /** The channel is closed. */
  closed(): void;
}

/**
 * Messages and their answers over a port, both ways. What is sent is settled once: by the other side's answer, by a full
 * mailbox, or by {@link Link.fail} when the other side is gone.
 */
export class Link {
  readonly #port: Port;
  /** How many messages may be under way to the other side: its loop may be blocked. */
  readonly #limit: number;
  readonly #pending = new Map<number, Settled>();
  #ticket = 0;
  /** Frames of this turn that are still to be posted. */
  #gathered: Frame[] = [];
  #failure: Error | undefined;

  constructor(port: Port, limit: number, events: LinkEvents) {
    this.#port = port;
    this.#limit = limit;
    const take = (frame: Frame) => {
      if (frame[0] === SEND) this.#arrived(frame, events);
      else if (frame[0] === REPLY) this.#settle(frame[1], { isOk: true, value: frame[2] });
      else if (frame[0] === PARCEL) this.#parcel(frame, events);
      else if (frame[0] === FAIL) this.#settle(frame[1], { isOk: false, error: frame[2] });
      else events.told(frame);
    };
    port.listen({
      received: (frame) => {
        events.heard?.();
        if (frame[0] === BATCH) for (const one of frame[1]) take(one);
        else take(frame);
      },
      closed: () => events.closed(),
    });
  }

  /** How many messages are not settled. */
  get pending(): number {
    return this.#pending.size;
  }

  send(target: string, message: Message): void {
    const failure =
      this.#failure ?? (this.#pending.size >= this.#limit ? new MailboxFull(target, this.#limit) : undefined);
    if (failure !== undefined) {
      message.settle({ isOk: false, error: packError(failure) });
      return;
    }
    const { command, args, sender, ack } = message;
    const ticket = ++this.#ticket;
    this.#pending.set(ticket, message);
    const from = sender && toWire(sender);
    try {
      const copy = copyCheaply(args);
      if (copy === DEAR || from === undefined) this.#post([SEND, ticket, target, from, command, args, ack]);
      else this.#gather([SEND, ticket, target, from, command, copy as unknown[], ack]);
    } catch (error) {
      this.#settle(ticket, { isOk: false, error: packError(undeliverable(command, error)) });
    }
  }

  sendParcel(parcel: Parcel): void {
    const { kind, content, isPlain, settle } = parcel;
    if (this.#failure !== undefined) {
      loseParcel(parcel, this.#failure);
      return;
    }
    const ticket = settle === undefined ? UNANSWERED : ++this.#ticket;
    if (settle !== undefined) this.#pending.set(ticket, { settle });
    const frame: Frame = [PARCEL, ticket, kind, content];
    if (isPlain) this.#postPlain(frame);
    else this.#post(frame);
  }

  /** Any other frame; nothing when the other side is gone. */
  tell(frame: Frame, transfer?: Parameters<Port['post']>[1]): void {
    if (this.#failure === undefined) this.#post(frame, transfer);
  }

  /** Settles all that is under way, and what comes, with an error. */
  fail(error: Error): void {
    this.#failure ??= error;
    this.#gathered = [];
    const wire = packError(error);
    for (const ticket of [...this.#pending.keys()]) this.#settle(ticket, { isOk: false, error: wire });
  }

  flush(): Promise<void> {
    this.#postGathered();
    return this.#port.flush();
  }

  #arrived(
    [, ticket, target, sender, command, args, ack]: Extract<Frame, [typeof SEND, ...unknown[]]>,
    events: LinkEvents,
  ): void {
    events.arrived(target, {
      command,
      args,
      ack,
      sender: sender && new ActorProxy(sender.id, sender.name, sender.kind),
      settle: (outcome) => this.#answer(ticket, command, outcome),
    });
  }

  #parcel(
    [, ticket, kind, content]: Extract<Frame, [typeof PARCEL, ...unknown[]]>,
    events: LinkEvents,
  ): void {
    try {
      events.parcel?.(kind, content);
      if (ticket !== UNANSWERED && this.#failure === undefined) this.#postPlain([REPLY, ticket]);
    } catch (error) {
      if (ticket !== UNANSWERED) this.tell([FAIL, ticket, packError(toError(error))]);
    }
  }

  #answer(ticket: number, command: string, outcome: Outcome): void {
    if (!outcome.isOk) {
      this.tell([FAIL, ticket, outcome.error]);
      return;
    }
    const copy = copyCheaply(outcome.value);
    if (copy !== DEAR) {
      if (this.#failure === undefined)
        this.#gather(copy === undefined ? [REPLY, ticket] : [REPLY, ticket, copy]);
      return;
    }
    try {
      this.tell([REPLY, ticket, outcome.value]);
    } catch (error) {
      this.tell([FAIL, ticket, packError(undeliverable(command, error))]);
    }
  }

  /** Sends a plain frame with the others of this turn: one message of the system for all of them. */
  #gather(frame: Frame): void {
    if (this.#gathered.push(frame) === 1) void NOW.then(this.#postLater);
    else if (this.#gathered.length === MOST_GATHERED) this.#postGathered();
  }

  readonly #postLater = (): void => this.#postGathered();

  #postGathered(): void {
    const frames = this.#gathered;
    const [first] = frames;
    if (first === undefined) return;
    this.#gathered = [];
    this.#port.postPlain(frames.length === 1 ? first : [BATCH, frames]);
  }

  /** After what was gathered before. */
  #post(frame: Frame, transfer?: Parameters<Port['post']>[1]): void {
    this.#postGathered();
    this.#port.post(frame, transfer);
  }

  #postPlain(frame: Frame): void {
    this.#postGathered();
    this.#port.postPlain(frame);
  }

  #settle(ticket: number, outcome: Outcome): void {
    const sent = this.#pending.get(ticket);
    this.#pending.delete(ticket);
    sent?.settle(outcome);
  }
}

export function toWire({ id, name, kind }: WireActor): WireActor {
  return { id, name, kind };
}

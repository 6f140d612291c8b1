import { MessageChannel, type MessagePort } from 'node:worker_threads';
import type { VelaError } from '../core/errors.js';
import type { Call, CallThread, Packed } from './call.js';
import { type Control, createControl, RECALLED, TOLD } from './control.js';
import { unreadableError, unsendableError } from './executor-errors.js';
import { Outbox } from './outbox.js';
import { ReplyReader } from './reply-ring.js';
import { takeMessages } from './take-messages.js';
import type { ThreadEvents } from './thread-events.js';
import {
  ABORT,
  CALL,
  CLOSE,
  CLOSED,
  FACTS,
  type FromThread,
  GARBLED,
  LOADED,
  LOG,
  READY,
  RUN,
  SYNC,
  SYNCED,
  type ThreadStart,
  type ToThread,
  type WireFacts,
} from './wire.js';

/** The server's side of one thread. */
export class ThreadHandle implements CallThread {
  readonly start: ThreadStart;
  /** Ends the thread, whatever it does; the reason is why. */
  readonly #killer = new AbortController();
  isReady = false;
  /** It gets no more calls. */
  isClosing = false;
  lateCalls = 0;
  /** How many of its calls are over. */
  answered = 0;
  /** When something was last heard of it, or it was given something while it had nothing, in ms of `performance.now()`. */
  heardMs = 0;
  /** How many calls it has. */
  load = 0;

  readonly #events: ThreadEvents<ThreadHandle>;
  readonly #port: MessagePort;
  readonly #control: Control;
  readonly #replies: ReplyReader;
  readonly #calls: (Call | undefined)[];
  readonly #free: number[];
  /** Servers that it knows. */
  readonly #introduced = new Set<number>();
  /** Targets that it was told to load, and those among them that it has not. */
  readonly #told = new Set<number>();
  readonly #loading = new Set<number>();
  #ticket = 0;
  readonly #outbox: Outbox;
  /** Who waits until it has no calls. */
  readonly #idle: (() => void)[] = [];
  #closing: Promise<void> | undefined;
  #closed: (() => void) | undefined;

  /** @param depth - how many calls it may have @param concurrency - how many of them run at once */
  constructor(events: ThreadEvents<ThreadHandle>, depth: number, concurrency: number, nesting: number) {
    const { port1, port2 } = new MessageChannel();
    this.#events = events;
    this.#port = port1;
    this.#control = createControl(depth);
    this.#replies = new ReplyReader(this.#control);
    this.#outbox = new Outbox(port1, this.#control, (entry, cause) => this.#unsendable(entry, cause));
    this.#calls = new Array<Call | undefined>(depth).fill(undefined);
    this.#free = Array.from({ length: depth }, (_, index) => depth - 1 - index);
    this.start = { port: port2, control: this.#control.shared, concurrency, nesting };
    port1.on('message', (entries: FromThread[]) => this.#receive(entries));
    port1.on('messageerror', () => this.#askUnread());
  }

  /** How many of its calls have not begun. */
  get waiting(): number {
    const { slots } = this.#control;
    const isWaiting = (call: Call | undefined) => call && Atomics.load(slots, call.slot) === call.ticket;
    return this.#calls.filter(isWaiting).length;
  }

  get killSignal(): AbortSignal {
    return this.#killer.signal;
  }

  kill(why: string): void {
    this.#killer.abort(why);
  }

  /** Why it was killed; undefined when it was not. */
  get killReason(): string | undefined {
    return this.#killer.signal.aborted ? String(this.#killer.signal.reason) : undefined;
  }

  /** Gives it a call; it must have room. */
  give(call: Call): void {
    const slot = this.#free.pop() as number;
    this.#ticket = (this.#ticket + 2) & 0x3ffffffe || 2;
    call.thread = this;
    call.slot = slot;
    call.ticket = this.#ticket;
    this.#calls[slot] = call;
    if (this.load++ === 0) this.heardMs = performance.now();
    Atomics.store(this.#control.slots, slot, call.ticket);
    if (!this.#told.has(call.target)) this.#events.lacks(this, call.target);
    this.post(call.work.pack(call, this));
  }

  /** Tells it to load a target. */
  tell(target: number, entry: ToThread): void {
    this.#told.add(target);
    this.#loading.add(target);
    this.post({ entry });
  }

  get isLoading(): boolean {
    return this.#loading.size > 0;
  }

  post(packed: Packed): void {
    // What a thread with nothing else to do gets goes at once.
    this.#outbox.post(packed, this.load === 1);
  }

  introduce(index: number, describe: () => WireFacts): void {
    if (this.#introduced.has(index)) return;
    this.#introduced.add(index);
    this.post({ entry: [FACTS, index, describe()] });
  }

  knows(index: number): boolean {
    return this.#introduced.has(index);
  }

  recall(call: Call): boolean {
    if (call.work.isPinned || !this.#unclaim(call)) return false;
    this.#release(call);
    return true;
  }

  /** @returns false when it has begun */
  #unclaim({ slot, ticket }: Call): boolean {
    return Atomics.compareExchange(this.#control.slots, slot, ticket, RECALLED) === ticket;
  }

  /** Takes back calls that have not begun, those given last. */
  recallSome(most: number): Call[] {
    const latest = this.#calls.filter((call) => call !== undefined).sort((a, b) => b.cameMs - a.cameMs);
    const recalled: Call[] = [];
    for (const call of latest) if (recalled.length < most && this.recall(call)) recalled.push(call);
    return recalled.reverse();
  }

  abort({ slot, ticket }: Call): void {
    this.post({ entry: [ABORT, slot, ticket] });
  }

  /** It is no more. @returns the calls that it had begun, and those that it had not */
  die(): { begun: Call[]; waiting: Call[] } {
    this.isClosing = true;
    this.#drainReplies();
    // What it has said before its end is heard.
    takeMessages(this.#port, (entries) => {
      for (const entry of entries as FromThread[]) this.#handle(entry);
    });
    const waiting = this.recallSome(Number.POSITIVE_INFINITY);
    const begun = this.#calls.filter((call) => call !== undefined);
    for (const call of begun) this.#release(call);
    this.#outbox.clear();
    this.#closed?.();
    this.#port.close();
    return { begun, waiting };
  }

  /** Resolves when it has no calls, or is dead. */
  async idle(): Promise<void> {
    if (this.load > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  /** Tells it to stop what it has started, and to end. Resolves when it has, or is dead. */
  close(): Promise<void> {
    this.#closing ??= new Promise((resolve) => {
      this.#closed = resolve;
      this.post({ entry: [CLOSE] });
    });
    return this.#closing;
  }

  #release(call: Call): void {
    this.#calls[call.slot] = undefined;
    this.#free.push(call.slot);
    this.load--;
    if (this.load === 0) for (const resolve of this.#idle.splice(0)) resolve();
    if (call.isLate) this.lateCalls--;
    call.thread = undefined;
  }

  /** A call that cannot be sent, or what it gave cannot be read here, is over. */
  #fail(call: Call, error: VelaError): void {
    this.#release(call);
    this.#events.done(this, call, 0, 0);
    call.work.failed(error);
    this.#events.freed(this);
  }

  /** One that was recalled meanwhile meets its error again where it went. */
  #unsendable(entry: ToThread, cause: unknown): void {
    const call = entry[0] === RUN || entry[0] === CALL ? this.#calls[entry[1]] : undefined;
    if (call !== undefined && call.ticket === entry[2]) this.#fail(call, unsendableError(cause));
  }

  /** A message with functions could not be read there: those whose arguments can be are given again. */
  #giveAgain(): void {
    for (const call of this.#functions()) {
      if (!this.#unclaim(call)) continue;
      const cause = call.work.readError?.();
      if (call.work.isPinned || call.isGivenAgain || cause !== undefined)
        this.#fail(call, unsendableError(cause));
      else this.#repeat(call);
    }
  }

  #repeat(call: Call): void {
    call.isGivenAgain = true;
    this.#release(call);
    this.give(call);
  }

  /** A message of the thread could not be read: was it what one of the functions gave that have begun? */
  #askUnread(): void {
    const { slots } = this.#control;
    const begun = this.#functions().filter(({ slot, ticket }) => Atomics.load(slots, slot) === ticket + 1);
    this.post({ entry: [SYNC, begun.map(({ ticket }) => ticket)] });
  }

  #functions(): Call[] {
    return this.#calls.filter((call) => call?.work.readError !== undefined) as Call[];
  }

  #receive(entries: FromThread[]): void {
    this.heardMs = performance.now();
    const before = this.load;
    this.#drainReplies();
    for (const entry of entries) this.#handle(entry);
    if (this.load < before) this.#events.freed(this);
  }

  /** Small answers come first: what is posted of a call follows what is in the ring. */
  #drainReplies(): void {
    // Before the look: what is written after it is told of anew.
    Atomics.store(this.#control.words, TOLD, 0);
    this.#replies.drain((slot, head, body) => {
      const call = this.#calls[slot];
      if (call === undefined) return;
      this.#finish(call);
      call.work.replied(head, body);
    });
  }

  #finish(call: Call): void {
    const { times } = this.#control;
    const at = 2 * call.slot;
    this.#release(call);
    this.answered++;
    this.#events.done(this, call, times[at] as number, times[at + 1] as number);
  }

  #handle(entry: FromThread): void {
    switch (entry[0]) {
      case READY:
        this.isReady = true;
        this.#events.ready(this);
        return;
      case LOADED:
        this.#loading.delete(entry[1]);
        this.#events.loaded(this, entry);
        return;
      case GARBLED:
        this.#giveAgain();
        return;
      case SYNCED:
        for (const call of this.#functions())
          if (entry[1].includes(call.ticket)) this.#fail(call, unreadableError());
        return;
      case LOG:
        this.#events.logged(entry);
        return;
      case CLOSED:
        this.#closed?.();
        return;
      default: {
        const call = this.#calls[entry[1]];
        if (call?.work.told(entry)) this.#finish(call);
      }
    }
  }
}

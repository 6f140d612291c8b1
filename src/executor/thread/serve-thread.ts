import type { MessagePort } from 'node:worker_threads';
import type { Chunk, MiddlewareFunction } from '../../core/contract.js';
import { packError, unpackError } from '../../core/wire-error.js';
import { BELL, type Control, IS_HELD, openControl, stampTime, TOLD } from '../control.js';
import { enterNesting } from '../nesting.js';
import { ReplyWriter } from '../reply-ring.js';
import { takeMessages } from '../take-messages.js';
import {
  ABORT,
  CALL,
  CLOSE,
  CLOSED,
  CREDIT,
  FACTS,
  FAILED,
  type FromThread,
  GARBLED,
  LOAD,
  LOADED,
  OVER,
  READY,
  RUN,
  STOPPING,
  SYNC,
  SYNCED,
  type ThreadStart,
  type ToThread,
} from '../wire.js';
import { type CallPart, feedCall } from './feed-call.js';
import { Inbox } from './inbox.js';
import { runFunction } from './run-function.js';
import { createCall, runCall } from './run-request.js';
import { loadTarget, stopTargets, type Target } from './targets.js';
import type { ThreadCall } from './thread-call.js';
import { ThreadServers } from './thread-servers.js';
import { type ThreadLine, ThreadTransport } from './thread-transport.js';

type CallEntry = Extract<ToThread, [typeof CALL | typeof RUN, ...unknown[]]>;

/** Held this long at a time: nobody misses the bell, but the thread looks all the same. */
const HOLD_MS = 1000;

/** Serves its port until the server closes it. */
export function serveThread(start: ThreadStart): Promise<void> {
  enterNesting(start.nesting);
  return new Promise((resolve) => {
    new ThreadServer(start, resolve).begin();
  });
}

/** Takes calls from a server, one after the other, and answers them. */
class ThreadServer implements ThreadLine {
  readonly #port: MessagePort;
  readonly #control: Control;
  readonly #concurrency: number;
  readonly #replies: ReplyWriter;
  readonly #transport: ThreadTransport;
  readonly #servers: ThreadServers;
  readonly #targets: (Target | Promise<void> | Error | undefined)[] = [];
  readonly #calls: (ThreadCall | undefined)[] = [];
  readonly #end: () => void;
  readonly #inbox = new Inbox();
  readonly #queue: CallEntry[] = [];
  /** What has come for calls that have not begun, by ticket. */
  readonly #early = new Map<number, CallPart[]>();
  /** Functions that have not answered: what lets go of each, by ticket. */
  readonly #functions = new Map<number, () => void>();
  #running = 0;
  /** Some call's code is on the stack, so no other may begin. */
  #isWithin = false;
  #isGoingOn = false;
  /** The request whose code that is. */
  #current: ThreadCall | undefined;

  constructor({ port, control, concurrency }: ThreadStart, end: () => void) {
    this.#port = port;
    this.#control = openControl(control);
    this.#concurrency = concurrency;
    this.#replies = new ReplyWriter(this.#control);
    this.#transport = new ThreadTransport(this);
    this.#servers = new ThreadServers(this.#transport, (entry) => this.post(entry));
    this.#end = end;
  }

  begin(): void {
    this.#port.on('message', (entries: ToThread[]) => {
      this.#inbox.add(entries);
      this.#takeAll();
      this.#goOn();
    });
    this.#port.on('messageerror', () => this.post([GARBLED]));
    this.post([READY]);
  }

  post(entry: FromThread, transfer: readonly ArrayBuffer[] = []): void {
    this.#port.postMessage([entry], transfer);
  }

  reply(call: ThreadCall, head: string, body: Chunk | undefined): boolean {
    if (call.isOver) return true;
    stampTime(this.#control, call.slot, 1);
    if (!this.#replies.write(call.slot, head, body)) return false;
    if (Atomics.exchange(this.#control.words, TOLD, 1) === 0) this.#port.postMessage([]);
    this.#finish(call);
    return true;
  }

  end(call: ThreadCall, entry: FromThread, transfer: readonly ArrayBuffer[] = []): void {
    // Its client left while it was held: its place may be another call's by now.
    if (call.isOver) return;
    stampTime(this.#control, call.slot, 1);
    this.post(entry, transfer);
    this.#finish(call);
  }

  hold(): void {
    const { words } = this.#control;
    const rung = Atomics.load(words, BELL);
    Atomics.store(words, IS_HELD, 1);
    if (!this.poll()) Atomics.wait(words, BELL, rung, HOLD_MS);
    Atomics.store(words, IS_HELD, 0);
    this.poll();
  }

  poll(): boolean {
    // It is a handler's code that asks, be it after an await.
    const wasWithin = this.#isWithin;
    this.#isWithin = true;
    let hasCome = this.#takeAll();
    const take = (entries: unknown) => {
      hasCome = true;
      this.#inbox.add(entries as ToThread[]);
      this.#takeAll();
    };
    takeMessages(this.#port, take, () => this.post([GARBLED]));
    this.#isWithin = wasWithin;
    if (hasCome) this.#goOnSoon();
    return hasCome;
  }

  /** @returns true when something was there */
  #takeAll(): boolean {
    let taken = 0;
    for (let entry = this.#inbox.take(); entry !== undefined; entry = this.#inbox.take(), taken++)
      this.#take(entry);
    return taken > 0;
  }

  #take(entry: ToThread): void {
    switch (entry[0]) {
      case CALL:
      case RUN:
        this.#queue.push(entry);
        return;
      case LOAD:
        this.#load(entry);
        return;
      case FACTS:
        this.#servers.add(entry[1], entry[2]);
        return;
      case STOPPING:
        this.#servers.stop(entry[1]);
        return;
      case SYNC:
        this.post([SYNCED, entry[1].filter((ticket) => !this.#functions.has(ticket))]);
        return;
      case CLOSE:
        void this.#close();
        return;
      default:
        this.#hand(entry);
    }
  }

  /** Something for a call, which may not have begun, or be over. */
  #hand(part: CallPart): void {
    const [kind, slot, ticket] = part;
    if (kind === CREDIT) this.#transport.blocks.giveBack(part[4]);
    const call = this.#calls[slot];
    if (call === undefined || call.ticket !== ticket) {
      if (kind === ABORT) this.#functions.get(ticket)?.();
      const isWaiting = this.#queue.some((entry) => entry[2] === ticket);
      if (isWaiting) this.#early.set(ticket, [...(this.#early.get(ticket) ?? []), part]);
      return;
    }
    feedCall(call, part, this, this.#isWithin);
    if (kind !== ABORT) return;
    // One whose code still runs is over when that has returned.
    if (this.#current === call) call.isAborted = true;
    else this.end(call, [OVER, call.slot]);
  }

  #load([, index, url, name, use, server]: Extract<ToThread, [typeof LOAD, ...unknown[]]>): void {
    const known = this.#targets[index];
    if (known !== undefined) {
      const error = known instanceof Error ? packError(known) : undefined;
      if (!(known instanceof Promise)) this.post([LOADED, index, error]);
      return;
    }
    const settle = (target: Target | Error, error: ReturnType<typeof packError> | undefined) => {
      this.#targets[index] = target;
      this.post([LOADED, index, error]);
      this.#goOn();
    };
    this.#targets[index] = loadTarget(url, name, use, this.#servers.context(server)).then(
      (target) => settle(target, undefined),
      (error: unknown) => {
        const packed = packError(error);
        settle(unpackError(packed), packed);
      },
    );
  }

  /** Begins as many calls as may run at once. */
  #goOn(): void {
    while (!this.#isWithin && this.#running < this.#concurrency) {
      const at = this.#queue.findIndex(([, , , target]) => !(this.#targets[target] instanceof Promise));
      const [entry] = at === -1 ? [] : this.#queue.splice(at, 1);
      if (entry === undefined) return;
      const [, slot, ticket, index] = entry;
      const target = this.#targets[index];
      if (Atomics.compareExchange(this.#control.slots, slot, ticket, ticket + 1) !== ticket) {
        this.#early.delete(ticket);
        continue;
      }
      this.#running++;
      stampTime(this.#control, slot, 0);
      this.#isWithin = true;
      if (target === undefined || target instanceof Promise) this.#refuse(slot);
      else if (target instanceof Error) this.#refuse(slot, target);
      else if (entry[0] === CALL) this.#call(entry, target.call as MiddlewareFunction);
      else this.#run(entry, target.call as (...args: unknown[]) => unknown);
      this.#isWithin = false;
    }
  }

  #refuse(slot: number, error = new Error('This module was never loaded')): void {
    stampTime(this.#control, slot, 1);
    this.post([FAILED, slot, packError(error)]);
    this.#running--;
  }

  #call(entry: Extract<CallEntry, [typeof CALL, ...unknown[]]>, app: MiddlewareFunction): void {
    const call = createCall(entry, app, this.#servers, this);
    this.#calls[call.slot] = call;
    const early = this.#early.get(call.ticket);
    if (early !== undefined) {
      this.#early.delete(call.ticket);
      for (const part of early) this.#hand(part);
    }
    this.#current = call;
    runCall(call);
    this.#current = undefined;
    if (call.isAborted) this.end(call, [OVER, call.slot]);
  }

  #run(
    [, slot, ticket, , args]: Extract<CallEntry, [typeof RUN, ...unknown[]]>,
    call: (...args: unknown[]) => unknown,
  ): void {
    const done = () => {
      if (!this.#functions.delete(ticket)) return false;
      stampTime(this.#control, slot, 1);
      this.#running--;
      // What waits begins once this answer is posted.
      this.#goOnSoon();
      return true;
    };
    this.#functions.set(ticket, () => {
      if (done()) this.post([OVER, slot]);
    });
    runFunction(call, args, slot, (entry, transfer) => this.post(entry, transfer), done);
  }

  /** Once the code at hand has returned. */
  #goOnSoon(): void {
    if (this.#isWithin || this.#isGoingOn) return;
    this.#isGoingOn = true;
    queueMicrotask(() => {
      this.#isGoingOn = false;
      this.#goOn();
    });
  }

  #finish(call: ThreadCall): void {
    call.isOver = true;
    if (this.#calls[call.slot] === call) this.#calls[call.slot] = undefined;
    this.#running--;
    this.#goOnSoon();
  }

  async #close(): Promise<void> {
    const loaded = this.#targets.filter((one) => one !== undefined && 'part' in one);
    await stopTargets(loaded, (error) => this.#servers.logAny(error));
    this.post([CLOSED]);
    this.#port.close();
    this.#end();
  }
}

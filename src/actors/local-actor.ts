import { threadId } from 'node:worker_threads';
import { isWithin, LONGEST_TIMER_MS } from '../core/duration.js';
import { describeValue, isThenable, toError } from '../core/errors.js';
import type { Logger } from '../core/logger.js';
import { own } from '../core/own.js';
import { waitAtMost } from '../core/wait-at-most.js';
import { packError } from '../core/wire-error.js';
import type { Actor, WatchOptions } from './actor.js';
import type { ActorCode, ActorMessage, CommandHandler } from './actor-code.js';
import { ActorDied } from './actor-errors.js';
import type { ActorHost, ActorIdentity } from './actor-host.js';
import type { ActorInfo } from './actor-info.js';
import { ActorProxy, reviveProxies } from './actor-proxy.js';
import { type ActorState, hasReached } from './actor-state.js';
import type { CommandResult } from './command-results.js';
import { findCommand } from './commands.js';
import { actAs } from './current-actor.js';
import type { DownNotice } from './down-notice.js';
import { Mailbox } from './mailbox.js';
import type { Message } from './message.js';
import { type Speaker, sendCommand, spawnFor, watchFor } from './outgoing.js';
import { startPeriodicTask } from './periodic-task.js';
import type { ActorTarget, SendOptions } from './send-target.js';
import type { SpawnOptions } from './spawn-options.js';
import { SystemProbe } from './system-info.js';

/** How long `onExit` may take, in ms. */
const EXIT_MS = 1000;

/** An actor, where it runs: its state, its hooks, its commands and its mailbox. */
export class LocalActor implements Actor {
  readonly proxy: ActorProxy;
  readonly monitor: string;
  readonly age: number;
  readonly logger: Logger;
  readonly #code: ActorCode;
  readonly #host: ActorHost;
  readonly #identity: ActorIdentity;
  readonly #config: Record<string, unknown>;
  readonly #commands: Readonly<Record<string, CommandHandler>>;
  readonly #speaker: Speaker;
  readonly #mailbox: Mailbox;
  readonly #probe = new SystemProbe();
  readonly #startedMs = performance.now();
  readonly #tasks = new Set<() => void>();
  #state: ActorState = 'initial';
  #isRetired = false;

  constructor(identity: ActorIdentity, code: ActorCode, host: ActorHost) {
    const { id, name, kind, mailboxLimit, concurrency } = identity;
    this.proxy = new ActorProxy(id, name, kind);
    this.monitor = identity.monitor;
    this.age = identity.age;
    this.logger = host.logger;
    this.#identity = identity;
    this.#config = { ...identity.config };
    this.#code = code;
    this.#commands = { ...code.commands, ...host.commands };
    this.#host = host;
    this.#speaker = { host, proxy: this.proxy, monitor: this.monitor, sendTimeoutMs: identity.sendTimeoutMs };
    this.#mailbox = new Mailbox(name, mailboxLimit, concurrency, {
      begin: (message) => code.onMessage && this.#call('onMessage', describe(message)),
      failed: (message, error) => this.#fail(message, toError(error)),
      run: (message) => this.#work(message),
    });
  }

  get id(): string {
    return this.proxy.id;
  }

  get name(): string {
    return this.proxy.name;
  }

  get args(): readonly unknown[] {
    return this.#identity.args;
  }

  get state(): ActorState {
    return this.#state;
  }

  get config(): Readonly<Record<string, unknown>> {
    return this.#config;
  }

  isRunning(): boolean {
    return this.#state === 'running';
  }

  isStarted(): boolean {
    return hasReached(this.#state, 'running');
  }

  isAfterRun(): boolean {
    return hasReached(this.#state, 'stopping');
  }

  isClosed(): boolean {
    return this.#state === 'closed';
  }

  isStopped(): boolean {
    return hasReached(this.#state, 'closed');
  }

  isArbiter(): boolean {
    return this.proxy.kind === 'arbiter';
  }

  isMonitor(): boolean {
    return this.proxy.kind === 'monitor';
  }

  isProcess(): boolean {
    return this.proxy.kind === 'process';
  }

  isRetired(): boolean {
    return this.#isRetired;
  }

  /** Others go on in its place. */
  retire(): void {
    this.#isRetired = true;
  }

  setConfig(name: string, value: unknown): void {
    this.#host.configured?.(name, value);
    this.#config[name] = value;
  }

  send<C extends string>(
    to: ActorTarget | SendOptions,
    command: C,
    ...args: unknown[]
  ): Promise<CommandResult<C>> {
    return own(sendCommand(this.#speaker, to, command, args)) as Promise<CommandResult<C>>;
  }

  spawn(options: SpawnOptions): Promise<ActorProxy> {
    return own(spawnFor(this.#speaker, options));
  }

  watch(target: ActorTarget, options: WatchOptions = {}): Promise<DownNotice> {
    return own(watchFor(this.#speaker, target, options));
  }

  periodicTask(everyMs: number, task: () => unknown): () => void {
    if (!isWithin(everyMs, 1, LONGEST_TIMER_MS) || typeof task !== 'function')
      throw new TypeError(
        `periodicTask() takes a number of milliseconds from 1 to ${LONGEST_TIMER_MS} and a function; received ${describeValue(everyMs)}, ${describeValue(task)}`,
      );
    const end = startPeriodicTask(
      everyMs,
      () => actAs(this, task),
      (error) => this.logger.error({ err: error }, `a periodic task of the actor "${this.name}" failed`),
    );
    this.#tasks.add(end);
    return () => {
      this.#tasks.delete(end);
      end();
    };
  }

  async info(): Promise<ActorInfo> {
    const { name, id, kind } = this.proxy;
    const info: ActorInfo = {
      actor: {
        name,
        id,
        kind,
        state: this.#state,
        uptimeSeconds: (performance.now() - this.#startedMs) / 1000,
        processId: process.pid,
        threadId,
        isProcess: this.isProcess(),
        age: this.age,
        mailbox: { ...this.#mailbox.counts, limit: this.#mailbox.limit },
      },
      system: this.#probe.look(),
      extra: {},
      ...(await this.#host.collect?.()),
    };
    const extra = await this.#call('onInfo', info);
    return typeof extra === 'object' && extra !== null ? { ...info, extra: { ...extra } } : info;
  }

  stop(): void {
    this.#host.stop();
  }

  /** A message for it. */
  receive(message: Message): void {
    this.#mailbox.put({ ...message, args: reviveProxies(message.args) });
  }

  noteLag(lagMs: number): void {
    this.#probe.noteLag(lagMs);
  }

  /** From `onInit` to the first message. Rejects with what a hook throws. */
  async begin(): Promise<void> {
    this.#state = 'inactive';
    await this.#call('onInit');
    // It may have been told to stop meanwhile.
    if (this.isAfterRun()) return;
    this.#state = 'starting';
    await this.#call('onStart');
    if (this.isAfterRun()) return;
    this.#state = 'running';
    if (this.#code.onTask !== undefined) this.periodicTask(this.#identity.taskMs, () => this.#call('onTask'));
    this.#mailbox.open();
  }

  /** @param drain - ends what it looks after, between `onStop` and its last message */
  async end(timeoutMs: number, drain?: () => Promise<void>): Promise<void> {
    if (this.isAfterRun()) return;
    const wasRunning = this.isRunning();
    const refusal = new ActorDied(this.name, 'stopped');
    this.#state = 'stopping';
    const deadlineMs = performance.now() + timeoutMs;
    for (const end of this.#tasks) end();
    await waitAtMost(this.#report('onStop'), timeoutMs);
    await drain?.();
    this.#mailbox.close(refusal);
    if (wasRunning) await waitAtMost(this.#mailbox.idle(), deadlineMs - performance.now());
    this.#mailbox.abandon(refusal);
    this.#state = 'closed';
    await waitAtMost(this.#report('onExit'), EXIT_MS);
  }

  /** It cannot go on: `onExit` alone. */
  async terminate(): Promise<void> {
    if (hasReached(this.#state, 'closed')) return;
    this.#state = 'terminated';
    for (const end of this.#tasks) end();
    this.#mailbox.abandon(new ActorDied(this.name, 'error'));
    await waitAtMost(this.#report('onExit'), EXIT_MS);
  }

  async #work(message: Message): Promise<void> {
    let error: Error | undefined;
    let isAwaited = message.ack;
    try {
      const { handler, ack } = findCommand(this.name, message.command, this.#commands);
      const request = { actor: this, sender: message.sender, command: message.command };
      const answer = actAs(this, () => handler(request, ...message.args));
      if (isAwaited && !ack) {
        message.settle({ isOk: true, value: undefined });
        isAwaited = false;
      }
      const value = isThenable(answer) ? await answer : answer;
      if (isAwaited) message.settle({ isOk: true, value });
    } catch (thrown) {
      error = toError(thrown);
      this.#fail({ ...message, ack: isAwaited }, error);
    }
    if (this.#code.onMessageProcessed !== undefined)
      await this.#report('onMessageProcessed', describe(message), error);
  }

  /** An error is the answer, or is logged where there is none. */
  #fail({ command, ack, settle }: Message, error: Error): void {
    if (ack) settle({ isOk: false, error: packError(error) });
    else this.logger.error({ err: error }, `the command "${command}" of "${this.name}" failed`);
  }

  #call(hook: Hook, ...args: unknown[]): unknown {
    const run = this.#code[hook] as ((...args: unknown[]) => unknown) | undefined;
    return run === undefined ? undefined : actAs(this, () => run.call(this.#code, this, ...args));
  }

  /** Calls a hook whose errors are logged. */
  async #report(hook: Hook, ...args: unknown[]): Promise<void> {
    try {
      await this.#call(hook, ...args);
    } catch (error) {
      this.logger.error({ err: toError(error) }, `${hook} of the actor "${this.name}" failed`);
    }
  }
}

type Hook = Exclude<keyof ActorCode, 'commands'>;

function describe({ command, args, sender }: Message): ActorMessage {
  return { command, args, sender };
}

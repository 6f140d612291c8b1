import { toError, VelaError } from '../core/errors.js';
import { type ErrorClasses, unpackError, type WireError } from '../core/wire-error.js';
import type { DownReason } from './down-notice.js';

/** How a process ended. */
interface ProcessEnd {
  readonly exitCode?: number | undefined;
  readonly signal?: string | undefined;
}

/** The actor that a message was for is gone, or was never there. The message may have been worked on, or not. */
export class ActorDied extends VelaError {
  override readonly name = 'ActorDied';
  /** How it was addressed. */
  readonly target: string;
  readonly reason: DownReason;
  /** Of its process, where it was this that ended. */
  readonly exitCode?: number;
  readonly signal?: string;

  constructor(target: string, reason: DownReason, options?: ErrorOptions & ProcessEnd) {
    super('ERR_ACTOR_DIED', `${SENTENCES[reason](target)}${because(options?.cause)}`, options);
    this.target = target;
    this.reason = reason;
    if (options?.exitCode !== undefined) this.exitCode = options.exitCode;
    if (options?.signal !== undefined) this.signal = options.signal;
  }
}

/** As many messages wait for the actor as its mailbox takes: this one was not delivered. */
export class MailboxFull extends VelaError {
  override readonly name = 'MailboxFull';
  readonly target: string;
  readonly limit: number;

  constructor(target: string, limit: number) {
    super(
      'ERR_ACTOR_MAILBOX_FULL',
      `The mailbox of "${target}" is full: ${limit} messages wait there. Await what is sent, or raise its option "mailboxLimit"`,
    );
    this.target = target;
    this.limit = limit;
  }
}

/** No answer came in time. The message may have been worked on, or still be. */
export class ActorTimeout extends VelaError {
  override readonly name = 'ActorTimeout';
  readonly target: string;
  readonly command: string;
  readonly timeoutMs: number;

  constructor(target: string, command: string, timeoutMs: number) {
    super('ERR_ACTOR_TIMEOUT', `"${target}" has not answered "${command}" within ${timeoutMs} ms`);
    this.target = target;
    this.command = command;
    this.timeoutMs = timeoutMs;
  }
}

const SENTENCES: Readonly<Record<DownReason, (target: string) => string>> = {
  stopped: (target) => `The actor "${target}" has stopped`,
  exit: (target) => `The actor "${target}" has left its process or thread`,
  error: (target) => `The actor "${target}" died of an error`,
  killed: (target) => `The actor "${target}" was killed`,
  timeout: (target) => `The actor "${target}" was ended, as it gave no sign of life`,
  'gave-up': (target) => `The monitor "${target}" gave up: its actors died too often`,
  unknown: (target) => `There is no actor "${target}"`,
};

const CLASSES: ErrorClasses = { ActorDied, ActorTimeout, MailboxFull };

/** An error that came from another actor. */
export function unpackActorError(error: WireError): Error {
  return unpackError(error, CLASSES);
}

/** A breach of the rules of messages. */
export function actorError(condition: string, message: string, cause?: unknown): VelaError {
  return new VelaError(condition, message, cause === undefined ? undefined : { cause });
}

/** For arguments or an answer that cannot be copied. */
export function undeliverable(command: string, cause: unknown): VelaError {
  const why = `${toError(cause).message}: messages are copied, so functions and most objects of classes cannot be in them`;
  return actorError('ERR_ACTOR_MESSAGE', `A message of "${command}" cannot be sent: ${why}`, cause);
}

/** For a message or an answer that has arrived and cannot be read. */
export function unreadable(cause: unknown): VelaError {
  return actorError(
    'ERR_ACTOR_MESSAGE',
    'A message or an answer cannot be read: it is nested too deep',
    cause,
  );
}

function because(cause: unknown): string {
  return cause instanceof Error ? `: ${cause.message}` : '';
}

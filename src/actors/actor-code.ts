import { describeValue, refuseUnknown } from '../core/errors.js';
import type { Actor } from './actor.js';
import { actorError } from './actor-errors.js';
import type { ActorInfo } from './actor-info.js';
import type { ActorProxy } from './actor-proxy.js';

/** What hooks see of a message. */
export interface ActorMessage {
  readonly command: string;
  readonly args: readonly unknown[];
  readonly sender: ActorProxy | undefined;
}

/** What the handler of a command is called with. */
export interface CommandRequest {
  /** The actor that runs the command. */
  readonly actor: Actor;
  /** Who sent it; undefined from code that belongs to no actor. */
  readonly sender: ActorProxy | undefined;
  readonly command: string;
}

/** Answers a command: a value that can be copied, or a promise of one; what it throws is thrown where it was sent. */
// biome-ignore lint/suspicious/noExplicitAny: arguments come as they were sent, and handlers say what they take
export type CommandHandler = (request: CommandRequest, ...args: any[]) => unknown;

/** The hooks of an actor, all of which do nothing by default and may give a promise, and commands of its own. */
export interface ActorCode {
  /** In the new process or thread, before anything else. */
  onInit?(actor: Actor): unknown;
  /** Before the first message is taken. What it throws ends the actor, and rejects `spawn`. */
  onStart?(actor: Actor): unknown;
  /** Every `taskMs`, never twice at once. */
  onTask?(actor: Actor): unknown;
  /** The actor is to stop: it still takes messages, for as long as this takes, `stopTimeoutMs` at the most. */
  onStop?(actor: Actor): unknown;
  /** The last thing: no more messages come. A second at the most. */
  onExit?(actor: Actor): unknown;
  /** Somebody asks for `info`: what it gives, an object, stands there under `extra`. */
  onInfo?(actor: Actor, info: ActorInfo): unknown;
  /** A message is about to be worked on; the next one waits until this is done. What it throws is the answer. */
  onMessage?(actor: Actor, message: ActorMessage): unknown;
  /** A message was worked on, and `error` is undefined or what came of it. */
  onMessageProcessed?(actor: Actor, message: ActorMessage, error: Error | undefined): unknown;
  /** Handlers by the names of their commands. */
  readonly commands?: Readonly<Record<string, CommandHandler>>;
}

const HOOKS = [
  'onInit',
  'onStart',
  'onTask',
  'onStop',
  'onExit',
  'onInfo',
  'onMessage',
  'onMessageProcessed',
] as const;
const KNOWN = [...HOOKS, 'commands'];
const LIKE_HOOK = /^on[A-Z]/;

/**
 * An actor's code as it is used: an object, or a class that is made with `new`.
 * @throws {VelaError} `ERR_ACTOR_CODE` for what cannot be one
 */
export function resolveCode(owner: string, given: unknown): ActorCode {
  const code: unknown = isClass(given) ? new given() : given;
  if (typeof code !== 'object' || code === null || Array.isArray(code))
    throw actorError(
      'ERR_ACTOR_CODE',
      `${owner} must be an object of hooks and commands, { onStart(actor) {}, commands: { name: (request, ...args) => answer } }, or a class of such; received ${describeValue(given)}`,
    );
  for (const hook of HOOKS) requireFunction(owner, hook, Reflect.get(code, hook), true);
  const commands: unknown = Reflect.get(code, 'commands') ?? {};
  if (typeof commands !== 'object' || commands === null)
    throw actorError(
      'ERR_ACTOR_CODE',
      `"commands" of ${owner} must be an object, { name: (request, ...args) => answer }; received ${describeValue(commands)}`,
    );
  for (const [name, handler] of Object.entries(commands))
    requireFunction(owner, `commands.${name}`, handler, false);
  try {
    const unknown = listNames(code).filter((name) => LIKE_HOOK.test(name) && !KNOWN.includes(name));
    refuseUnknown(owner, Object.fromEntries(unknown.map((name) => [name, true])), KNOWN);
  } catch (error) {
    throw actorError('ERR_ACTOR_CODE', String((error as Error).message).replace('option', 'hook'), error);
  }
  return code;
}

function requireFunction(owner: string, name: string, value: unknown, isOptional: boolean): void {
  if (typeof value === 'function' || (isOptional && value === undefined)) return;
  throw actorError(
    'ERR_ACTOR_CODE',
    `"${name}" of ${owner} must be a function; received ${describeValue(value)}`,
  );
}

function isClass(value: unknown): value is new () => unknown {
  return typeof value === 'function' && /^class\b/.test(Function.prototype.toString.call(value));
}

/** Names of its own and of its class. */
function listNames(code: object): string[] {
  const names = Object.keys(code);
  for (
    let proto: unknown = Object.getPrototypeOf(code);
    typeof proto === 'object' && proto !== null && proto !== Object.prototype;
    proto = Object.getPrototypeOf(proto)
  )
    names.push(...Object.getOwnPropertyNames(proto));
  return names;
}

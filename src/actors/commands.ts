import { askNearest, describeValue, refuseUnknown, requireOptions } from '../core/errors.js';
import type { CommandHandler } from './actor-code.js';
import { actorError } from './actor-errors.js';
import { BUILT_IN } from './built-in-commands.js';

/** Options of {@link command}. */
export interface CommandOptions {
  /** Whether its answer is sent back; if not, `send` resolves once the command has begun, and errors are logged. @defaultValue true */
  ack?: boolean;
}

/** A command as it is kept. */
export interface Command {
  readonly handler: CommandHandler;
  readonly ack: boolean;
}

const registered = new Map<string, Command>();

/**
 * Gives a command to all actors of this process or thread: a module that does so is to be loaded where it is wanted. Commands
 * of one kind of actor are better off in its `commands`.
 * @throws {TypeError} for a name that is built in or taken, and for what is no function
 * @example command('greet', (request, name) => `Hello ${name}, I am ${request.actor.name}`)
 */
export function command(name: string, handler: CommandHandler, options: CommandOptions = {}): void {
  const { ack = true, ...unknown } = requireOptions('command', options);
  refuseUnknown('command', unknown, ['ack']);
  if (typeof name !== 'string' || name === '')
    throw new TypeError(`command() takes the name of a command; received ${describeValue(name)}`);
  if (typeof handler !== 'function')
    throw new TypeError(
      `command() takes a function, (request, ...args) => answer; received ${describeValue(handler)}`,
    );
  if (typeof ack !== 'boolean')
    throw new TypeError(`Option "ack" of command must be true or false; received ${describeValue(ack)}`);
  if (name in BUILT_IN) throw new TypeError(`The command "${name}" is built in: take another name`);
  if (registered.has(name))
    throw new TypeError(`There is a command "${name}" already: take another name, or declare it once`);
  registered.set(name, { handler, ack });
}

/** Built-in commands that give no answer. */
const SILENT = ['stop'];

/** Finds a command: built in, of the actor, or of all. @throws {VelaError} `ERR_ACTOR_COMMAND` */
export function findCommand(
  actor: string,
  name: string,
  own: Readonly<Record<string, CommandHandler>>,
): Command {
  const builtIn = Object.hasOwn(BUILT_IN, name) ? BUILT_IN[name] : undefined;
  const handler = (Object.hasOwn(own, name) ? own[name] : undefined) ?? builtIn;
  if (handler !== undefined) return { handler, ack: !SILENT.includes(name) };
  const found = registered.get(name);
  if (found !== undefined) return found;
  const known = [...Object.keys(BUILT_IN), ...Object.keys(own), ...registered.keys()];
  throw actorError(
    'ERR_ACTOR_COMMAND',
    `The actor "${actor}" has no command "${name}"${askNearest(name, known)}; it has ${known.map((one) => `"${one}"`).join(', ')}`,
  );
}

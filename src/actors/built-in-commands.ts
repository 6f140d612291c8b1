import { describeValue } from '../core/errors.js';
import type { CommandHandler, CommandRequest } from './actor-code.js';
import { actorError } from './actor-errors.js';
import { loadExport } from './load-export.js';

/** The commands that every actor has. */
export const BUILT_IN: Readonly<Record<string, CommandHandler>> = {
  ping: () => 'pong',
  echo: (_request, value: unknown) => value,
  info: ({ actor }) => actor.info(),
  config: runConfig,
  run: runFunction,
  stop: ({ actor }) => actor.stop(),
  notify: () => Date.now(),
  spawn: ofArbiter,
  kill_actor: ofArbiter,
};

/** `config get name`, and `config set name value`, which answers true. */
function runConfig({ actor }: CommandRequest, action: unknown, name: unknown, ...values: unknown[]): unknown {
  const isWhole = (action === 'get' && values.length === 0) || (action === 'set' && values.length === 1);
  if (!isWhole || typeof name !== 'string')
    throw actorError(
      'ERR_ACTOR_ARGUMENTS',
      `The command "config" takes 'get', name or 'set', name, value; received ${[action, name, ...values].map(describeValue).join(', ')}`,
    );
  if (action === 'get') return actor.config[name];
  actor.setConfig(name, values[0]);
  return true;
}

/** Calls a module's export with the actor and the arguments. */
async function runFunction(
  { actor }: CommandRequest,
  module: unknown,
  name: unknown,
  ...args: unknown[]
): Promise<unknown> {
  const found = await loadExport('The command "run"', module, name);
  if (typeof found !== 'function')
    throw actorError(
      'ERR_ACTOR_EXPORT',
      `The command "run" needs a function, (actor, ...args) => answer; "${String(name)}" of ${String(module)} is ${describeValue(found)}`,
    );
  return found(actor, ...args);
}

function ofArbiter({ actor, command }: CommandRequest): never {
  throw actorError(
    'ERR_ACTOR_COMMAND',
    `The command "${command}" is the arbiter's, and was sent to "${actor.name}": send('arbiter', '${command}', ...)`,
  );
}

import type { CommandResult } from '../actors/command-results.js';
import { send } from '../actors/send.js';
import { describeValue, refuseUnknown, requireOptions, toError, VelaError } from '../core/errors.js';
import { optionError } from '../middleware/option-error.js';
import { type Authorize, requireAllowed } from './authorize.js';
import { JSON_RPC_CODES, JsonRpcError } from './json-rpc-error.js';
import { JsonRpcHandler } from './json-rpc-handler.js';
import type { MethodType } from './method-types.js';

/** Options of {@link actorCommands}. */
export interface ActorCommandsOptions<C extends string = string> {
  /** Who may send commands: `call.method` and `call.params` say which one, and to whom. */
  authorize: Authorize;
  /**
   * The commands that can be sent. What is not named cannot: think twice of `run`, which calls any module, of `config`, `spawn`,
   * `stop` and `kill_actor`. @defaultValue `['ping', 'info', 'notify']`
   */
  commands?: readonly C[];
}

/** Methods named as the commands: each takes an actor's name or id, and the command's arguments. */
export type ActorMethods<C extends string> = {
  readonly [Name in C]: MethodType<
    readonly [['target', 'string'], '...args'],
    undefined,
    CommandResult<Name>
  >;
};

const OWNER = 'actorCommands';
const DEFAULT = ['ping', 'info', 'notify'] as const;

/**
 * Commands of actors as methods, for those who may: `actors.ping` with `['arbiter']` is `send('arbiter', 'ping')`, and
 * `actors.kill_actor` with `['arbiter', id]` ends an actor.
 * @throws {TypeError} for a wrong option
 * @example rpc.mount('actors', actorCommands({ authorize: (call) => call.environ['vela.user'] === 'admin' }))
 */
export function actorCommands<const C extends string = (typeof DEFAULT)[number]>(
  options: ActorCommandsOptions<C>,
): JsonRpcHandler<ActorMethods<C>> {
  const { authorize, commands = DEFAULT, ...unknown } = requireOptions(OWNER, options);
  refuseUnknown(OWNER, unknown, ['authorize', 'commands']);
  if (typeof authorize !== 'function')
    throw optionError(OWNER, 'authorize', 'a function (call) => true for those who may', authorize);
  if (!Array.isArray(commands) || !commands.every((name: unknown) => typeof name === 'string' && name !== ''))
    throw new TypeError(
      `Option "commands" of ${OWNER}() must be a list of names, ['ping', 'info']; received ${describeValue(commands)}`,
    );
  const handler = new JsonRpcHandler();
  for (const command of commands as readonly string[]) {
    handler.method(
      command,
      {
        params: [['target', 'string'], '...args'],
        summary: `Sends "${command}" to an actor, and answers as it does`,
      },
      async (call, target, ...args) => {
        await requireAllowed(OWNER, authorize, call);
        try {
          return await send(target, command, ...args);
        } catch (error) {
          throw tellable(error);
        }
      },
    );
  }
  return handler as JsonRpcHandler<ActorMethods<C>>;
}

/** Who may send commands is told what becomes of them. */
function tellable(thrown: unknown): Error {
  const error = toError(thrown);
  const code = error instanceof VelaError ? { code: error.code } : undefined;
  return new JsonRpcError(JSON_RPC_CODES.serverError, error.message, code, { cause: error });
}

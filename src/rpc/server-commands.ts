import { getActor } from '../actors/current-actor.js';
import { SystemProbe } from '../actors/system-info.js';
import { refuseUnknown, requireOptions } from '../core/errors.js';
import { VERSION } from '../core/version.js';
import { optionError } from '../middleware/option-error.js';
import { type Authorize, requireAllowed } from './authorize.js';
import type { JsonRpcCall } from './json-rpc-call.js';
import { JsonRpcHandler } from './json-rpc-handler.js';

/** Options of {@link serverCommands}. */
export interface ServerCommandsOptions {
  /** Who may ask for `server_info`; nobody else gets it. @defaultValue nobody */
  authorize?: Authorize;
  /** Adds to what `server_info` says. */
  extraServerInfo?: (call: JsonRpcCall) => object | Promise<object>;
}

const OWNER = 'serverCommands';

/**
 * What servers of pulsar answer by themselves: `ping`, `echo`, `functions_list`, `documentation`, and `server_info` for those who
 * may. Of a program with workers, `server_info` has what the arbiter knows of them.
 * @throws {TypeError} for a wrong option
 * @example rpc.mount(serverCommands({ authorize: (call) => call.environ['vela.user'] === 'admin' }))
 */
export function serverCommands(options: ServerCommandsOptions = {}) {
  const {
    authorize = () => false,
    extraServerInfo = () => ({}),
    ...unknown
  } = requireOptions(OWNER, options);
  refuseUnknown(OWNER, unknown, ['authorize', 'extraServerInfo']);
  for (const [option, value] of Object.entries({ authorize, extraServerInfo }))
    if (typeof value !== 'function') throw optionError(OWNER, option, 'a function (call) => ...', value);
  const probe = new SystemProbe();
  return new JsonRpcHandler()
    .method('ping', { summary: 'Answers "pong"' }, () => 'pong')
    .method('echo', { params: ['value'], summary: 'Answers with what it is given' }, (_call, value) => value)
    .method('functions_list', { summary: 'Names of all methods, each with a line about it' }, (call) =>
      call
        .listMethods()
        .map(({ name, summary, description }): [name: string, about: string] => [
          name,
          summary ?? description ?? '',
        ]),
    )
    .method('documentation', { summary: 'All methods, in Markdown' }, (call) =>
      call
        .listMethods()
        .map(({ signature, summary, description }) =>
          [`### ${signature}`, summary, description].filter((text) => text !== undefined).join('\n\n'),
        )
        .join('\n\n'),
    )
    .method('server_info', { summary: 'What the server is, and how it is' }, async (call) => {
      await requireAllowed(OWNER, authorize, call);
      return {
        vela: VERSION,
        node: process.version,
        processId: process.pid,
        system: probe.look(),
        arbiter: (await getActor()?.send('arbiter', 'info')) ?? null,
        ...(await extraServerInfo(call)),
      };
    });
}

/**
 * `node --import vela/http/register app.js`: servers that a program makes by node:http are Vela's, and the program is left as it
 * is. Only `createServer` and `Server` are replaced. `VELA_GATEWAY` says by which gateway they are served.
 * @throws {ImproperlyConfigured} for another gateway
 */
import http from 'node:http';
import { syncBuiltinESMExports } from 'node:module';
import { readGateway } from './http-server-options.js';
import { Server } from './server.js';

type Args = ConstructorParameters<typeof Server>;

/** As for a Vela server, an empty variable counts as absent. */
const gateway = readGateway(process.env.VELA_GATEWAY || undefined, 'VELA_GATEWAY');

/** It is called without `new` as well. */
const CallableServer = new Proxy(Server, {
  apply: (_target, _this, args: Args) => new Server(...withGateway(args)),
  construct: (target, args: Args, newTarget) =>
    Reflect.construct(target, withGateway(args), newTarget) as Server,
});

Object.assign(http, { createServer: (...args: Args) => new CallableServer(...args), Server: CallableServer });
syncBuiltinESMExports();

function withGateway([options, listener]: Args): Args {
  if (typeof options === 'function') return [{ gateway }, options];
  // What is no object node:http refuses itself.
  if (typeof options !== 'object') return [options ?? { gateway }, listener];
  return [{ gateway, ...options }, listener];
}

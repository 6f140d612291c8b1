/**
 * `node --import vela/http/register app.js`: servers that a program makes by node:http are Vela's, and the program is left as it
 * is. Only `createServer` and `Server` are replaced.
 */
import http from 'node:http';
import { syncBuiltinESMExports } from 'node:module';
import { createServer, Server } from './server.js';

/** It is called without `new` as well. */
const CallableServer = new Proxy(Server, {
  apply: (_target, _this, args: Parameters<typeof createServer>) => createServer(...args),
});

Object.assign(http, { createServer, Server: CallableServer });
syncBuiltinESMExports();

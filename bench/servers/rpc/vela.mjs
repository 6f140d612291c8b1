import { serve } from '../../../dist/index.js';
import { JsonRpcHandler } from '../../../dist/rpc/index.js';
import { runRow } from '../../lib/child.mjs';
import { MESSAGES } from '../../lib/rpc-answers.mjs';

const rpc = new JsonRpcHandler()
  .method('add', { params: [['a', 'number'], ['b', 'number']] }, (_call, a, b) => a + b)
  .method('echo', { params: ['value'] }, (_call, value) => value);

async function listen() {
  const server = await serve(rpc, { bind: '127.0.0.1:0', gateway: process.argv[3] ?? 'uws' });
  return server.address.port;
}

await runRow(MESSAGES, listen);

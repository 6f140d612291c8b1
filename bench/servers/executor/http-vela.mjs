import { offload, Router, serve, WsgiHandler } from '../../../dist/index.js';
import { runRow } from '../../lib/child.mjs';
import { HASH_THREADS } from '../../lib/executor-answers.mjs';
import * as work from './work.mjs';

const module = new URL('./work.mjs', import.meta.url);
const isThread = process.argv[3] === 'thread';
const threads = { wait4: 4, compute2: 2, compute4: 4, hash: HASH_THREADS, stream: 1 };

/** A handler in a thread, or the same on the loop. */
const on = (name) => (isThread ? offload(module, { name }) : work[name]);

function quickBeside(name) {
  return new Router().get('/quick', () => 'quick\n').get('/slow', on(name));
}

const apps = {
  wait4: () => quickBeside('wait'),
  compute2: () => quickBeside('compute'),
  compute4: () => quickBeside('compute'),
  stream: () => new Router().get('/stream', on('streamed')),
  hash: () => new Router().get('/hash', on('hash')),
};

async function listen(makeApp) {
  const options = { bind: '127.0.0.1:0', gateway: 'uws', threadWorkers: threads[process.argv[2]], logLevel: 'warn' };
  const server = await serve(new WsgiHandler([makeApp()]), options);
  return server.address.port;
}

await runRow(apps, listen);

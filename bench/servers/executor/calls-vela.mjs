import { Exchange } from '../../../.modules/core/exchange.js';
import { Incoming } from '../../../.modules/core/incoming.js';
import { RequestInput } from '../../../.modules/core/input.js';
import { WaitQueue } from '../../../.modules/core/wait-queue.js';
import { createExecutor, middlewareInExecutor, move } from '../../../.modules/executor/index.js';
import { runCalls } from '../../lib/executor-child.mjs';

const HEADERS = 30;
const work = new URL('./work.mjs', import.meta.url);
const executor = createExecutor({ maxThreads: 1 });

/** The gateway's side of a request, without a socket: what is sent ends the call. */
class Response {
  constructor(body) {
    this.body = body;
    this.chunks = [];
    this.sent = new Promise((resolve, reject) => {
      this.done = resolve;
      this.failed = reject;
    });
  }
}

const transport = {
  name: 'bench',
  protocol: () => 'HTTP/1.1',
  connection: () => ({ remoteAddress: '127.0.0.1', remotePort: undefined, encrypted: false, gateway: 'bench' }),
  tunnel: () => undefined,
  send: (response, _head, body) => response.done(body),
  open: (response) => ({
    write(chunk) {
      response.chunks.push(chunk);
      return true;
    },
    end() {
      response.done(response.chunks.length === 1 ? response.chunks[0] : Buffer.concat(response.chunks));
      return true;
    },
  }),
  cork: (_response, writes) => writes(),
  cut: (response, error) => response.failed(error),
  watch() {},
  receive(response, input) {
    RequestInput.push(input, response.body, true);
    RequestInput.end(input);
  },
  pause() {},
  resume() {},
};

async function prepareRequests({ bodyBytes }) {
  const app = middlewareInExecutor(work, { name: bodyBytes > 0 ? 'echo' : 'nothing', executor });
  const stopper = new AbortController();
  const say = (details, message) => console.error(message, details);
  const logger = { debug() {}, info() {}, warn: say, error: say };
  const limits = { maxRequestLineBytes: 8190, maxBodyBytes: 8 * 1024 * 1024, requestTimeoutMs: 30_000, stallTimeoutMs: 30_000 };
  const config = Object.freeze({ debug: false, ...limits });
  await app.start({ config, logger, stopping: stopper.signal });
  const errors = { write() {}, writelines() {}, flush() {} };
  const service = {
    app,
    headers: undefined,
    facts: {
      host: 'localhost',
      port: '80',
      scheme: 'http',
      software: 'bench',
      multiprocess: false,
      config,
      logger,
      errors,
      stopping: stopper.signal,
    },
    transport,
    waits: new WaitQueue(limits.requestTimeoutMs),
    stalls: new WaitQueue(limits.stallTimeoutMs),
    isDraining: false,
  };
  const fields = Array.from({ length: HEADERS }, (_, i) => [`x-header-${i}`, `value of header ${i}`]).flat();
  const length = bodyBytes > 0 ? String(bodyBytes) : '';
  const head = { getQuery: () => 'a=1', getHeader: () => '', forEach() {} };
  // There and back: what comes back is sent again.
  let body = Buffer.alloc(bodyBytes);
  const method = bodyBytes > 0 ? 'POST' : 'GET';
  const call = async () => {
    const response = new Response(body);
    const incoming = new Incoming(service, response, method, '/path', head, fields, length, bodyBytes, false);
    new Exchange(service, response, incoming).run();
    const sent = await response.sent;
    if (bodyBytes === 0) return;
    if (sent?.length !== bodyBytes) throw new Error(`${sent?.length} bytes came back of ${bodyBytes}`);
    body = Buffer.from(sent.buffer, sent.byteOffset, sent.length);
  };
  return { call, close: () => executor.close() };
}

async function prepareFunctions({ bodyBytes }) {
  if (bodyBytes === 0) return { call: () => executor.run(work, 'noop'), close: () => executor.close() };
  // There and back: what comes back is sent again.
  let bytes = new Uint8Array(bodyBytes);
  const call = async () => {
    bytes = await executor.run(work, 'echoMoved', move(bytes));
    if (bytes.length !== bodyBytes) throw new Error(`${bytes.length} bytes came back of ${bodyBytes}`);
  };
  return { call, close: () => executor.close() };
}

await runCalls(process.argv[3] === 'run' ? prepareFunctions : prepareRequests);

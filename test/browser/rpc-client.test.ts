/** The JSON-RPC client of `vela/rpc/client`, as a bundler packs it and a browser runs it. */
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import t from 'tap';
import { html, WsgiHandler, WsgiResponse } from '../../src/index.js';
import { mount } from '../../src/middleware/index.js';
import { JsonRpcError, JsonRpcHandler, jsonRpcWebSocket } from '../../src/rpc/index.js';
import { browserTest, closeBrowser } from '../support/browser.js';

t.teardown(closeBrowser);

const rpc = new JsonRpcHandler()
  .method('calc.add', { params: ['a', 'b'] }, (_call, a, b) => Number(a) + Number(b))
  .method('fail', () => {
    throw new JsonRpcError(7, 'It failed', { why: 'grüße' });
  })
  .method('long', () => 'x'.repeat(10_000))
  .method('header', (call) => call.request.header('x-name') ?? null)
  .method('hang', ({ signal }) => new Promise((_resolve, reject) => (signal.onabort = reject)));

/** The client as one script: the bundle fails where anything of Node is imported. */
async function bundle(): Promise<string> {
  const { outputFiles } = await build({
    stdin: {
      contents: "export * from 'vela/rpc/client';",
      resolveDir: fileURLToPath(new URL('../..', import.meta.url)),
    },
    bundle: true,
    platform: 'browser',
    format: 'iife',
    globalName: 'velaRpc',
    minify: true,
    write: false,
    logLevel: 'silent',
  });
  return outputFiles[0]?.text ?? '';
}

/** What the page notes of a promise. */
const NOTE = `const note = (promise) => promise.then(
  (value) => value,
  (error) => ({ name: error.name, code: error.code, message: error.message, data: error.data, isUnsent: error.isUnsent }),
);
const { createJsonRpcClient, JsonRpcError } = velaRpc;`;

const script = (body: string) => `(async () => { ${NOTE} ${body} })()`;

const createApp = () =>
  new WsgiHandler([
    jsonRpcWebSocket('/rpc', rpc, { passesOn: true }),
    mount('/rpc', rpc),
    () => new WsgiResponse({ content: html`<title>page</title>` }),
  ]);

browserTest(t, 'it calls over HTTP and WebSockets', createApp, async (t, { page, url, server }) => {
  const packed = await bundle();
  t.ok(packed.length < 30_000, `${packed.length} bytes`);
  await page.goto(`${url}/some/page`);
  await page.evaluate(packed.replace(/^"use strict";/, '').replace(/^var velaRpc=/, 'globalThis.velaRpc='));

  const socketUrl = `${url.replace('http', 'ws')}/rpc`;
  for (const target of ['/rpc', '../rpc', `${url}/rpc`, socketUrl]) {
    const seen = await page.evaluate(
      script(`
        const client = createJsonRpcClient(${JSON.stringify(target)});
        const results = [
          await client.calc.add(1, 2),
          ...(await Promise.all([1, 2, 3].map((n) => client.call('calc.add', { a: n, b: n })))),
          (await client.notify('calc.add', [1, 2])) ?? 'noted',
          await note(client.fail()),
          await client.fail().catch((error) => error instanceof JsonRpcError && error.isRemote),
          await client.batch((b) => [b.calc.add(3, 4), b.calc.sub(1)]).then((all) => all.map(({ status }) => status)),
          await note(client.call('hang', undefined, { timeoutMs: 100 })),
        ];
        const pending = note(client.hang());
        await client.calc.add(1, 1);
        await client.close();
        return [...results, (await pending).code, await note(client.calc.add(1, 1))];
      `),
    );
    t.match(
      seen,
      [
        ...[3, 2, 4, 6, 'noted'],
        { name: 'JsonRpcError', code: 7, message: 'It failed', data: { why: 'grüße' } },
        true,
        ['fulfilled', 'rejected'],
        { code: 'ERR_RPC_TIMEOUT' },
        'ERR_RPC_CONNECTION',
        { code: 'ERR_RPC_CONNECTION', message: 'The client is closed', isUnsent: true },
      ],
      target,
    );
  }

  const more = await page.evaluate(
    script(`
      const ws = ${JSON.stringify(socketUrl)};
      const create = async (...args) => createJsonRpcClient(...args);
      return {
        large: await Promise.all(['/rpc', ws].map((url) => note(createJsonRpcClient(url, { limitBytes: 500 }).long()))),
        header: await createJsonRpcClient('/rpc', { headers: { 'x-name': 'ann' } }).header(),
        headers: await note(create(ws, { headers: { 'x-name': 'ann' } })),
        refused: await note(createJsonRpcClient(ws.replace('/rpc', '/none'), { retryDelayMs: 1 }).long()),
        wrong: await note(create('ftp://a/b')),
      };
    `),
  );
  t.match(more, {
    large: [
      { code: 'ERR_RPC_ANSWER', message: /larger than the limit of 500 bytes/ },
      { code: 'ERR_RPC_ANSWER', message: /larger than the limit of 500 bytes/ },
    ],
    header: 'ann',
    headers: { name: 'TypeError', message: /no "headers" with a WebSocket/ },
    refused: { code: 'ERR_RPC_CONNECTION', isUnsent: true },
    wrong: { name: 'TypeError', message: /takes a URL of http, https, ws or wss/ },
  });

  await page.evaluate(
    script(`
      globalThis.client = createJsonRpcClient(${JSON.stringify(socketUrl)}, { retryDelayMs: 1 });
      await client.calc.add(1, 2);
      globalThis.pending = note(client.hang());
    `),
  );
  await server.close({ timeoutMs: 100 });
  const after = await page.evaluate(script('return [await pending, await note(client.calc.add(1, 2))]'));
  t.match(after, [
    { code: 'ERR_RPC_CONNECTION', message: /closed with code 1001/, isUnsent: false },
    { code: 'ERR_RPC_CONNECTION', isUnsent: true },
  ]);
});

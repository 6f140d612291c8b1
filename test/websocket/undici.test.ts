/** WebSockets of both gateways, judged by the client of undici: the WebSocket of browsers, as Node has it. */
import { once } from 'node:events';
import { WebSocket } from 'undici';
import { conformance, type Served } from '../support/conformance-kit.js';

const WAIT_MS = 10_000;

/** A WebSocket, and what has come over it. */
class Client {
  readonly socket: WebSocket;
  readonly #messages: (string | ArrayBuffer)[] = [];
  readonly #closed: Promise<{ code: number; reason: string; wasClean: boolean }>;
  readonly #failed: Promise<string>;
  #wake = () => {};

  constructor({ url }: Served, path: string, protocols: string[] = []) {
    this.socket = new WebSocket(url.replace('http', 'ws') + path, protocols);
    this.socket.binaryType = 'arraybuffer';
    this.socket.addEventListener('message', ({ data }) => {
      this.#messages.push(data);
      this.#wake();
    });
    this.#failed = new Promise((resolve) => {
      this.socket.addEventListener('error', ({ message }) => resolve(message));
    });
    this.#closed = new Promise((resolve) => {
      this.socket.addEventListener('close', ({ code, reason, wasClean }) => {
        resolve({ code, reason, wasClean });
        this.#wake();
      });
    });
  }

  async open(): Promise<void> {
    await once(this.socket, 'open', { signal: AbortSignal.timeout(WAIT_MS) });
  }

  async next(): Promise<string | ArrayBuffer> {
    const late = setTimeout(() => this.socket.close(), WAIT_MS);
    while (this.#messages.length === 0 && this.socket.readyState === WebSocket.OPEN)
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    clearTimeout(late);
    return this.#messages.shift() ?? 'closed before a message';
  }

  /** Why it could not be opened: this client tells of no end then. */
  refused(): Promise<string> {
    return inTime(this.#failed);
  }

  /** How it ended. */
  async end(): Promise<string> {
    const { code, reason, wasClean } = await inTime(this.#closed);
    return `${code} ${reason} ${wasClean ? 'clean' : 'broken'}`;
  }
}

async function inTime<T>(promise: Promise<T>): Promise<T> {
  let late: NodeJS.Timeout | undefined;
  const tooLate = new Promise<never>((_resolve, reject) => {
    late = setTimeout(() => reject(new Error(`nothing for ${WAIT_MS} ms`)), WAIT_MS);
  });
  try {
    return await Promise.race([promise, tooLate]);
  } finally {
    clearTimeout(late);
  }
}

conformance((test, gateway) => {
  const serving = (
    fact: string,
    run: (
      t: import('tap').Test,
      kit: import('../support/conformance-kit.js').Kit,
      open: (path: string, protocols?: string[]) => Promise<Client>,
      served: Served,
    ) => Promise<void>,
  ) =>
    test(fact, (t, kit) =>
      kit.serving('websockets', {}, async (served) => {
        const open = async (path: string, protocols?: string[]) => {
          const client = new Client(served, path, protocols);
          await client.open();
          return client;
        };
        await run(t, kit, open, served);
      }),
    );

  serving('text and bytes of all sizes come back', async (t, _kit, open) => {
    const client = await open('/echo');
    for (const size of [0, 1, 125, 126, 65_535, 65_536, 1_000_000]) {
      const text = 'grüße €'.repeat(size).slice(0, size);
      client.socket.send(text);
      t.ok((await client.next()) === text, `text of ${size}`);
      const bytes = Buffer.alloc(size, 'ab€');
      client.socket.send(bytes);
      t.ok(Buffer.from((await client.next()) as ArrayBuffer).equals(bytes), `bytes of ${size}`);
    }
    client.socket.send(new Blob(['of a ', 'blob']));
    t.equal(Buffer.from((await client.next()) as ArrayBuffer).toString(), 'of a blob');
    for (let i = 0; i < 100; i++) client.socket.send(String(i));
    for (let i = 0; i < 100; i++) if ((await client.next()) !== String(i)) t.fail(`${i} in order`);
    client.socket.close();
    t.equal(await client.end(), '1005  clean');
  });

  serving('close codes and reasons, from both sides', async (t, kit, open) => {
    const id = kit.id();
    const leaving = await open(`/echo?id=${id}`);
    leaving.socket.close(4321, 'genug, Grüße');
    t.equal(await leaving.end(), '4321 genug, Grüße clean');
    await kit.note(id, 'close 4321 genug, Grüße');
    const ends = {
      close: '4000 as you wish clean',
      throw: '1011 Internal error clean',
      quit: '4401 signed out clean',
    };
    for (const [say, expected] of Object.entries(ends)) {
      const client = await open('/events');
      client.socket.send(say);
      t.equal(await client.end(), expected);
    }
    const cut = await open('/events');
    cut.socket.send('terminate');
    t.equal(await cut.end(), '1006  broken');
    const large = await open('/small');
    large.socket.send('x'.repeat(1001));
    t.match(await large.end(), /^1009 .* clean$/);
  });

  serving('pings are answered', async (_t, kit, open) => {
    const id = kit.id();
    const client = await open(`/events?id=${id}`);
    client.socket.send('ping');
    await kit.note(id, 'pong there?');
    client.socket.close();
    await client.end();
  });

  serving('sub-protocols and refusals', async (t, _kit, open, served) => {
    const chosen = await open('/chat', ['soap', 'chat.v1', 'chat.v2']);
    t.equal(chosen.socket.protocol, 'chat.v2');
    chosen.socket.close(1000);
    t.equal(await chosen.end(), '1000  clean');
    for (const client of [new Client(served, '/chat', ['soap']), new Client(served, '/rooms/closed')])
      t.match(await client.refused(), /^Received network error or non-101 status code/);
  });

  serving('permessage-deflate, both ways', async (t, _kit, open) => {
    const client = await open('/deflate');
    t.match(client.socket.extensions, 'permessage-deflate', gateway);
    for (const text of ['again;'.repeat(10_000), 'short', `${Math.random()}`.repeat(500)]) {
      client.socket.send(text);
      t.ok((await client.next()) === text);
    }
    client.socket.close();
    t.equal(await client.end(), '1005  clean');
  });
});

/** What both gateways do with large, slow, stalled, unread and abandoned bodies, in both directions. */
import { createHash } from 'node:crypto';
import { conformance, type Kit } from '../support/conformance-kit.js';
import { headerValue, type Wire, type WireAddress } from '../support/wire.js';

const MIB = 2 ** 20;
/** How long a number must stand still to be called settled. */
const QUIET_MS = 200;
/** Longest time for hundreds of MiB over loopback. */
const LARGE_MS = 30_000;

/** Waits until a number stands still. */
async function settle(kit: Kit, read: () => number | Promise<number>): Promise<number> {
  let value = await read();
  let since = performance.now();
  await kit.until(
    async () => {
      const now = await read();
      if (now !== value) since = performance.now();
      value = now;
      return performance.now() - since >= QUIET_MS;
    },
    () => `a number to stand still; it is ${value}`,
    LARGE_MS,
  );
  return value;
}

/** Sends `bytes` bytes as fast as they are taken. */
async function pour(
  wire: Wire,
  bytes: number,
  chunkBytes = 65_536,
  onChunk: (chunk: Buffer) => void = () => {},
): Promise<void> {
  for (let sent = 0, serial = 0; sent < bytes && !wire.isEnded; serial++) {
    const chunk = Buffer.alloc(Math.min(chunkBytes, bytes - sent), serial % 251);
    onChunk(chunk);
    sent += chunk.length;
    if (!wire.write(chunk))
      await new Promise<void>((resolve) => {
        const done = () => {
          wire.socket.off('drain', done).off('close', done);
          resolve();
        };
        wire.socket.on('drain', done).on('close', done);
      });
  }
}

/** Reads a response of any size and checks it without keeping it. */
async function drink(wire: Wire, bytes: number, isChunked: boolean): Promise<number> {
  let body = 0;
  let overhead = -1;
  const { socket } = wire;
  const total = new Promise<number>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`only ${body} bytes came`)), LARGE_MS);
    let tail = '';
    const count = (data: Buffer) => {
      body += data.length;
      tail = (tail + data.subarray(-7).toString('latin1')).slice(-7);
      const isWhole = isChunked ? tail === '\r\n0\r\n\r\n' : body === bytes;
      if (!isWhole) return;
      clearTimeout(timer);
      resolve(body);
    };
    const begin = (data: Buffer) => {
      const all = Buffer.concat([wire.received, data]);
      const end = all.indexOf('\r\n\r\n');
      if (end === -1) return;
      overhead = end + 4;
      wire.received = Buffer.alloc(0);
      socket.removeAllListeners('data');
      socket.on('data', count);
      count(all.subarray(overhead));
    };
    socket.removeAllListeners('data');
    socket.on('data', begin);
    socket.once('close', () => reject(new Error(`closed after ${body} bytes`)));
    if (wire.received.length > 0) begin(Buffer.alloc(0));
    socket.resume();
  });
  return total;
}

const TEXT = 'line 1\nline 2\r\n\nlast';
const READERS: Readonly<Record<string, unknown>> = {
  read: TEXT,
  'read-by-4': ['line', ' 1\nl', 'ine ', '2\r\n\n', 'last'],
  'read-0': [0, TEXT],
  'read-late': TEXT,
  readline: ['line 1\n', 'line 2\r\n', '\n', 'last'],
  'readline-3': ['lin', 'e 1', '\n', 'lin', 'e 2', '\r\n', '\n', 'las', 't'],
  readlines: ['line 1\n', 'line 2\r\n', '\n', 'last'],
  'readlines-4': [['line 1\n'], 'line 2\r\n\nlast'],
  iterate: TEXT,
  'read-then-iterate': ['li', TEXT.slice(2), 0],
  'two-reads-at-once': [TEXT, 'ERR_INPUT_BUSY'],
  'read-sync': 'ERR_INPUT_NOT_LOADED',
};

const chunk = (text: string) => `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`;
const STREAMS = [
  'generator',
  'small-chunks',
  'async-generator',
  'known-length',
  'known-length-generator',
  'readable',
  'write',
] as const;
const isSized = (name: string) => name.startsWith('known');

conformance((test, gateway) => {
  for (const [reader, expected] of Object.entries(READERS)) {
    test(`wsgi.input: ${reader}`, async (t, kit) => {
      const ask = async (headers: string, parts: readonly string[]) => {
        const wire = await kit.open();
        wire.write(`POST /reader/${reader} HTTP/1.1\r\nHost: a\r\n${headers}\r\n\r\n`);
        for (const part of parts) {
          wire.write(part);
          if (parts.length > 1) await kit.turn();
        }
        const { status, body } = await wire.response();
        wire.destroy();
        return [status, JSON.parse(body.toString())];
      };
      t.strictSame(await ask(`Content-Length: ${TEXT.length}`, [TEXT]), [200, expected], 'at once');
      t.strictSame(await ask(`Content-Length: ${TEXT.length}`, [...TEXT]), [200, expected], 'byte by byte');
      const inOneChunk = await ask('Transfer-Encoding: chunked', [`${chunk(TEXT)}0\r\n\r\n`]);
      // uws calls the application of a chunked request a turn later, so all of a body may be there.
      const loaded: Record<string, unknown> = { 'two-reads-at-once': [TEXT, ''], 'read-sync': TEXT };
      const isLoaded = gateway === 'uws' && JSON.stringify(inOneChunk[1]) === JSON.stringify(loaded[reader]);
      t.strictSame(inOneChunk, [200, isLoaded ? loaded[reader] : expected], 'in one chunk');
      t.strictSame(
        await ask('Transfer-Encoding: chunked', [...[...TEXT].map(chunk), '0\r\n\r\n']),
        [200, expected],
        'in chunks of one byte',
      );
    });
  }

  test('wsgi.input without a body is at its end', async (t, kit) => {
    for (const [reader, expected] of Object.entries({
      read: '',
      'read-by-4': [],
      readline: [],
      readlines: [],
      iterate: '',
      'read-sync': '',
      'read-0': [0, ''],
    })) {
      for (const headers of ['', 'Content-Length: 0\r\n']) {
        const response = await kit.get(`/reader/${reader}`, headers);
        t.strictSame(JSON.parse(response.body.toString()), expected, reader);
      }
      const empty = await kit.ask(
        `POST /reader/${reader} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
      );
      const seen = JSON.parse(empty.body.toString());
      if (reader === 'read-sync') t.ok(['ERR_INPUT_NOT_LOADED', ''].includes(seen), `${reader}, chunked`);
      else t.strictSame(seen, expected, `${reader}, chunked`);
    }
  });

  test('after waitForBody readSync has the body', async (t, kit) => {
    await kit.serving('loads-large-body', { maxBodyBytes: 2 ** 30 }, async ({ address }) => {
      for (const size of [0, 1, 65_535, 65_536, 65_537, 1_000_000]) {
        const body = 'x'.repeat(size);
        const response = await kit.ask(
          `POST / HTTP/1.1\r\nHost: a\r\nX-Test: still\r\nContent-Length: ${size}\r\n\r\n${body}`,
          address,
        );
        t.strictSame(JSON.parse(response.body.toString()), { body, again: 0, header: 'still' }, String(size));
      }
      const chunked = await kit.ask(
        `POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${chunk('hello ')}${chunk('world')}0\r\n\r\n`,
        address,
      );
      t.strictSame(JSON.parse(chunked.body.toString()), { body: 'hello world', again: 0, header: null });
    });
  });

  test('an upload arrives whole, whatever the size of its pieces', async (t, kit) => {
    for (const [bytes, pieceBytes] of [
      [8 * MIB, 65_536],
      [3_000_000, 1000],
      [200_000, 7],
      [5 * MIB, MIB + 1],
    ] as const) {
      const wire = await kit.open();
      const hash = createHash('sha256');
      wire.write(`POST /digest?id=${kit.id()} HTTP/1.1\r\nHost: a\r\nContent-Length: ${bytes}\r\n\r\n`);
      await pour(wire, bytes, pieceBytes, (piece) => hash.update(piece));
      t.strictSame(JSON.parse((await wire.response({ deadlineMs: LARGE_MS })).body.toString()), {
        bytes,
        digest: hash.digest('hex'),
      });
      wire.destroy();
    }
  });

  test('a body can be streamed back while it is uploaded', async (t, kit) => {
    const wire = await kit.open();
    const bytes = 4 * MIB;
    wire.write(`POST /stream-while-uploading HTTP/1.1\r\nHost: a\r\nContent-Length: ${bytes}\r\n\r\n`);
    const response = wire.response({ deadlineMs: LARGE_MS });
    const sent = createHash('sha256');
    await pour(wire, bytes, 65_536, (piece) => sent.update(piece));
    const { body } = await response;
    t.equal(createHash('sha256').update(body).digest('hex'), sent.digest('hex'));
    wire.write('GET /hello HTTP/1.1\r\nHost: a\r\n\r\n');
    t.equal((await wire.response()).status, 200);
    wire.destroy();
  });

  const UNREAD = [
    'ignore-upload',
    'ignore-upload-later',
    'read-part-of-upload',
    'upload-then-throw',
    'error/plain',
    'bad/throws',
    'wait-a-turn',
  ] as const;
  for (const app of UNREAD) {
    for (const size of [10, 100_000, 4 * MIB]) {
      for (const isChunked of [false, true]) {
        for (const isLate of [false, true]) {
          const how = `${size} bytes${isChunked ? ', chunked' : ''}, sent ${isLate ? 'after its head' : 'with its head'}`;
          test(`after a body that ${app} does not read (${how}) the connection is usable or closed`, async (t, kit) => {
            const wire = await kit.open();
            const id = kit.id();
            const body = isChunked ? `${chunk('x'.repeat(size))}0\r\n\r\n` : 'x'.repeat(size);
            const head = `POST /${app === 'wait-a-turn' ? 'record-later' : app}?id=${id} HTTP/1.1\r\nHost: a\r\n${isChunked ? 'Transfer-Encoding: chunked' : `Content-Length: ${size}`}\r\n\r\n`;
            const next = `GET /record?id=${id}-next HTTP/1.1\r\nHost: a\r\n\r\n`;
            if (isLate) {
              wire.write(head);
              await kit.turn();
              wire.write(body);
            } else {
              wire.write(head + body);
            }
            const first = await wire.response();
            t.ok([200, 422, 500].includes(first.status), String(first.status));
            const told = headerValue(first, 'connection') === 'close';
            wire.write(next);
            const second = await wire.responseOrEnd();
            if (second === undefined) {
              t.ok(wire.isEnded, 'the connection is closed');
              t.ok(told, 'and the client was told so');
            } else {
              t.equal(second.body.toString(), `recorded ${id}-next`);
            }
            wire.destroy();
          });
        }
      }
    }
  }

  test('reading after the answer rejects with ERR_INPUT_CLOSED', async (t, kit) => {
    const id = kit.id();
    const wire = await kit.open();
    wire.write(`POST /read-after-answer?id=${id} HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello`);
    t.equal((await wire.response()).body.toString(), 'answered');
    await kit.note(id, 'ERR_INPUT_CLOSED');
    wire.destroy();
  });

  test('an upload that moves is not timed out, however long it takes', async (t, kit) => {
    await kit.serving('every', { requestTimeoutMs: 100, stallTimeoutMs: 100 }, async ({ address }) => {
      const wire = await kit.open(address);
      wire.write(`POST /digest?id=${kit.id()} HTTP/1.1\r\nHost: a\r\nContent-Length: 20\r\n\r\n`);
      await new Promise<void>((resolve) => {
        let sent = 0;
        const timer = setInterval(() => {
          wire.write('x');
          if (++sent < 20) return;
          clearInterval(timer);
          resolve();
        }, 25);
      });
      t.equal((await wire.response()).status, 200);
      wire.destroy();
    });
  });

  test('an upload that stalls is 408, and the connection ends', async (t, kit) => {
    await kit.serving('every', { requestTimeoutMs: 100 }, async ({ address }) => {
      for (const app of ['digest', 'reader/read', 'reader/readline', 'read-part-of-upload']) {
        const wire = await kit.open(address);
        wire.write(`POST /${app}?id=${kit.id()} HTTP/1.1\r\nHost: a\r\nContent-Length: 20\r\n\r\nxxx`);
        t.equal((await wire.response()).status, 408, app);
        await wire.closed();
      }
    });
  });

  test('a stalled upload that nobody waits for is 504', async (t, kit) => {
    await kit.serving('every', { requestTimeoutMs: 100 }, async ({ address }) => {
      const id = kit.id();
      const wire = await kit.open(address);
      wire.write(`POST /wait-at-gate?id=${id} HTTP/1.1\r\nHost: a\r\nContent-Length: 20\r\n\r\nxxx`);
      t.equal((await wire.response()).status, 504);
      wire.destroy();
    });
  });

  test('a handler that does not read stops its client, and reads all when it does', async (t, kit) => {
    await kit.serving(
      'every',
      { maxBodyBytes: 1024 * MIB, requestTimeoutMs: 60_000 },
      async ({ address }) => {
        const id = kit.id();
        const bytes = 128 * MIB;
        const wire = await kit.open(address);
        await kit.state();
        const before = kit.residentBytes();
        kit.resetPeak();
        wire.write(`POST /upload-at-gate?id=${id} HTTP/1.1\r\nHost: a\r\nContent-Length: ${bytes}\r\n\r\n`);
        let taken = 0;
        const poured = pour(wire, bytes, 65_536, (piece) => {
          taken += piece.length;
        });
        await kit.note(id, 'called');
        const stalledAt = await settle(kit, () => taken);
        t.ok(stalledAt < 32 * MIB, `the client's writes stall: ${stalledAt} bytes were taken`);
        t.ok(kit.peakBytes() - before < 24 * MIB, `memory grew by ${kit.peakBytes() - before} bytes`);
        t.equal((await kit.get('/hello', '', address)).status, 200, 'others are served meanwhile');
        await kit.call('openGate', { id });
        await poured;
        t.strictSame(JSON.parse((await wire.response({ deadlineMs: LARGE_MS })).body.toString()), { bytes });
        wire.destroy();
      },
    );
  });

  for (const name of STREAMS) {
    test(`a slow reader stops a body, and gets all of it: ${name}`, async (t, kit) => {
      const id = kit.id();
      const bytes = 96 * MIB;
      const wire = await kit.open();
      wire.write(`GET /stream/${name}?id=${id}&bytes=${bytes} HTTP/1.1\r\nHost: a\r\n\r\n`);
      await wire.until(() => wire.received.length > 0, 'the beginning of the response');
      wire.socket.pause();
      const stalledAt = await settle(kit, () => kit.call('counter', { id }));
      t.ok(stalledAt < 48 * MIB, `the body stalls: ${stalledAt} bytes were made`);
      t.equal((await kit.get('/hello')).status, 200, 'others are served meanwhile');
      const got = await drink(wire, bytes, !isSized(name));
      t.ok(got >= bytes, `${got} bytes came`);
      t.equal(await kit.call('counter', { id }), bytes);
      wire.destroy();
    });

    test(`a streamed body arrives whole: ${name}`, async (t, kit) => {
      for (const bytes of [1, 65_535, 65_536, 65_537, 1_000_003]) {
        const response = await kit.get(`/stream/${name}?id=${kit.id()}&bytes=${bytes}`);
        t.equal(response.isComplete, true);
        t.equal(response.body.length, bytes);
        const pieceBytes =
          { 'small-chunks': 1000, 'known-length-generator': 100_000 }[name as string] ?? 65_536;
        const expected = Buffer.alloc(bytes);
        for (let at = 0; at < bytes; at += pieceBytes)
          expected.fill((at / pieceBytes) % 251, at, Math.min(bytes, at + pieceBytes));
        t.equal(response.body.equals(expected), true, `${bytes} bytes`);
      }
    });
  }

  test('a large whole body arrives, and a slow reader gets it too', async (t, kit) => {
    const bytes = 24 * MIB;
    for (const isSlow of [false, true]) {
      const wire = await kit.open();
      wire.write(`GET /stream/whole?id=${kit.id()}&bytes=${bytes} HTTP/1.1\r\nHost: a\r\n\r\n`);
      if (isSlow) {
        await wire.until(() => wire.received.length > 0, 'the beginning');
        wire.socket.pause();
        t.equal((await kit.get('/hello')).status, 200);
      }
      t.equal(await drink(wire, bytes, false), bytes);
      wire.destroy();
    }
  });

  test('pipelined large responses follow each other', async (t, kit) => {
    const wire = await kit.open();
    const count = gateway === 'uws' ? 1 : 4;
    wire.write('GET /stream/known-length?bytes=300000 HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(count));
    for (let i = 0; i < count; i++)
      t.equal(
        (await wire.response()).body.length,
        300_000,
        'uWebSockets.js answers no second request before the first',
      );
    wire.destroy();
  });

  test('256 MiB are streamed in constant memory', async (t, kit) => {
    const bytes = 256 * MIB;
    for (const name of ['async-generator', 'known-length', 'write']) {
      const wire = await kit.open();
      await kit.state();
      const before = kit.residentBytes();
      kit.resetPeak();
      wire.write(`GET /stream/${name}?id=${kit.id()}&bytes=${bytes} HTTP/1.1\r\nHost: a\r\n\r\n`);
      t.ok((await drink(wire, bytes, !isSized(name))) >= bytes);
      const growth = kit.peakBytes() - before;
      t.ok(growth < 64 * MIB, `${name}: memory grew by ${(growth / MIB).toFixed(1)} MiB`);
      t.comment(`${name}: memory grew by ${(growth / MIB).toFixed(1)} MiB`);
      wire.destroy();
    }
  });

  test('256 MiB are uploaded in constant memory', async (t, kit) => {
    await kit.serving('every', { maxBodyBytes: 1024 * MIB }, async ({ address }) => {
      for (const isChunked of [false, true]) {
        const bytes = 256 * MIB;
        const wire = await kit.open(address);
        await kit.state();
        const before = kit.residentBytes();
        kit.resetPeak();
        wire.write(
          `POST /count-upload HTTP/1.1\r\nHost: a\r\n${isChunked ? 'Transfer-Encoding: chunked' : `Content-Length: ${bytes}`}\r\n\r\n`,
        );
        if (isChunked) await pourChunked(wire, bytes);
        else await pour(wire, bytes);
        t.strictSame(JSON.parse((await wire.response({ deadlineMs: LARGE_MS })).body.toString()), { bytes });
        const growth = kit.peakBytes() - before;
        t.ok(growth < 64 * MIB, `memory grew by ${(growth / MIB).toFixed(1)} MiB`);
        t.comment(`${isChunked ? 'chunked' : 'sized'}: memory grew by ${(growth / MIB).toFixed(1)} MiB`);
        wire.destroy();
      }
    });
  });

  test('a thousand aborted uploads leave nothing behind', async (t, kit) => {
    await abortUploads(kit, kit.address, 300);
    const before = await kit.state();
    await abortUploads(kit, kit.address, 1000);
    await kit.until(
      async () => (await kit.state()).files <= before.files,
      () => 'the files to be closed',
    );
    const after = await kit.state();
    t.ok(
      after.heapBytes - before.heapBytes < 4 * MIB,
      `the heap grew by ${after.heapBytes - before.heapBytes} bytes`,
    );
    t.equal(after.listeners, before.listeners);
    t.ok(after.files <= before.files, `${after.files} files, before ${before.files}`);
    await kit.until(
      async () => (await kit.call('connections', { server: 0 })) === 0,
      () => 'the connections to be gone',
    );
    t.notMatch(kit.stderr, /MaxListeners/);
  });

  test('a thousand aborted downloads leave nothing behind', async (t, kit) => {
    const abort = async (count: number) => {
      for (let done = 0; done < count; done += 100) {
        await Promise.all(
          Array.from({ length: 100 }, async (_, i) => {
            const id = kit.id();
            const wire = await kit.open();
            wire.write(
              `GET /endless/${['async-generator', 'async-generator-at-full-speed', 'known-length', 'write'][i % 4]}?id=${id} HTTP/1.1\r\nHost: a\r\n\r\n`,
            );
            await wire.until(() => wire.received.length > 0, 'the beginning', LARGE_MS);
            wire.destroy();
            await kit.note(id, 'finally', LARGE_MS);
          }),
        );
      }
    };
    await abort(200);
    const before = await kit.state();
    await abort(1000);
    await kit.until(
      async () => (await kit.state()).files <= before.files,
      () => 'the files to be closed',
    );
    const after = await kit.state();
    t.ok(
      after.heapBytes - before.heapBytes < 4 * MIB,
      `the heap grew by ${after.heapBytes - before.heapBytes} bytes`,
    );
    t.equal(after.listeners, before.listeners);
  });

  test('a handler that never reads and a client that leaves: nothing is left behind', async (t, kit) => {
    const leave = async (count: number) => {
      const ids = Array.from({ length: count }, () => kit.id());
      await Promise.all(
        ids.map(async (id) => {
          const wire = await kit.open();
          wire.write(
            `POST /wait-at-gate?id=${id} HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n${'x'.repeat(100_000)}`,
          );
          await kit.note(id, 'called', LARGE_MS);
          wire.destroy();
          // uWebSockets.js does not see the end of a connection whose upload is paused: the deadline ends the request.
          await kit.note(id, gateway === 'uws' ? 'signal HttpError' : 'signal ERR_CLIENT_ABORTED', LARGE_MS);
          await kit.call('openGate', { id });
        }),
      );
    };
    await leave(50);
    const before = await kit.state();
    await leave(200);
    const after = await kit.state();
    t.ok(
      after.heapBytes - before.heapBytes < 4 * MIB,
      `the heap grew by ${after.heapBytes - before.heapBytes} bytes`,
    );
  });
});

async function pourChunked(wire: Wire, bytes: number): Promise<void> {
  const pieceBytes = 65_536;
  for (let sent = 0; sent < bytes; sent += pieceBytes) {
    const piece = Buffer.concat([
      Buffer.from(`${pieceBytes.toString(16)}\r\n`),
      Buffer.alloc(pieceBytes, 'x'),
      Buffer.from('\r\n'),
    ]);
    if (!wire.write(piece)) await new Promise((resolve) => wire.socket.once('drain', resolve));
  }
  wire.write('0\r\n\r\n');
}

/** Uploads that end in the middle, in ways that alternate. */
async function abortUploads(kit: Kit, address: WireAddress, count: number): Promise<void> {
  const apps = ['digest', 'ignore-upload-later', 'record-later', 'echo', 'ignore-upload'];
  for (let done = 0; done < count; done += 100) {
    await Promise.all(
      Array.from({ length: 100 }, async (_, i) => {
        const id = kit.id();
        const wire = await kit.open(address);
        wire.write(
          `POST /${apps[i % apps.length]}?id=${id} HTTP/1.1\r\nHost: a\r\nContent-Length: 5000000\r\n\r\n${'x'.repeat(20_000)}`,
        );
        await kit.note(id, 'called', LARGE_MS);
        if (i % 3 === 0) wire.socket.resetAndDestroy();
        else wire.destroy();
      }),
    );
  }
}

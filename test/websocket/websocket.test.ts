/** WebSockets from outside, on both gateways: handshakes, handlers, limits, and the end of a server. */
import { once } from 'node:events';
import { type ClientOptions, WebSocket } from 'ws';
import type { Kit, Served } from '../support/conformance-kit.js';
import { conformance } from '../support/conformance-kit.js';
import { frame, handshake, PING, TEXT, WebSocketWire } from '../support/websocket-wire.js';
import { headerValue, Wire } from '../support/wire.js';

/** A client of the package ws that keeps all that happens. */
class Client {
  readonly socket: WebSocket;
  readonly events: string[] = [];
  #wake: (() => void) | undefined;

  constructor(
    { url }: Pick<Served, 'url'>,
    path: string,
    options: ClientOptions & { protocols?: string[] } = {},
  ) {
    const { protocols = [], ...rest } = options;
    this.socket = new WebSocket(url.replace('http', 'ws') + path, protocols, rest);
    const tell = (event: string) => {
      this.events.push(event);
      this.#wake?.();
    };
    this.socket.on('open', () => tell(`open ${this.socket.protocol}`.trim()));
    this.socket.on('message', (data, isBinary) =>
      tell(isBinary ? `bytes ${(data as Buffer).toString('hex')}` : `text ${data}`.trim()),
    );
    this.socket.on('ping', (data) => tell(`ping ${data}`.trim()));
    this.socket.on('pong', (data) => tell(`pong ${data}`.trim()));
    this.socket.on('close', (code, reason) => tell(`close ${code} ${reason}`.trim()));
    this.socket.on('error', (error) => tell(`error ${error.message}`));
  }

  /** Waits for the next event. */
  async next(): Promise<string> {
    const timer = setTimeout(() => this.socket.terminate(), 5000);
    while (this.events.length === 0) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    clearTimeout(timer);
    return this.events.shift() as string;
  }
}

const withClient = async <T>(client: Client, run: (client: Client) => Promise<T>): Promise<T> => {
  try {
    return await run(client);
  } finally {
    client.socket.terminate();
  }
};

const upgrade = (path: string, headers: Record<string, string | undefined> = {}) => handshake(path, headers);

conformance((test, gateway) => {
  const serving = (
    fact: string,
    run: (t: import('tap').Test, kit: Kit, served: Served) => Promise<unknown>,
  ) => test(fact, (t, kit) => kit.serving('websockets', {}, (served) => run(t, kit, served)));

  serving('text and bytes are echoed', async (t, kit, served) => {
    const id = kit.id();
    await withClient(new Client(served, `/echo?id=${id}`), async (client) => {
      t.equal(await client.next(), 'open');
      client.socket.send('grüße');
      t.equal(await client.next(), 'text grüße');
      client.socket.send(Buffer.of(0, 255));
      t.equal(await client.next(), 'bytes 00ff');
      client.socket.send('');
      t.equal(await client.next(), 'text');
      client.socket.close(4321, 'enough');
      t.equal(await client.next(), 'close 4321 enough');
    });
    await kit.note(id, 'close 4321 enough');
    t.same(await kit.notes(id), ['open', 'close 4321 enough']);
  });

  serving('what is no handshake is told why', async (t, kit, { address }) => {
    const answers: Record<string, string> = {};
    const ask = async (what: string, request: string) => {
      const response = await kit.ask(request, address);
      answers[what] = `${response.status} ${response.body}`.trim();
      return response;
    };
    await ask('a GET', 'GET /echo HTTP/1.1\r\nHost: a\r\n\r\n');
    const post = await ask('a POST', 'POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n');
    t.match(headerValue(post, 'allow'), /GET/);
    const old = await ask('an old version', upgrade('/echo', { 'Sec-WebSocket-Version': '8' }));
    t.equal(headerValue(old, 'sec-websocket-version'), '13');
    await ask('no version', upgrade('/echo', { 'Sec-WebSocket-Version': undefined }));
    await ask('no key', upgrade('/echo', { 'Sec-WebSocket-Key': undefined }));
    await ask('a short key', upgrade('/echo', { 'Sec-WebSocket-Key': 'AAAA' }));
    await ask('no Connection', upgrade('/echo', { Connection: 'keep-alive' }));
    await ask('h2c', upgrade('/echo', { Upgrade: 'h2c' }));
    await ask('no list', upgrade('/echo', { 'Sec-WebSocket-Protocol': 'a, a' }));
    await ask('empty names', upgrade('/chat', { 'Sec-WebSocket-Protocol': 'chat.v1,,' }));
    await ask('HTTP/1.0', upgrade('/echo').replace('HTTP/1.1', 'HTTP/1.0'));
    await ask('another path', upgrade('/nowhere'));
    const key = '400 The handshake must have a Sec-WebSocket-Key of 16 bytes in base64';
    const plain = '400 This is a WebSocket: connect with new WebSocket(url), not with an ordinary request';
    t.match(answers, {
      'a GET': plain,
      'a POST': /^405/,
      'an old version': '400 The handshake must have Sec-WebSocket-Version: 13',
      'no version': '400 The handshake must have Sec-WebSocket-Version: 13',
      'no key': key,
      'a short key': key,
      'no Connection': '400 The handshake must have Connection: Upgrade',
      h2c: plain,
      'no list': '400 Sec-WebSocket-Protocol must be a list of tokens, each of them once',
      'empty names': '400 Sec-WebSocket-Protocol must be a list of tokens, each of them once',
      'HTTP/1.0': gateway === 'uws' ? /^505/ : '400 The handshake must be in HTTP/1.1',
      'another path': /^404/,
    });
  });

  serving('a page stands at the path of a WebSocket that passes on', async (t, kit, served) => {
    const ask = async (request: string) => {
      const { status, body } = await kit.ask(request, served.address);
      return `${status} ${body}`;
    };
    const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`;
    const post = (path: string) => `POST ${path} HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n`;
    t.equal(await ask(get('/shared')), '200 the page by GET');
    t.equal(await ask(post('/shared')), '200 the form');
    t.equal(await ask(upgrade('/shared', { Upgrade: 'h2c' })), '200 the page by GET');
    t.equal(await ask(get('/routed')), '200 the routed page');
    t.equal(await ask(post('/routed')), '200 the routed form');
    t.match(await ask(`DELETE /routed HTTP/1.1\r\nHost: a\r\n\r\n`), /^405/);
    t.match(await ask(get('/passed')), /^404/, 'nothing follows');
    t.match(await ask(post('/passed')), /^404/);
    t.match(await ask(upgrade('/shared', { 'Sec-WebSocket-Version': '8' })), /^400 .*Version: 13/);
    for (const path of ['/shared', '/routed'])
      await withClient(new Client(served, path), async (client) => {
        t.equal(await client.next(), 'open');
        client.socket.send('here');
        t.equal(await client.next(), 'text here');
      });
  });

  serving('the connection goes on behind a refused handshake that was none', async (t, kit, { address }) => {
    const wire = await kit.open(address);
    wire.write(upgrade('/echo', { 'Sec-WebSocket-Version': '8' }));
    t.equal((await wire.response()).status, 400);
    wire.write('GET /hello HTTP/1.1\r\nHost: a\r\n\r\n');
    t.equal(`${(await wire.response()).body}`, 'ok');
  });

  serving(
    'a handshake is answered as the RFC has it, with the headers of middleware',
    async (t, _kit, { address }) => {
      const socket = await WebSocketWire.open(address, '/echo');
      const head = socket.head.toLowerCase();
      t.match(socket.head, /^HTTP\/1\.1 101 Switching Protocols\r\n/);
      t.match(socket.head, /Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK\+xOo=/, 'RFC 6455 §1.3');
      t.match(head, 'upgrade: websocket');
      t.match(head, 'connection: upgrade');
      t.match(socket.head, 'X-From-Middleware: yes');
      t.notMatch(head, /sec-websocket-(?:protocol|extensions)/);
      socket.wire.destroy();
      const mixed = await WebSocketWire.open(address, '/echo', {
        Upgrade: 'WebSocket',
        Connection: 'keep-alive, Upgrade',
      });
      mixed.wire.destroy();
    },
  );

  serving('a handler decides over the handshake, and may take its time', async (t, kit, served) => {
    const { address } = served;
    const refused = async (room: string) => {
      const response = await kit.ask(upgrade(`/rooms/${room}`), address);
      return `${response.status} ${headerValue(response, 'location') ?? ''}${headerValue(response, 'retry-after') ?? ''}`.trim();
    };
    t.equal(await refused('closed'), '404');
    t.equal(await refused('broken'), '500');
    t.equal(await refused('busy'), '503 9');
    t.equal(await refused('moved'), '307 /rooms/new');
    await withClient(
      new Client(served, '/rooms/b%C3%A4r', { headers: { 'x-test': 'kept' } }),
      async (client) => {
        t.equal(await client.next(), 'open');
        t.equal(await client.next(), 'text bär bär kept 127.0.0.1', 'state, parameters and headers stay');
      },
    );
  });

  serving('what is accepted late stays open, whatever its handler allocates', async (t, _kit, served) => {
    for (let i = 0; i < 10; i++)
      await withClient(new Client(served, '/allocating'), async (client) => {
        t.equal(await client.next(), 'open');
        client.socket.send('here');
        t.equal(await client.next(), 'text here');
      });
  });

  serving(
    'a client that leaves before the handshake is accepted does no harm',
    async (t, kit, { address }) => {
      const id = kit.id();
      const wire = await kit.open(address);
      wire.write(upgrade(`/rooms/slow?id=${id}`));
      await kit.turn();
      wire.destroy();
      await kit.turn();
      await kit.call('openGate', { id });
      await kit.turn();
      t.same(await kit.notes(id), [], 'it never opens');
    },
  );

  serving('sub-protocols are ours in order of preference', async (t, kit, served) => {
    const open = (protocols: string[]) =>
      withClient(new Client(served, '/chat', { protocols }), (client) => client.next());
    t.equal(await open(['chat.v1', 'chat.v2']), 'open chat.v2');
    t.equal(await open(['chat.v1', 'other']), 'open chat.v1');
    t.equal(await open([]), 'open');
    const response = await kit.ask(
      upgrade('/chat', { 'Sec-WebSocket-Protocol': 'soap, wamp' }),
      served.address,
    );
    t.match(`${response.status} ${response.body}`, /^400 None of the sub-protocols .* chat\.v2, chat\.v1/);
  });

  serving('pages of other origins are refused', async (t, kit, { address }) => {
    const ask = async (path: string, origin: string) => {
      const wire = await kit.open(address);
      wire.write(upgrade(path, { Origin: origin, Host: 'here.example:8060' }));
      await wire.until(() => wire.received.includes('\r\n'), 'an answer');
      return wire.received.toString('latin1', 9, 12);
    };
    t.equal(await ask('/echo', 'http://here.example:8060'), '101', 'the same');
    t.equal(await ask('/echo', 'https://HERE.example:8060'), '101', 'behind a proxy with TLS');
    t.equal(await ask('/echo', 'http://here.example'), '403', 'another port');
    t.equal(await ask('/echo', 'http://evil.example'), '403');
    t.equal(await ask('/echo', 'null'), '403');
    t.equal(await ask('/any-origin', 'http://evil.example'), '101');
    t.equal(await ask('/listed', 'https://app.example.com'), '101');
    t.equal(await ask('/listed', 'http://here.example:8060'), '101');
    t.equal(await ask('/listed', 'https://evil.example.com'), '403');
    t.equal(await ask('/asked', 'https://any.example.org'), '101');
    t.equal(await ask('/asked', 'http://here.example:8060'), '403');
  });

  serving('handlers send, ping, close and throw', async (t, kit, served) => {
    const say = async (text: string, count = 1) => {
      const id = kit.id();
      const seen = await withClient(new Client(served, `/events?id=${id}`), async (client) => {
        await client.next();
        client.socket.send(text);
        const events: string[] = [];
        for (let i = 0; i < count; i++) events.push(await client.next());
        return events.join(', ');
      });
      return { id, seen };
    };
    t.equal((await say('hello')).seen, 'text what is hello?');
    t.equal((await say('json')).seen, 'text {"a":[1,"ü"]}');
    t.equal((await say('{"b":[2]}')).seen, 'text {"got":{"b":[2]}}');
    t.equal(
      (await say('{"b":')).seen,
      'close 1007 The message is not JSON: it ends too early, after 5 characters',
    );
    t.equal(
      (await say('{"__proto__":1}')).seen,
      'close 1007 The message has a key "__proto__", which is not accepted',
    );
    t.equal((await say('bytes')).seen, 'bytes 0203');
    t.equal((await say('view')).seen, 'bytes 0807');
    t.equal((await say('cork', 2)).seen, 'text one, text two');
    for (const [text, event, note] of [
      ['close', 'close 4000 as you wish', 'close 4000 as you wish'],
      ['terminate', 'close 1006', 'close 1006 terminated'],
      ['throw', 'close 1011 Internal error', 'close 1011 Internal error'],
      ['reject', 'close 1011 Internal error', 'close 1011 Internal error'],
      ['wrong', 'close 1011 Internal error', 'close 1011 Internal error'],
      ['async cork', 'close 1011 Internal error', 'close 1011 Internal error'],
      ['quit', 'close 4401 signed out', 'close 4401 signed out'],
    ] as const) {
      const { id, seen } = await say(text);
      t.equal(seen, event, text);
      await kit.note(id, note);
    }
    t.match(kit.stderr, /WebSocket handler failed: thrown/);
    t.match(kit.stderr, /WebSocket handler failed: rejected/);
    t.match(kit.stderr, /send\(\) takes text or bytes: .* received 5/);
    t.match(kit.stderr, /cork\(\) takes a function that sends at once, not an async one/);
    t.notMatch(kit.stderr, /signed out/);
    const after = await say('after');
    await kit.note(after.id, 'send closed open false code 1000');
    const ping = await say('ping');
    t.equal(ping.seen, 'ping there?');
    await kit.note(ping.id, 'pong there?');
  });

  serving(
    'the signal of a connection aborts with it, and a message is gone behind its handler',
    async (t, kit, served) => {
      const id = kit.id();
      await withClient(new Client(served, `/events?id=${id}`), async (client) => {
        await client.next();
        client.socket.send('signal');
        client.socket.send('gone');
        await kit.note(id, gateway === 'uws' ? 'ERR_WEBSOCKET_MESSAGE_GONE' : 'read 4');
        client.socket.close(1000);
        await client.next();
      });
      await kit.note(id, 'aborted The WebSocket was closed with 1000');
      t.pass();
    },
  );

  serving(
    'messages are handled one after the other, and the end is told behind them',
    async (t, kit, served) => {
      const id = kit.id();
      await withClient(new Client(served, `/in-order?id=${id}`), async (client) => {
        await client.next();
        for (const text of ['a', 'b', 'c']) client.socket.send(text);
        await kit.note(id, 'begin a');
        await kit.turn();
        t.same(await kit.notes(id), ['open', 'begin a']);
        await kit.call('openGate', { id: `${id}-b` });
        await kit.call('openGate', { id: `${id}-a` });
        t.equal(await client.next(), 'text a');
        t.equal(await client.next(), 'text b');
        await kit.note(id, 'begin c');
        client.socket.close(1000, 'left');
        await client.next();
      });
      await kit.turn();
      t.notOk((await kit.notes(id)).includes('close 1000 left'), 'a message is still handled');
      await kit.call('openGate', { id: `${id}-c` });
      await kit.note(id, 'close 1000 left');
      t.same(await kit.notes(id), [
        'open',
        'begin a',
        'end a',
        'begin b',
        'end b',
        'begin c',
        'end c',
        'close 1000 left',
      ]);
    },
  );

  serving('or side by side, as many as may be', async (t, kit, served) => {
    const id = kit.id();
    await withClient(new Client(served, `/side-by-side?id=${id}`), async (client) => {
      await client.next();
      for (const text of ['a', 'b', 'c']) client.socket.send(text);
      await kit.note(id, 'begin b');
      await kit.turn();
      t.same(await kit.notes(id), ['begin a', 'begin b']);
      await kit.call('openGate', { id: `${id}-b` });
      t.equal(await client.next(), 'text b');
      await kit.note(id, 'begin c');
      await kit.call('openGate', { id: `${id}-c` });
      t.equal(await client.next(), 'text c');
      await kit.call('openGate', { id: `${id}-a` });
      t.equal(await client.next(), 'text a');
    });
  });

  serving('messages wait for open', async (t, kit, served) => {
    const id = kit.id();
    await withClient(new Client(served, `/late-open?id=${id}`), async (client) => {
      await client.next();
      client.socket.send('early');
      await kit.note(id, 'opening');
      await kit.turn();
      await kit.call('openGate', { id });
      await kit.note(id, 'message early');
      t.same(await kit.notes(id), ['opening', 'opened', 'message early']);
    });
  });

  serving('messages that wait are bounded', async (t, kit, served) => {
    const id = kit.id();
    await withClient(new Client(served, `/flooded?id=${id}`), async (client) => {
      await client.next();
      for (let i = 0; i < 40; i++) client.socket.send(Buffer.alloc(1000));
      await kit.note(id, 'handled 1000');
      if (gateway === 'uws') {
        t.equal(await client.next(), 'close 1008 More than 10000 bytes wait to be handled');
        return;
      }
      await kit.call('openGate', { id });
      await kit.until(
        async () => (await kit.notes(id)).filter((note) => note === 'handled 1000').length === 40,
        () => 'all to be handled',
      );
      t.pass('the client was not read for a while, and nothing is lost');
    });
    await kit.call('openGate', { id });
  });

  serving('a function loops over the messages', async (t, kit, served) => {
    const id = kit.id();
    const open = async () => {
      const client = new Client(served, `/loop?id=${id}`);
      await client.next();
      return client;
    };
    await withClient(await open(), async (client) => {
      for (const text of ['1', '2', '3']) client.socket.send(text);
      t.equal(await client.next(), 'text 1');
      t.equal(await client.next(), 'text 3');
      t.equal(await client.next(), 'text 6');
      client.socket.send('return');
      t.equal(await client.next(), 'close 1000');
    });
    await withClient(await open(), async (client) => {
      client.socket.send('throw');
      t.equal(await client.next(), 'close 1011 Internal error');
    });
    await withClient(await open(), async (client) => {
      client.socket.close(4000);
      await client.next();
    });
    await kit.note(id, 'loop left 4000');
  });

  serving('messages that are too large are refused', async (t, _kit, served) => {
    await withClient(new Client(served, '/small'), async (client) => {
      await client.next();
      client.socket.send('x'.repeat(1000));
      t.equal((await client.next()).length, 1005);
      client.socket.send('x'.repeat(1001));
      t.match(await client.next(), /^close 1009/);
    });
  });

  test('messages above the largest limit of the server are refused', (t, kit) =>
    kit.serving('websockets-plain', {}, (served) =>
      withClient(new Client(served, '/echo'), async (client) => {
        await client.next();
        client.socket.send('x'.repeat(2 ** 20));
        t.equal((await client.next()).length, 2 ** 20 + 5);
        client.socket.send('x'.repeat(2 ** 20 + 1));
        t.equal(await client.next(), gateway === 'uws' ? 'close 1006' : 'close 1009');
      }),
    ));

  serving('a handler that waits for a slow reader keeps memory bounded', async (t, kit, served) => {
    const id = kit.id();
    const socket = await WebSocketWire.open(served.address, `/download?id=${id}`);
    socket.wire.socket.pause();
    socket.wire.write(frame(TEXT, '400'));
    await kit.turn();
    socket.wire.socket.resume();
    let last = '';
    for (let i = 0; i <= 400; i++) last = await socket.next();
    t.equal(last, 'text end');
    await kit.note(id, 'waited');
    t.ok((await kit.notes(id)).includes('drain'));
    socket.wire.destroy();
  });

  serving('drained is when all has left, and not a part', async (t, kit, served) => {
    const id = kit.id();
    const { wire } = await WebSocketWire.open(served.address, `/parts?id=${id}`);
    wire.socket.pause();
    wire.write(frame(TEXT, 'go'));
    await kit.note(id, 'sent true');
    for (let i = 0; i < 40; i++) {
      wire.socket.resume();
      await once(wire.socket, 'data');
      wire.socket.pause();
      await kit.turn();
    }
    wire.socket.resume();
    await kit.note(id, 'drained 0');
    await kit.note(id, 'drain 0');
    t.equal((await kit.notes(id)).length, 3);
    wire.destroy();
  });

  serving('a careless one loses the client, or the messages', async (t, kit, served) => {
    const careless = kit.id();
    const first = await WebSocketWire.open(served.address, `/careless?id=${careless}`);
    first.wire.socket.pause();
    first.wire.write(frame(TEXT, 'go'));
    await kit.note(careless, 'left true');
    await kit.note(careless, 'close 1006 the client reads too slowly: more than 200000 bytes wait');
    first.wire.destroy();
    const lossy = kit.id();
    const second = await WebSocketWire.open(served.address, `/lossy?id=${lossy}`);
    second.wire.socket.pause();
    second.wire.write(frame(TEXT, 'go'));
    await kit.note(lossy, 'sent,buffered,dropped');
    await kit.turn();
    t.notOk(
      (await kit.notes(lossy)).some((note) => note.startsWith('close')),
      'it stays connected',
    );
    second.wire.destroy();
  });

  serving('a client that pings and does not read is cut while it does so', async (t, kit, served) => {
    const id = kit.id();
    const { wire } = await WebSocketWire.open(served.address, `/echo?id=${id}`);
    wire.socket.pause();
    const pings = Buffer.concat(Array<Buffer>(8000).fill(frame(PING, 'x'.repeat(120))));
    let sentBytes = 0;
    const isCut = once(wire.socket, 'close').then(
      () => true,
      () => true,
    );
    for (let isOver = false; !isOver && sentBytes < 128 * 1_048_576; sentBytes += pings.length)
      if (!wire.write(pings))
        isOver = await Promise.race([
          isCut,
          once(wire.socket, 'drain').then(
            () => false,
            () => true,
          ),
        ]);
    t.ok(sentBytes < 64 * 1_048_576, `after ${sentBytes} bytes`);
    await kit.note(
      id,
      gateway === 'uws'
        ? 'close 1006 the client reads too slowly: more than 1048576 bytes wait'
        : 'close 1006',
    );
    wire.destroy();
  });

  serving('a client that says nothing is asked, and cut when it does not answer', async (t, kit, served) => {
    const id = kit.id();
    const socket = await WebSocketWire.open(served.address, `/silent?id=${id}`);
    t.equal(await socket.next(), 'ping');
    t.equal(await socket.next(), 'end');
    await kit.note(id, 'close 1006 nothing came for 400 ms');
    socket.wire.destroy();
    await withClient(new Client(served, '/silent'), async (client) => {
      await client.next();
      for (let i = 0; i < 4; i++) t.equal(await client.next(), 'ping', 'one that answers is kept');
    });
  });

  serving('a client that leaves while it is not read is noticed', async (t, kit, served) => {
    const id = kit.id();
    const { wire } = await WebSocketWire.open(served.address, `/unread?id=${id}`);
    for (let i = 0; i < 40; i++) wire.write(frame(TEXT, 'x'.repeat(1000)));
    await kit.note(id, 'handled');
    wire.destroy();
    await kit.note(id, 'gone');
    await kit.call('openGate', { id });
    t.pass('its handler has not ended by then');
  });

  serving('Connection may have several lines', async (t, _kit, served) => {
    const lines = { Connection: 'keep-alive\r\nConnection: Upgrade' };
    const socket = await WebSocketWire.open(served.address, '/echo', lines);
    t.equal(await socket.outcome([frame(TEXT, 'hello')]), 'text hello, open');
    socket.wire.destroy();
  });

  serving('those whose handshakes are not decided on yet are counted too', async (t, kit, served) => {
    const id = kit.id();
    const wires = await Promise.all(Array.from({ length: 5 }, () => Wire.open(served.address)));
    for (const wire of wires) wire.write(upgrade(`/few-undecided?id=${id}`));
    await kit.until(
      async () => (await kit.notes(id)).length === 5,
      () => 'all to be asked',
    );
    await kit.call('openGate', { id });
    for (const wire of wires) await wire.until(() => wire.received.includes('\r\n\r\n'), 'an answer');
    const statuses = wires.map((wire) => wire.received.toString('latin1', 9, 12)).sort();
    t.same(statuses, ['101', '101', '503', '503', '503']);
    for (const wire of wires) wire.destroy();
  });

  serving('connections are counted', async (t, kit, served) => {
    const open = () => WebSocketWire.open(served.address, '/few');
    const first = await open();
    const second = await open();
    const response = await kit.ask(upgrade('/few'), served.address);
    t.equal(`${response.status} ${headerValue(response, 'retry-after')}`, '503 5');
    first.wire.destroy();
    await kit.until(
      async () => {
        try {
          (await open()).wire.destroy();
          return true;
        } catch {
          return false;
        }
      },
      () => 'room for another',
    );
    second.wire.destroy();
  });

  serving('messages are compressed where both sides want it', async (t, _kit, served) => {
    const text = 'again;'.repeat(2000);
    await withClient(new Client(served, '/deflate', { perMessageDeflate: true }), async (client) => {
      await client.next();
      t.match(client.socket.extensions, 'permessage-deflate');
      client.socket.send(text);
      t.equal(await client.next(), `text ${text}`);
      t.ok(
        (client.socket as unknown as { _socket: { bytesRead: number } })._socket.bytesRead < 1500,
        'it came compressed',
      );
    });
    await withClient(new Client(served, '/deflate', { perMessageDeflate: true }), async (client) => {
      await client.next();
      client.socket.send('x'.repeat(200_000));
      t.match(await client.next(), /^close 1009/, 'a message that inflates is bounded');
    });
    await withClient(new Client(served, '/echo', { perMessageDeflate: true }), async (client) => {
      await client.next();
      t.equal(client.socket.extensions, '');
    });
  });

  serving(
    'extensions that are no list are refused before the handshake is decided on',
    async (t, kit, served) => {
      const id = kit.id();
      const ask = (extensions: string) =>
        kit.ask(
          upgrade(`/deflate-asked?id=${id}`, { 'Sec-WebSocket-Extensions': extensions }),
          served.address,
        );
      const wrong = [
        'permessage-deflate; =',
        'permessage-deflate,,',
        ';',
        'a; b="c',
        'a; b=c d',
        'permessage-deflate; a=b,c;',
      ];
      for (const extensions of wrong) t.equal((await ask(extensions)).status, 400, extensions);
      t.same(await kit.notes(id), []);
      const offers = {
        'permessage-deflate; server_max_window_bits=99': false,
        'permessage-deflate; client_max_window_bits; client_max_window_bits': false,
        'permessage-deflate; server_no_context_takeover=1': false,
        'x-other; a="b"': false,
        'x-other, permessage-deflate; client_max_window_bits': true,
        'permessage-deflate; server_max_window_bits="15", permessage-deflate': true,
      };
      for (const [extensions, isTaken] of Object.entries(offers)) {
        const socket = await WebSocketWire.open(served.address, `/deflate-asked?id=${id}`, {
          'Sec-WebSocket-Extensions': extensions,
        });
        t.equal(/^sec-websocket-extensions: permessage-deflate/im.test(socket.head), isTaken, extensions);
        socket.wire.destroy();
      }
      t.equal((await kit.notes(id)).length, 6);
    },
  );

  serving('it is mounted in a Router', async (t, _kit, served) => {
    await withClient(new Client(served, '/below/acme/ws'), async (client) => {
      await client.next();
      t.equal(await client.next(), 'text {"tenant":"acme"}');
    });
  });

  test('clients are sent away with 1001 when the server stops, and handlers waited for', async (t, kit) => {
    const served = await kit.listen('websockets', { gracefulTimeoutMs: 5000 });
    const id = kit.id();
    const idle = new Client(served, '/echo');
    const busy = new Client(served, `/in-order?id=${id}`);
    await idle.next();
    await busy.next();
    busy.socket.send('a');
    await kit.note(id, 'begin a');
    let isClosed = false;
    const closing = kit.call('close', { server: served.server }).then(() => {
      isClosed = true;
    });
    t.equal(await idle.next(), 'close 1001 The server stops');
    t.equal(await busy.next(), 'close 1001 The server stops');
    await kit.turn();
    t.notOk(isClosed, 'a handler is under way');
    await kit.call('openGate', { id: `${id}-a` });
    await closing;
    t.ok((await kit.notes(id)).includes('end a'));
  });
});

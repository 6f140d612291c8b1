import t from 'tap';
import { Http401, lint, WsgiHandler } from '../../src/index.js';
import { testClient } from '../../src/testing/index.js';
import { WebSocketClose, websocket } from '../../src/websocket/index.js';
import { recorder } from '../support/ask.js';

const app = new WsgiHandler([
  websocket(
    '/rooms/:room',
    {
      handshake(request) {
        const user = request.header('x-user');
        if (user === undefined) throw new Http401('Sign in first');
        return { user, room: request.params.room };
      },
      open: (socket) => void socket.sendJson(socket.state),
      message(socket, message) {
        if (message.text() === 'quit') throw new WebSocketClose(4401, 'signed out');
        socket.send(message);
      },
    },
    { protocols: ['chat'] },
  ),
  websocket('/flood', {
    message(socket) {
      for (let i = 0; i < 40; i++) socket.send('x'.repeat(65_536));
    },
  }),
  websocket('/sum', async (socket) => {
    let sum = 0;
    for await (const message of socket) {
      sum += Number(message.text());
      socket.send(String(sum));
    }
  }),
]);

t.test('routes of WebSockets can be told from others', (t) => {
  t.match(websocket('/echo', {}).routes(), [{ path: '/echo', middleware: ['websocket'] }]);
  t.end();
});

t.test('a WebSocket is opened in memory', async (t) => {
  const client = testClient(lint(app), { logLevel: 'silent' });
  t.teardown(() => client.close());
  const socket = await client.websocket('/rooms/5', {
    headers: { 'X-User': 'ann' },
    protocols: ['soap', 'chat'],
  });
  t.equal(socket.protocol, 'chat');
  t.same(await socket.nextJson(), { user: 'ann', room: '5' });
  socket.send('hello');
  socket.send(Uint8Array.of(1, 2));
  t.equal(await socket.next(), 'hello');
  t.same(await socket.next(), Buffer.of(1, 2));
  socket.send('quit');
  t.same(await socket.closed(), { code: 4401, reason: 'signed out' });
  await t.rejects(socket.next(), { code: 'ERR_TEST_CLOSED', message: /closed with 4401: signed out/ });
  t.throws(() => socket.send('more'), { code: 'ERR_TEST_CLOSED' });
});

t.test('a refusal says how', async (t) => {
  const client = testClient(app, { logLevel: 'silent' });
  t.teardown(() => client.close());
  await t.rejects(client.websocket('/rooms/5'), {
    code: 'ERR_TEST_REFUSED',
    message: /401 Unauthorized: Sign in first/,
  });
  await t.rejects(client.websocket('/nowhere'), { code: 'ERR_TEST_REFUSED', message: /404/ });
  await t.rejects(
    client.websocket('/rooms/5', { headers: { 'X-User': 'a', Origin: 'http://evil.example' } }),
    {
      message: /403/,
    },
  );
  t.equal((await client.get('/rooms/5')).status, 400);
  await t.rejects(client.websocket('/sum', { protocol: 'a' } as never), /"protocols"/);
});

t.test('the log says once that there is no room', async (t) => {
  const logger = recorder();
  const client = testClient(websocket('/few', {}, { maxConnections: 1 }), { logger });
  t.teardown(() => client.close());
  await client.websocket('/few');
  for (let i = 0; i < 3; i++)
    await t.rejects(client.websocket('/few'), { message: /503.*There are too many WebSockets here/s });
  t.match(logger.lines, [
    { level: 'warn', message: /503: "maxConnections", 1, are open/, details: { uri: '/few', refused: 1 } },
  ]);
});

t.test('a loop sees what is sent before the end', async (t) => {
  const client = testClient(app);
  t.teardown(() => client.close());
  const socket = await client.websocket('/sum');
  socket.send('1');
  socket.send('2');
  t.equal(await socket.next(), '1');
  t.equal(await socket.next(), '3');
  t.same(await socket.close(4000, 'enough'), { code: 4000, reason: 'enough' });
});

t.test('a test that does not read is a slow client', async (t) => {
  const client = testClient(app, { logLevel: 'silent' });
  t.teardown(() => client.close());
  const socket = await client.websocket('/flood');
  socket.send('go');
  t.same(await socket.closed(), { code: 1006, reason: '' });
});

t.test('close() of the client sends sockets away', async (t) => {
  const client = testClient(app);
  const socket = await client.websocket('/sum');
  await client.close();
  t.same(socket.end, { code: 1001, reason: 'The server stops' });
});

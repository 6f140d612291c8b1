/**
 * Frame by frame, over a raw socket: RFC 6455 §5 and §7, with the cases of the Autobahn suite's groups 1 to 7 restated. Where
 * the native parser of uWebSockets.js differs, the table says what it does, as docs/compatibility.md tells users.
 */
import { conformance, type PerGateway } from '../support/conformance-kit.js';
import { BINARY, CLOSE, close, frame, PING, PONG, TEXT, WebSocketWire } from '../support/websocket-wire.js';

interface Case {
  readonly fact: string;
  readonly send: readonly Uint8Array[];
  readonly expected: string | PerGateway<string>;
  /** Byte by byte. */
  readonly isChopped?: boolean;
}

/** uWebSockets.js cuts the connection, and what was sent in the same turn is lost; ws says why. */
const fails = (code: number): PerGateway<string> => ({ uws: 'end', node: `close ${code}, end` });
const MORE = 0;
const part = { isLast: false };

const sizes = [0, 125, 126, 127, 128, 65_535, 65_536, 1_000_000];
const echoes = sizes.flatMap((size): Case[] => {
  const told = (name: string, short: string) => `${name} ${size > 100 ? `of ${size}` : short}`.trim();
  return [
    {
      fact: `1.1 text of ${size}`,
      send: [frame(TEXT, '*'.repeat(size))],
      expected: `${told('text', '*'.repeat(size))}, open`,
    },
    {
      fact: `1.2 binary of ${size}`,
      send: [frame(BINARY, Buffer.alloc(size, 0xfe))],
      expected: `${size === 0 ? 'binary' : `binary of ${size}`}, open`,
    },
  ];
});

const pings: Case[] = [
  { fact: '2.1 ping without data', send: [frame(PING)], expected: 'pong, open' },
  { fact: '2.2 ping with text', send: [frame(PING, 'hello')], expected: 'pong hello, open' },
  {
    fact: '2.3 ping with bytes',
    send: [frame(PING, Buffer.of(0, 0x61, 0x7f))],
    expected: 'pong \0a\x7f, open',
  },
  { fact: '2.4 ping with 125 bytes', send: [frame(PING, 'p'.repeat(125))], expected: 'pong of 125, open' },
  { fact: '2.5 ping with 126 bytes', send: [frame(PING, 'p'.repeat(126))], expected: fails(1002) },
  {
    fact: '2.6 ping with 125 bytes, chopped',
    send: [frame(PING, 'p'.repeat(125))],
    isChopped: true,
    expected: 'pong of 125, open',
  },
  { fact: '2.7 unsolicited pong', send: [frame(PONG)], expected: 'open' },
  { fact: '2.8 unsolicited pong with data', send: [frame(PONG, 'data')], expected: 'open' },
  {
    fact: '2.9 pong, then ping',
    send: [frame(PONG, 'unasked'), frame(PING, 'asked')],
    expected: 'pong asked, open',
  },
  {
    fact: '2.10 ten pings',
    send: Array.from({ length: 10 }, (_, at) => frame(PING, `p${at}`)),
    expected: `${Array.from({ length: 10 }, (_, at) => `pong p${at}`).join(', ')}, open`,
  },
  {
    fact: '2.11 ten pings, chopped',
    send: Array.from({ length: 10 }, (_, at) => frame(PING, `p${at}`)),
    isChopped: true,
    expected: `${Array.from({ length: 10 }, (_, at) => `pong p${at}`).join(', ')}, open`,
  },
];

const reserved: Case[] = [
  ...[1, 2, 3, 4, 5, 6, 7].map(
    (bits): Case => ({
      fact: `3.${bits} reserved bits ${bits} on text`,
      send: [frame(TEXT, 'x', { reserved: bits })],
      expected: fails(1002),
    }),
  ),
  { fact: '3 reserved bits on binary', send: [frame(BINARY, 'x', { reserved: 4 })], expected: fails(1002) },
  { fact: '3 reserved bits on ping', send: [frame(PING, 'x', { reserved: 4 })], expected: fails(1002) },
  { fact: '3 reserved bits on close', send: [frame(CLOSE, '', { reserved: 4 })], expected: fails(1002) },
  {
    fact: '3.2 reserved bits behind a message',
    send: [frame(TEXT, 'first'), frame(TEXT, 'x', { reserved: 2 })],
    expected: { uws: 'end', node: 'text first, close 1002, end' },
  },
  ...[3, 4, 5, 6, 7, 11, 12, 13, 14, 15].map(
    (opcode): Case => ({
      fact: `4 opcode ${opcode}`,
      send: [frame(opcode, 'x')],
      expected: fails(1002),
    }),
  ),
];

const fragments: Case[] = [
  { fact: '5.1 ping in fragments', send: [frame(PING, 'a', part), frame(MORE, 'b')], expected: fails(1002) },
  { fact: '5.2 pong in fragments', send: [frame(PONG, 'a', part), frame(MORE, 'b')], expected: fails(1002) },
  {
    fact: '5.3 text in two fragments',
    send: [frame(TEXT, 'fra', part), frame(MORE, 'gment')],
    expected: 'text fragment, open',
  },
  {
    fact: '5.5 the same, chopped',
    send: [frame(TEXT, 'fra', part), frame(MORE, 'gment')],
    isChopped: true,
    expected: 'text fragment, open',
  },
  {
    fact: '5.6 ping between fragments',
    send: [frame(TEXT, 'fra', part), frame(PING, 'between'), frame(MORE, 'gment')],
    expected: 'pong between, text fragment, open',
  },
  {
    fact: '5.8 the same, chopped',
    send: [frame(TEXT, 'fra', part), frame(PING, 'between'), frame(MORE, 'gment')],
    isChopped: true,
    expected: 'pong between, text fragment, open',
  },
  { fact: '5.9 continuation of nothing', send: [frame(MORE, 'x'), frame(TEXT, 'y')], expected: fails(1002) },
  {
    fact: '5.12 unfinished continuation of nothing',
    send: [frame(MORE, 'x', part), frame(TEXT, 'y')],
    expected: fails(1002),
  },
  {
    fact: '5.15 continuation of nothing behind a message',
    send: [frame(TEXT, 'a', part), frame(MORE, 'b'), frame(MORE, 'c', part), frame(TEXT, 'd')],
    expected: { uws: 'end', node: 'text ab, close 1002, end' },
  },
  {
    fact: '5.18 a new message within one',
    send: [frame(TEXT, 'a', part), frame(TEXT, 'b')],
    expected: fails(1002),
  },
  {
    fact: '5.19 pings among five fragments',
    send: [
      frame(TEXT, '1', part),
      frame(MORE, '2', part),
      frame(PING, 'p'),
      frame(MORE, '3', part),
      frame(MORE, '4', part),
      frame(PING, 'q'),
      frame(MORE, '5'),
    ],
    expected: 'pong p, pong q, text 12345, open',
  },
  {
    fact: '5 binary in empty fragments',
    send: [frame(BINARY, '', part), frame(MORE, '', part), frame(MORE, Buffer.of(1)), frame(TEXT)],
    expected: 'binary 01, text, open',
  },
];

const VALID_UTF8 = [
  'Hello-µ@ßöäüàá-UTF-8!!',
  'κόσμε',
  '\u{10348}',
  '\ud7ff',
  '\ue000',
  '\ufffd',
  '\u{10ffff}',
  '\ufffe',
  '\uffff',
  '\u{1f4a9}',
];
const INVALID_UTF8: readonly (readonly [string, string])[] = [
  ['above U+10FFFF', 'f4908080'],
  ['of five bytes', 'f888808080'],
  ['of six bytes', 'fc8480808080'],
  ['a lone continuation', '80'],
  ['two lone continuations', '80bf'],
  ['a lone start', 'c020'],
  ['cut short', 'e0a0'],
  ['cut short in the middle', 'e0a041'],
  ['fe', 'fe'],
  ['ff', 'ff'],
  ['overlong slash', 'c0af'],
  ['overlong slash of three', 'e080af'],
  ['overlong slash of four', 'f08080af'],
  ['overlong maximum', 'c1bf'],
  ['overlong NUL', 'c080'],
  ['a surrogate', 'eda080'],
  ['a surrogate pair', 'eda080edb080'],
];
const utf8: Case[] = [
  { fact: '6.1 empty text', send: [frame(TEXT)], expected: 'text, open' },
  {
    fact: '6.1 empty fragments',
    send: [frame(TEXT, '', part), frame(MORE, 'middle', part), frame(MORE)],
    expected: 'text middle, open',
  },
  ...VALID_UTF8.flatMap((text): Case[] => {
    const bytes = Buffer.from(text);
    const split = [...bytes].map((byte, at) =>
      frame(at === 0 ? TEXT : MORE, Buffer.of(byte), { isLast: at === bytes.length - 1 }),
    );
    return [
      { fact: `6 ${JSON.stringify(text)}`, send: [frame(TEXT, text)], expected: `text ${text}, open` },
      {
        fact: `6 ${JSON.stringify(text)}, a fragment for each byte`,
        send: split,
        expected: `text ${text}, open`,
      },
    ];
  }),
  ...INVALID_UTF8.flatMap(([what, hex]): Case[] => {
    const bytes = Buffer.from(`ceba${hex}`, 'hex');
    return [
      { fact: `6 UTF-8 ${what}`, send: [frame(TEXT, bytes)], expected: fails(1007) },
      {
        fact: `6 UTF-8 ${what}, in fragments`,
        send: [...bytes].map((byte, at) =>
          frame(at === 0 ? TEXT : MORE, Buffer.of(byte), { isLast: at === bytes.length - 1 }),
        ),
        expected: fails(1007),
      },
    ];
  }),
];

const closes: Case[] = [
  { fact: '7.1 close', send: [close()], expected: 'close, end' },
  {
    fact: '7.1 nothing is answered behind a close',
    send: [close(1000), frame(TEXT, 'late'), frame(PING, 'late')],
    expected: 'close 1000, end',
  },
  { fact: '7.1 two closes', send: [close(1000), close(1001)], expected: 'close 1000, end' },
  {
    fact: '7.1.5 a close within a message',
    send: [frame(TEXT, 'a', part), close(1000), frame(MORE, 'b')],
    expected: 'close 1000, end',
  },
  {
    fact: '7.1.6 a close behind a large message',
    send: [frame(TEXT, '*'.repeat(262_144)), close(1000)],
    expected: 'text of 262144, close 1000, end',
  },
  {
    fact: '7.3 a close of one byte',
    send: [frame(CLOSE, 'a')],
    expected: { uws: 'close, end', node: 'close 1002, end' },
  },
  {
    fact: '7.3 close with a reason',
    send: [close(1000, 'bye')],
    expected: 'close 1000 bye, end',
  },
  {
    fact: '7.3 close with the longest reason',
    send: [close(1000, '*'.repeat(123))],
    expected: `close 1000 ${'*'.repeat(123)}, end`,
  },
  { fact: '7.3 close with a longer reason', send: [close(1000, '*'.repeat(124))], expected: fails(1002) },
  {
    fact: '7.5 a reason that is no UTF-8',
    send: [close(1000, Buffer.of(0xce, 0xba, 0xe1, 0xff))],
    expected: { uws: 'close, end', node: 'close 1007, end' },
  },
  ...[1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 4000, 4999].map(
    (code): Case => ({
      fact: `7.7 close with ${code}`,
      send: [close(code)],
      expected: `close ${code}, end`,
    }),
  ),
  ...[1012, 1013, 1014, 3000, 3999].map(
    (code): Case => ({
      fact: `7.7 close with ${code}`,
      send: [close(code)],
      expected: { uws: 'close, end', node: `close ${code}, end` },
    }),
  ),
  ...[0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999, 5000, 65_535].map(
    (code): Case => ({
      fact: `7.9 close with ${code}`,
      send: [close(code)],
      expected: { uws: 'close, end', node: 'close 1002, end' },
    }),
  ),
];

conformance((test, gateway) => {
  const table = (group: string, cases: readonly Case[]) =>
    test(group, (t, kit) =>
      kit.serving('websockets', {}, async ({ address }) => {
        for (const { fact, send, expected, isChopped } of cases) {
          const socket = await WebSocketWire.open(address, '/echo');
          const seen = await socket.outcome(send, isChopped).catch((error: Error) => error.message);
          socket.wire.destroy();
          t.equal(seen, typeof expected === 'string' ? expected : expected[gateway], fact);
        }
      }),
    );

  table('messages are echoed', echoes);
  table('pings are answered', pings);
  table('reserved bits and opcodes are refused', reserved);
  table('fragments are joined, and control frames between them answered', fragments);
  table('text is UTF-8', utf8);
  table('closes are answered', closes);

  test('a frame without a mask is not taken for one', (t, kit) =>
    kit.serving('websockets', {}, async ({ address }) => {
      const socket = await WebSocketWire.open(address, '/echo');
      socket.wire.write(frame(TEXT, 'abc', { isMasked: false }));
      if (gateway === 'node') t.equal(await socket.next(), 'close 1002');
      else {
        await kit.turn();
        t.equal(socket.wire.received.length, 0, 'nothing is echoed');
      }
      socket.wire.destroy();
    }));
});

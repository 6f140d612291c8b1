/** The methods, which server and clients both know by their types. */
import { randomInt } from 'node:crypto';
import { JsonRpcError, JsonRpcHandler, serverCommands } from 'vela/rpc';

/** An application's own error codes are outside of what the protocol has for itself. */
const DIVISION_BY_ZERO = 1;
const MAX_PATHS = 10_000;

const TWO_NUMBERS = [
  ['a', 'number'],
  ['b', 'number'],
] as const;

const calc = new JsonRpcHandler()
  .method('add', { params: TWO_NUMBERS, summary: 'The sum of two numbers' }, (_call, a, b) => a + b)
  .method('subtract', { params: TWO_NUMBERS, summary: 'Their difference' }, (_call, a, b) => a - b)
  .method('multiply', { params: TWO_NUMBERS, summary: 'Their product' }, (_call, a, b) => a * b)
  .method('divide', { params: TWO_NUMBERS, summary: 'Their quotient' }, (_call, a, b) => {
    if (b === 0) throw new JsonRpcError(DIVISION_BY_ZERO, 'Nothing can be divided by 0', { a });
    return a / b;
  });

/** What each visitor has put aside is in the visitor's session. */
const memory = new JsonRpcHandler()
  .method(
    'store',
    { params: [['value', 'number']], summary: 'Keeps a number for you' },
    async (call, value) => {
      (await call.session).set('memory', value);
      return value;
    },
  )
  .method('recall', { summary: 'The number that you kept, or 0' }, async (call) =>
    Number((await call.session).get('memory') ?? 0),
  );

/** As in pulsar's calculator: for trying out how large answers travel. */
const random = new JsonRpcHandler().method(
  'walks',
  {
    params: [
      ['size', 'integer'],
      ['count', 'integer?'],
    ],
    summary: 'Random walks of so many steps',
  },
  (_call, size, count = 1) => {
    if (size < 0 || count < 0 || size * count > MAX_PATHS)
      throw new JsonRpcError(2, `There can be ${MAX_PATHS} steps in all`);
    return Array.from({ length: count }, () => {
      let at = 0;
      return Array.from({ length: size }, () => {
        at += randomInt(2) * 2 - 1;
        return at;
      });
    });
  },
);

export const calculator = new JsonRpcHandler({ discover: { title: 'Calculator', version: '1.0.0' } })
  .mount('calc', calc)
  .mount('memory', memory)
  .mount('random', random)
  .mount(serverCommands());

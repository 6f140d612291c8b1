/** Calls and answers of the rows of rpc: what every server is asked, and answers byte for byte. */

const call = (method, params, id) => ({ jsonrpc: '2.0', method, params, id });
const answer = (result, id) => ({ jsonrpc: '2.0', result, id });

/** An object of about 1 KiB, as APIs pass them around. */
const RECORD = {
  id: 4711,
  tags: Array.from({ length: 12 }, (_, n) => `tag-${n}`),
  lines: Array.from({ length: 12 }, (_, n) => ({ sku: `sku-${n}`, count: n + 1, price: n * 1.25, paid: n % 2 === 0 })),
};

const BATCH = Array.from({ length: 10 }, (_, n) => n + 1);

/** By row: the message, and the answer. */
export const MESSAGES = {
  add: [call('add', [3, 4], 1), answer(7, 1)],
  echo: [call('echo', [RECORD], 1), answer(RECORD, 1)],
  batch: [BATCH.map((n) => call('add', [n, 1], n)), BATCH.map((n) => answer(n + 1, n))],
};

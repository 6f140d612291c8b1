import { measureCalls } from './call-loop.mjs';

/**
 * The child's side of a row without sockets: makes what is called, measures it, and tells the parent.
 * @param {(row: { bodyBytes: number }) => Promise<{ call: () => Promise<unknown>, close: () => Promise<unknown> }>} prepare
 */
export async function runCalls(prepare) {
  const { row, inFlight, seconds, warmUpSeconds } = JSON.parse(process.argv[2]);
  const { call, close } = await prepare(row);
  const figures = await measureCalls(call, { inFlight, seconds, warmUpSeconds });
  process.send(figures);
  await close();
  process.exit(0);
}

/** The command `echo` of an actor. */
import { arbiter, send, spawn } from '../../../dist/actors/index.js';
import { runCalls } from '../../lib/executor-child.mjs';

const kind = process.argv[3];
const quiet = { debug() {}, info() {}, warn() {}, error() {} };

await runCalls(async () => {
  await arbiter({ handleSignals: false, logger: quiet }).start();
  const echo = await spawn({ module: new URL('./echo.mjs', import.meta.url), kind });
  return { call: () => send(echo, 'echo', 'hello'), close: () => arbiter().stop() };
});

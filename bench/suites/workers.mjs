import { rows } from '../lib/rows.mjs';
import { servers } from '../lib/servers.mjs';
import { summarizeRow } from '../lib/summary.mjs';
import { formatRow } from '../lib/table.mjs';
import { core } from './core.mjs';

const ROWS = ['hello', 'middleware', 'post'];
const BASELINE = 'vela';

/** What the arbiter and its worker cost a request, beside a server in its own process. */
export const workers = {
  ...core,
  id: 'workers',
  title: 'One worker',
  rows: rows.filter(({ id }) => ROWS.includes(id)),
  servers: [
    ...servers.filter(({ id }) => id === BASELINE),
    { id: 'worker', title: 'vela, one worker', file: 'workers/vela.mjs', args: [], packages: [] },
  ],
  summarizeRow: (measured) => summarizeRow(measured, BASELINE),
  formatRow: (summary) => formatRow(summary, BASELINE),
  introduction: `CPU time per request of a worker and the process that looks after it, together, beside \`serve()\`, which is 1.00. More is
better.`,
};

import { createHash } from 'node:crypto';
import { type App, BadRequest, requestOf } from 'vela';

const MAX_ROWS = 10_000_000;

/** A ledger in which every row seals those before it, as CSV: plain synchronous code. `?rows=` says how many. */
export const ledger: App = (environ, startResponse) => {
  const rows = Number(requestOf(environ).query.get('rows') ?? 200_000);
  if (!Number.isInteger(rows) || rows < 1 || rows > MAX_ROWS)
    throw new BadRequest(`rows is a whole number from 1 to ${MAX_ROWS}`);
  startResponse('200 OK', [
    ['Content-Type', 'text/csv; charset=utf-8'],
    ['Content-Disposition', 'attachment; filename="ledger.csv"'],
    ['Cache-Control', 'no-store'],
    ['X-Rows', String(rows)],
  ]);
  const log = environ['vela.logger'];
  return (function* () {
    let made = 0;
    let balance = 0;
    let seal = '';
    try {
      yield 'row,amount,balance,seal\n';
      while (made < rows) {
        made++;
        const amount = ((made * 7919) % 20_001) - 10_000;
        balance += amount;
        seal = createHash('sha256').update(`${seal},${made},${amount},${balance}`).digest('hex');
        yield `${made},${amount},${balance},${seal}\n`;
      }
    } finally {
      if (made < rows) log.info({ made, rows }, `the client left after ${made} of ${rows} rows`);
      else log.info({ rows }, `all ${rows} rows were made`);
    }
  })();
};

import { existsSync } from 'node:fs';
import { splitCores } from './lib/cores.mjs';
import { writeDocs } from './lib/docs.mjs';
import { parseFlags, UsageError, usage } from './lib/flags.mjs';
import { installPeers } from './lib/install.mjs';
import { measureRow } from './lib/measure.mjs';
import { stopAll, withTimeout } from './lib/processes.mjs';
import { estimateSeconds } from './lib/row-plan.mjs';
import { summarizeRow } from './lib/summary.mjs';
import { formatOverview, formatRow } from './lib/table.mjs';
import { findWrk, wrkMissing } from './lib/wrk.mjs';

for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
]) {
  process.once(signal, () => end(code, `Stopped by ${signal}`));
}

try {
  await main(process.argv.slice(2));
  end(0);
} catch (error) {
  if (error instanceof UsageError) end(2, `${error.message}\n\n${usage}`);
  else end(1, process.env.DEBUG ? error.stack : error.message);
}

async function main(args) {
  const plan = parseFlags(args);
  if (plan.help) return console.log(usage);
  const wrkVersion = await findWrk();
  if (wrkVersion === undefined) return end(2, wrkMissing);
  requireBuild(plan);
  const peers = await installPeers(report);
  if (plan.pinsCores) plan.cores = await splitCores();
  report(plan.cores ? `Servers on core ${plan.cores.servers}, wrk on core ${plan.cores.generator}` : 'Cores are not set');
  const seconds = estimateSeconds(plan);
  report(`This takes about ${seconds < 120 ? `${seconds} seconds` : `${Math.ceil(seconds / 60)} minutes`}`);
  const command = ['npm run bench', ...(args.length > 0 ? ['--', ...args] : [])].join(' ');
  // Three times the estimate and a minute: beyond it something hangs.
  const timeoutMs = (seconds * 3 + 60) * 1000;
  const summaries = await withTimeout(runRows(plan), timeoutMs, () => new Error(`Not done after ${timeoutMs / 1000} s`));
  console.log(`## CPU time against raw uWebSockets.js\n\n${formatOverview(summaries)}`);
  if (plan.writesDocs) report(`Wrote ${await writeDocs(summaries, { plan, peers, wrkVersion, command })}`);
}

async function runRows(plan) {
  const summaries = [];
  for (const row of plan.rows) {
    const summary = summarizeRow(await measureRow(row, plan, report));
    console.log(formatRow(summary));
    summaries.push(summary);
  }
  return summaries;
}

function requireBuild(plan) {
  if (!plan.servers.some(({ file }) => file === 'vela.mjs')) return;
  if (existsSync(new URL('../dist/index.js', import.meta.url))) return;
  throw new Error('There is no dist/index.js. Run "npm run build" first, or leave vela out with --servers');
}

function report(text) {
  process.stderr.write(`${text}\n`);
}

function end(code, message) {
  stopAll();
  if (message !== undefined) report(message);
  process.exit(code);
}

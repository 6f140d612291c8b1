import { existsSync } from 'node:fs';
import { splitCores } from './lib/cores.mjs';
import { writeDocs } from './lib/docs.mjs';
import { parseFlags, UsageError, usage } from './lib/flags.mjs';
import { installPeers } from './lib/install.mjs';
import { stopAll, withTimeout } from './lib/processes.mjs';
import { findWrk, wrkMissing } from './lib/wrk.mjs';

/** Undoes what the suite set up. */
let tearDown = async () => {};

for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
]) {
  process.once(signal, () => end(code, `Stopped by ${signal}`));
}

try {
  await main(process.argv.slice(2));
  await end(0);
} catch (error) {
  if (error instanceof UsageError) await end(2, `${error.message}\n\n${usage}`);
  else await end(1, process.env.DEBUG ? error.stack : error.message);
}

async function main(args) {
  const plan = parseFlags(args);
  if (plan.help) return console.log(usage);
  const { hasLoad = true } = plan.suite;
  const wrkVersion = hasLoad ? await findWrk() : 'none';
  if (wrkVersion === undefined) return end(2, wrkMissing);
  requireBuild(plan);
  const peers = await installPeers(report);
  if (plan.pinsCores) plan.cores = await splitCores();
  if (hasLoad) report(plan.cores ? `Servers on core ${plan.cores.servers}, load on core ${plan.cores.generator}` : 'Cores are not set');
  await setUp(plan);
  const seconds = plan.suite.estimateSeconds(plan);
  report(`This takes about ${seconds < 120 ? `${seconds} seconds` : `${Math.ceil(seconds / 60)} minutes`}`);
  const command = ['npm run bench', ...(args.length > 0 ? ['--', ...args] : [])].join(' ');
  // Three times the estimate and a minute: beyond it something hangs.
  const timeoutMs = (seconds * 3 + 60) * 1000;
  const summaries = await withTimeout(runRows(plan), timeoutMs, () => new Error(`Not done after ${timeoutMs / 1000} s`));
  console.log(`## ${plan.suite.title}\n\n${plan.suite.formatOverview(summaries)}`);
  if (plan.writesDocs) report(`Wrote ${await writeDocs(summaries, { plan, peers, wrkVersion, command })}`);
}

async function setUp(plan) {
  if (plan.suite.setUp === undefined) return;
  const made = await plan.suite.setUp(plan);
  plan.folder = made.folder;
  tearDown = made.tearDown;
}

async function runRows(plan) {
  const { measureRow, summarizeRow, formatRow } = plan.suite;
  const summaries = [];
  for (const row of plan.rows) {
    const summary = summarizeRow(await measureRow(row, plan, report));
    if (formatRow !== undefined) console.log(formatRow(summary));
    summaries.push(summary);
  }
  return summaries;
}

function requireBuild(plan) {
  if (!plan.servers.some(({ file }) => file?.endsWith('vela.mjs'))) return;
  if (existsSync(new URL('../dist/index.js', import.meta.url))) return;
  throw new Error('There is no dist/index.js. Run "npm run build" first, or leave vela out with --servers');
}

function report(text) {
  process.stderr.write(`${text}\n`);
}

async function end(code, message) {
  stopAll();
  if (message !== undefined) report(message);
  await tearDown();
  process.exit(code);
}

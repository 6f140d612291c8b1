import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { formatOverview, formatRow } from './table.mjs';

const root = new URL('../../', import.meta.url);

/** Writes docs/benchmarks.md: what was run, on what, and all numbers. @returns {Promise<string>} its path from the root */
export async function writeDocs(summaries, { plan, peers, wrkVersion, command }) {
  const { version } = JSON.parse(await readFile(new URL('package.json', root), 'utf8'));
  const versions = plan.servers.flatMap(({ packages }) => packages).map((name) => `${name} ${peers[name]}`);
  if (plan.servers.some(({ id }) => id === 'vela')) versions.unshift(`vela ${version}`);
  const processors = cpus();
  const text = `# Benchmarks

<!-- Written by ${command}; do not edit by hand. -->

CPU time per request of the server process (all threads, user and system) beside hand-written uWebSockets.js, which is
1.00: a server at 0.50 spends twice the CPU time on the same work. More is better.

${formatOverview(summaries)}

- Date: ${new Date().toISOString().slice(0, 10)}
- Command: \`${command}\`
- Processor: ${processors[0]?.model.trim() ?? 'unknown'}, ${processors.length} cores, shared by the server and the load generator
- System: ${process.platform} ${process.arch}, Node ${process.versions.node}, wrk ${wrkVersion}
- Versions: ${versions.join(', ')}
- ${plan.rounds} rounds (fewer and longer for large and stream); in each, every server in a new order: ${plan.warmUpSeconds} s warm-up, ${plan.seconds} s window
- ${plan.cores ? 'wrk on one core, the servers on the others' : 'Server and wrk share the cores as the scheduler likes'}
- ${plan.connections} connections (large: at most 16, stream: at most 8)${plan.pipeline > 1 ? `, ${plan.pipeline} requests at once on each` : ''}, one wrk thread

Requests a second are bounded by the generator on the same machine, so read CPU time first. Ratios are taken round by
round; the table gives their median and the middle half. [bench/README.md](../bench/README.md) says what each row does.

## Rows

${summaries.map(formatRow).join('\n')}`;
  await mkdir(new URL('docs/', root), { recursive: true });
  await writeFile(new URL('docs/benchmarks.md', root), text);
  return 'docs/benchmarks.md';
}

import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { cpus, loadavg } from 'node:os';
import { suites } from '../suites/index.mjs';

/** Other work on the machine when the run began, so that a reader knows a disturbed run. */
const [loadBefore] = loadavg();

const root = new URL('../../', import.meta.url);
const page = new URL('docs/benchmarks.md', root);

const introduction = `# Benchmarks

<!-- Each section is written by its own run of npm run bench -- --write-docs; do not edit by hand. -->

CPU time is that of the server process, all threads, user and system. Requests a second are bounded by the generator on the
same machine, so read CPU time first. Ratios and differences are taken round by round; the tables give their median and the
middle half. Only numbers of one section compare. [bench/README.md](../bench/README.md) says what each row does.
`;

/** Writes the suite's section of docs/benchmarks.md, and leaves the others. @returns {Promise<string>} its path from the root */
export async function writeDocs(summaries, details) {
  const { suite } = details.plan;
  const old = await readPage();
  const sections = new Map(suites.map(({ id }) => [id, findSection(old, id)]));
  sections.set(suite.id, await formatSection(suite, summaries, details));
  const written = [...sections].filter(([, text]) => text !== undefined);
  const parts = written.map(([id, text]) => `${begin(id)}\n${text.trim()}\n${end(id)}\n`);
  await mkdir(new URL('docs/', root), { recursive: true });
  await writeFile(page, [introduction, ...parts].join('\n'));
  return 'docs/benchmarks.md';
}

const begin = (id) => `<!-- begin ${id} -->`;
const end = (id) => `<!-- end ${id} -->`;

async function readPage() {
  try {
    return await readFile(page, 'utf8');
  } catch (error) {
    if (error.code === 'ENOENT') return '';
    throw error;
  }
}

function findSection(text, id) {
  const from = text.indexOf(begin(id));
  const to = text.indexOf(end(id));
  return from === -1 || to < from ? undefined : text.slice(from + begin(id).length, to);
}

async function formatSection(suite, summaries, { plan, peers, wrkVersion, command }) {
  const { version } = JSON.parse(await readFile(new URL('package.json', root), 'utf8'));
  const versions = plan.servers.flatMap(({ packages }) => packages).map((name) => `${name} ${peers[name]}`);
  const others = plan.servers.flatMap((server) => (server.version ? [`${server.id} ${server.version}`] : []));
  if (plan.servers.some(({ file }) => file?.endsWith('vela.mjs'))) versions.unshift(`vela ${version}`);
  const processors = cpus();
  const { hasLoad = true } = suite;
  const cores = plan.cores ? 'Load generator on one core, the servers on the others' : 'Server and load generator share the cores as the scheduler likes';
  const facts = [
    `Date: ${new Date().toISOString().slice(0, 10)}`,
    `Command: \`${command}\``,
    `Processor: ${processors[0]?.model.trim() ?? 'unknown'}, ${processors.length} cores${hasLoad ? ', shared by the server and the load generator' : ''}`,
    `System: ${process.platform} ${process.arch}, Node ${process.versions.node}${hasLoad ? `, wrk ${wrkVersion}` : ''}`,
    `Versions: ${[...new Set([...versions, ...others])].join(', ')}`,
    ...(hasLoad ? [cores] : []),
    `Load average when it began: ${loadBefore.toFixed(1)}; above 0.5 other work disturbs the numbers`,
    ...suite.describeLoad(plan),
  ];
  const parts = [
    `## ${suite.title}`,
    suite.introduction,
    suite.formatOverview(summaries),
    facts.map((fact) => `- ${fact}`).join('\n'),
    ...(suite.formatRow === undefined ? [] : summaries.map((summary) => suite.formatRow(summary).trim())),
  ];
  return parts.join('\n\n');
}

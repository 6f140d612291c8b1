/**
 * Runs an example: `npm run example -- NAME [flags]`; without a known NAME it lists them. `NAME/node` runs the example's node.ts:
 * the same application on node:http.
 *
 * The example runs in this very process, so signals and the exit code are its own.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { buildIfStale } from './build.mjs';

const examples = fileURLToPath(new URL('../examples/', import.meta.url));
const [name, ...flags] = process.argv.slice(2);
const [folder, file = 'server'] = name?.split('/') ?? [];

if (!listExamples().includes(folder) || !existsSync(`${examples}${folder}/${file}.ts`)) {
  if (name !== undefined) console.error(`There is no example "${name}".\n`);
  console.error('Run an example with: npm run example -- NAME [flags]\n');
  for (const each of listExamples()) console.error(`  ${each.padEnd(18)} ${describeExample(each)}`);
  process.exitCode = 1;
} else if (buildIfStale()) {
  const server = `${examples}${folder}/${file}.ts`;
  process.argv = [process.execPath, server, ...flags];
  await import(pathToFileURL(server).href);
} else {
  console.error('\nThe build failed, so the example was not started.');
  process.exitCode = 1;
}

function listExamples() {
  if (!existsSync(examples)) return [];
  return readdirSync(examples).filter((each) => existsSync(`${examples}${each}/server.ts`));
}

/** The first sentence of the comment that opens the example. */
function describeExample(each) {
  const source = readFileSync(`${examples}${each}/server.ts`, 'utf8');
  const comment = /^\/\*\*([\s\S]*?)\*\//.exec(source)?.[1] ?? '';
  const text = comment
    .replace(/^\s*\* ?/gm, ' ')
    .replace(/\s+/g, ' ')
    .trim();
  return text.split(/(?<=\.) /)[0] ?? '';
}

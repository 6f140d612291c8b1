/**
 * Writes docs/settings.md from the declarations in src/app/settings.ts: `node scripts/generate-settings.mjs`. With
 * `--check` it only looks whether the page is up to date, which test/docs.test.ts asks.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import './tsx.mjs';

const { SETTINGS } = await import('../src/app/settings.ts');
const page = fileURLToPath(new URL('../docs/settings.md', import.meta.url));
const VALUES = {
  text: 'text',
  address: 'address',
  boolean: '`true`, `false`',
  file: 'path of a file that can be read',
  certificates: 'array of `{ hostname, certFile, keyFile }`',
};
/** What the declarations do not tell. */
const INTRO = `# Settings

\`\`\`ts
import { type App, WsgiServer } from 'vela';

const app: App = (_environ, startResponse) => {
  startResponse('200 OK', [['Content-Type', 'text/plain']]);
  return ['Hello\\n'];
};

await new WsgiServer(app, { bind: ':9000', maxBodyBytes: 65_536 }).start();
\`\`\`

\`serve(app, options)\` takes the same options. A flag on the command line of a \`WsgiServer\` comes before the option in
code, and that before the default. An option that is unknown, or whose value does not fit, is refused when the server
is built; \`undefined\` is as good as absent, and \`null\` is refused. Applications read them, TLS excepted, in
\`environ['vela.cfg']\`.

Times are in milliseconds and sizes in bytes, as the names say. What each does to a request is in
[the guide](guide.md).

`;

const text = `${INTRO}${formatTable()}\nGenerated from src/app/settings.ts by \`node scripts/generate-settings.mjs\`.\n`;
if (!process.argv.includes('--check')) writeFileSync(page, text);
else if (readFileSync(page, 'utf8') !== text) {
  console.error('docs/settings.md is not up to date: run node scripts/generate-settings.mjs');
  process.exitCode = 1;
}

function formatTable() {
  const rows = Object.entries(SETTINGS).map(([name, setting]) => {
    const flag = setting.flags === undefined ? 'code only' : `\`${setting.flags}\``;
    return `| \`${name}\` | ${flag} | ${formatValues(setting)} | ${formatDefault(setting)} | ${setting.text} |`;
  });
  return `| option | flag | values | default | meaning |\n|---|---|---|---|---|\n${rows.join('\n')}\n`;
}

function formatValues({ kind, choices, minimum = 0, maximum = Number.MAX_SAFE_INTEGER, flags }) {
  if (kind === 'choice') return choices.map((choice) => `\`${choice}\``).join(', ');
  if (kind !== 'integer') return VALUES[kind];
  const unit = { ms: ' ms', bytes: ' bytes' }[/<(.*)>/.exec(flags)?.[1]] ?? '';
  return `${formatNumber(minimum)} to ${formatNumber(maximum)}${unit}`;
}

function formatDefault({ default: fallback, kind }) {
  if (fallback === undefined) return 'none';
  return kind === 'integer' ? formatNumber(fallback) : `\`${fallback}\``;
}

function formatNumber(number) {
  return number === Number.MAX_SAFE_INTEGER ? '2^53 - 1' : number.toLocaleString('en');
}

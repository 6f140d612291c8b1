/**
 * Writes docs/settings.md and src/app/server-options.ts from the declarations in src/app/settings:
 * `node scripts/generate-settings.mjs`. With `--check` it only looks whether both are up to date, as `npm run check` does.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import 'tsx';

const { SETTINGS } = await import('../src/app/settings.ts');
const { flagOf, SECTIONS, variableOf } = await import('../src/app/setting.ts');
const { kindOf } = await import('../src/app/setting-kinds.ts');
const root = fileURLToPath(new URL('..', import.meta.url));
const COMMAND = 'node scripts/generate-settings.mjs';
/** As biome.json has it. */
const LINE_WIDTH = 110;
const BETWEEN = /(?<=<!-- generated[^\n]*-->\n)[\s\S]*(?=<!-- end -->)/;

const page = readFileSync(`${root}docs/settings.md`, 'utf8');
const outputs = {
  'docs/settings.md': page.replace(BETWEEN, () => SECTIONS.map(formatSection).join('')),
  'src/app/server-options.ts': formatTypes(),
};
for (const [path, text] of Object.entries(outputs)) {
  if (!process.argv.includes('--check')) writeFileSync(`${root}${path}`, text);
  else if (readFileSync(`${root}${path}`, 'utf8') !== text) {
    console.error(`${path} is not up to date: run ${COMMAND}`);
    process.exitCode = 1;
  }
}

function formatSection(section) {
  const rows = Object.entries(SETTINGS)
    .filter(([, setting]) => setting.section === section)
    .map(([name, setting]) => {
      const variable = variableOf(name, setting);
      const cells = [
        `\`${name}\``,
        variable === undefined ? 'none' : `\`${variable}\``,
        formatFlag(name, setting),
        kindOf(setting).values(setting),
        formatDefault(setting),
        setting.since,
        [setting.text, setting.details].filter(Boolean).join('. '),
      ];
      return `| ${cells.join(' | ')} |\n`;
    });
  const head = ['option', 'variable', 'flag', 'values', 'default', 'since', 'meaning'];
  return `\n### ${section}\n\n| ${head.join(' | ')} |\n|${'---|'.repeat(head.length)}\n${rows.join('')}\n`.replace(
    /\n\n$/,
    '\n',
  );
}

function formatFlag(name, setting) {
  const flag = flagOf(name, setting);
  if (flag === undefined) return 'none';
  const short = setting.short === undefined ? '' : `-${setting.short}, `;
  if (setting.kind === 'boolean') return `\`${short}${flag}\``;
  const more = setting.kind === 'levels' ? '...' : '';
  return `\`${short}${flag} <${setting.placeholder ?? kindOf(setting).placeholder(setting)}${more}>\``;
}

function formatDefault({ default: fallback }) {
  if (fallback === undefined) return 'none';
  return typeof fallback === 'number' ? fallback.toLocaleString('en') : `\`${fallback}\``;
}

/** On one line where it fits, else on several. */
function formatComment(text, tags) {
  const line = `  /** ${text} ${tags} */\n`;
  if (line.length <= LINE_WIDTH) return line;
  const wrapped = text.replace(new RegExp(`(.{1,${LINE_WIDTH - 6}})(?: |$)`, 'g'), '   * $1\n');
  return `  /**\n${wrapped}   * ${tags}\n   */\n`;
}

function formatTypes() {
  const entries = Object.entries(SETTINGS);
  const options = entries.map(([name, setting]) => {
    const { text, details, since, default: fallback } = setting;
    const sentence = `${text[0].toUpperCase()}${text.slice(1)}.`;
    const more = details === undefined ? '' : ` ${details.replace(/\[(\w+)\]\(([\w/]+\.md)\)/g, 'docs/$2')}`;
    const value = fallback === undefined ? '' : ` @defaultValue ${formatDefault({ default: fallback })}`;
    const comment = formatComment(`${sentence}${more}`, `${value} @since ${since}`.trim());
    return `${comment}  ${name}?: ${kindOf(setting).type(setting)};\n`;
  });
  const filled = entries.map(([name, setting]) => {
    const mark = setting.default === undefined ? '?' : '';
    const kind = kindOf(setting);
    return `  readonly ${name}${mark}: ${(kind.filledType ?? kind.type)(setting)};\n`;
  });
  return `// Generated from the declarations in src/app/settings: ${COMMAND}
import type { SniCertificate } from '../gateway/gateway.js';
import type { LogLevelRule } from './log-levels.js';

/** Settings of a server. All have defaults or may be absent; a wrong or unknown one is refused at once. */
export interface ServerOptions {
${options.join('')}}

/** The same once checked: what has a default is there. */
export interface FilledOptions {
${filled.join('')}}
`;
}

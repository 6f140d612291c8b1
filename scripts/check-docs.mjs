/**
 * Checks README.md and docs: every ```ts and ```js block type-checks against src, every relative link resolves.
 *
 * A block is a module of its own. "no-check" after the language leaves it out: ```ts no-check. Nothing is written
 * to disk: the compiler sees each block as a file beside its page, with the page's other lines blank, so that
 * errors carry the page's line numbers. Untyped parameters are fine in js blocks.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const root = fileURLToPath(new URL('..', import.meta.url));
const pages = listPages();
const blocks = new Map(pages.flatMap((page) => extractBlocks(page)));
const problems = [...checkBlocks(blocks), ...pages.flatMap((page) => checkLinks(page))];

for (const problem of problems) console.error(problem);
console.log(`docs: ${pages.length} pages, ${blocks.size} code blocks, ${problems.length} problems`);
process.exitCode = problems.length > 0 ? 1 : 0;

/** The Markdown pages at the root and under docs. */
function listPages() {
  const docs = existsSync(`${root}docs`) ? readdirSync(`${root}docs`, { recursive: true }) : [];
  return [...readdirSync(root), ...docs.map((name) => `docs/${name}`)]
    .filter((name) => name.endsWith('.md'))
    .sort()
    .map((name) => resolve(root, name));
}

/** Finds the checked blocks of a page, as [virtual file name, source] pairs. */
function extractBlocks(page) {
  const found = [];
  for (const match of readFileSync(page, 'utf8').matchAll(/^( *)```(\S+)(.*)\n([\s\S]*?)^ *```\s*$/gm)) {
    const [, indent, language, info, code] = match;
    const extension = { ts: 'ts', typescript: 'ts', js: 'js', javascript: 'js' }[language];
    if (extension === undefined || info.includes('no-check')) continue;
    const line = match.input.slice(0, match.index).split('\n').length;
    const source = code.replaceAll(new RegExp(`^ {0,${indent.length}}`, 'gm'), '');
    found.push([`${page}.L${line}.${extension}`, '\n'.repeat(line) + source]);
  }
  return found;
}

/** Type-checks all blocks in one program. */
function checkBlocks(sources) {
  const options = {
    ...ts.getParsedCommandLineOfConfigFile(
      `${root}tsconfig.json`,
      {},
      { ...ts.sys, onUnRecoverableConfigFileDiagnostic: fail },
    ).options,
    allowJs: true,
    checkJs: true,
    moduleDetection: ts.ModuleDetectionKind.Force,
  };
  const host = ts.createCompilerHost(options);
  const { fileExists, readFile, getSourceFile } = host;
  host.fileExists = (name) => sources.has(name) || fileExists(name);
  host.readFile = (name) => sources.get(name) ?? readFile(name);
  host.getSourceFile = (name, target, ...rest) =>
    sources.has(name)
      ? ts.createSourceFile(name, sources.get(name), { ...target, impliedNodeFormat: ts.ModuleKind.ESNext })
      : getSourceFile(name, target, ...rest);
  const program = ts.createProgram([...sources.keys()], options, host);
  return [...sources.keys()].flatMap((name) => {
    const file = program.getSourceFile(name);
    return [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)]
      .filter(({ code }) => !(name.endsWith('.js') && code >= 7000 && code < 8000)) // implicit any
      .map((diagnostic) => formatDiagnostic(name, file, diagnostic));
  });
}

function formatDiagnostic(name, file, { start, messageText }) {
  const line = file.getLineAndCharacterOfPosition(start).line + 1;
  return `${formatPlace(name, line)} ${ts.flattenDiagnosticMessageText(messageText, '\n  ')}`;
}

function formatPlace(name, line) {
  return `${relative(root, name).replace(/\.L\d+\.[jt]s$/, '')}:${line}:`;
}

/** Checks that the relative links of a page lead to a file, and to a heading if they name one. */
function checkLinks(page) {
  const text = readFileSync(page, 'utf8').replaceAll(/```[\s\S]*?```|`[^`\n]*`/g, (code) =>
    code.replaceAll(/[^\n]/g, ' '),
  );
  return [...text.matchAll(/\]\(([^)\s]+)[^)]*\)/g)].flatMap((match) => {
    const [path, heading] = match[1].split('#');
    if (/^[a-z]+:/i.test(path)) return [];
    const target = path === '' ? page : resolve(dirname(page), decodeURI(path));
    const place = formatPlace(page, text.slice(0, match.index).split('\n').length);
    if (!existsSync(target)) return [`${place} the link "${match[1]}" leads nowhere`];
    if (heading === undefined || !target.endsWith('.md') || listAnchors(target).includes(heading)) return [];
    return [`${place} "${path || 'this page'}" has no heading "#${heading}"`];
  });
}

/** The anchors of a page's headings, as GitHub makes them. */
function listAnchors(page) {
  return [...readFileSync(page, 'utf8').matchAll(/^#{1,6} +(.*)$/gm)].map(([, heading]) =>
    heading
      .trim()
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(/\s/g, '-'),
  );
}

function fail(diagnostic) {
  throw new Error(ts.flattenDiagnosticMessageText(diagnostic.messageText, '\n'));
}

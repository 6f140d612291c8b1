import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import t from 'tap';

const root = fileURLToPath(new URL('..', import.meta.url));
const sources = readdirSync(`${root}src`, { recursive: true })
  .map((name) => String(name).replaceAll('\\', '/'))
  .filter((name) => name.endsWith('.ts'));

t.test('docs/errors.md lists the codes that src has, and every HttpError', async (t) => {
  const page = read('docs/errors.md');
  const listed = new Set(matchAll(page, /^\| `(ERR_[A-Z_]+)` \|/gm));
  const thrown = new Set(sources.flatMap((name) => matchAll(read(`src/${name}`), /'(ERR_[A-Z_]+)'/g)));
  t.strictSame([...listed].sort(), [...thrown].sort());

  const classes = matchAll(read('src/core/http-error.ts'), /^export class (\w+)/gm);
  t.strictSame(matchAll(page, /^\| `([A-Z][a-z]\w+)` \|/gm), classes);
});

t.test('docs/reference.md has every public export, and no other heading of its kind', async (t) => {
  const page = read('docs/reference.md');
  const entries = sources.filter((name) => /^(?:\w+\/)?index\.ts$/.test(name));
  const exported = new Set(entries.flatMap((name) => listExports(`src/${name}`)));
  t.ok(exported.has('serve') && exported.has('HeaderPair') && exported.has('testClient'));
  const listed = new Set(matchAll(page, /^(?:###|\|) `(\w+)`/gm));
  t.strictSame(
    [...exported].filter((name) => !listed.has(name)),
    [],
    'missing there',
  );
  t.strictSame(
    matchAll(page, /^### `(\w+)`/gm).filter((name) => !exported.has(name)),
    [],
    'not exported',
  );
});

t.test('docs/architecture.md names the files of src', async (t) => {
  const named = matchAll(read('docs/architecture.md'), /`([\w-]+\.ts)`(?!.*examples)/g);
  const files = sources.map((name) => name.slice(name.lastIndexOf('/') + 1));
  t.strictSame([...new Set(named)].sort(), [...new Set(files)].sort());
});

t.test('the package is what it says', async (t) => {
  const { version, engines, dependencies } = JSON.parse(read('package.json'));
  const readme = read('README.md');
  t.match(read('src/core/version.ts'), `'${version}'`);
  t.match(readme, `**Status.** ${version},`);
  t.match(readme, `vela-${version}.tgz`);
  t.match(readme, `"uWebSockets.js": "${dependencies['uWebSockets.js']}"`);
  t.match(readme, `20 (from ${engines.node.replace('>=', '')})`);
});

t.test('docs/settings.md has every setting and every flag of --help', async (t) => {
  const generator = ['scripts/generate-settings.mjs', '--check'];
  const { status, stderr } = spawnSync(process.execPath, generator, { cwd: root, encoding: 'utf8' });
  t.equal(status, 0, stderr);

  const program = t.testdir({
    'help.ts': "import { WsgiServer } from 'vela';\nawait new WsgiServer(() => []).start();\n",
  });
  const help = spawnSync(process.execPath, ['--import=./scripts/tsx.mjs', `${program}/help.ts`, '--help'], {
    cwd: root,
    encoding: 'utf8',
  });
  const flags = matchAll(help.stdout, /(--[a-z-]+)/g).filter(
    (flag) => flag !== '--help' && flag !== '--version',
  );
  t.ok(flags.length > 10, help.stderr);
  const listed = matchAll(read('docs/settings.md'), /`(?:-\w, )?(--[a-z-]+)[^`]*` \|/g);
  t.strictSame(listed.sort(), [...new Set(flags)].sort());
});

const hasCurl = spawnSync('curl', ['--version']).status === 0;

t.test(
  'what docs/guide.md shows is what its programs answer',
  { skip: !hasCurl && 'needs curl' },
  async (t) => {
    const pairs = matchPairs(read('docs/guide.md'));
    t.ok(pairs.length >= 8);
    const folder = t.testdir();
    const left = [...pairs.entries()];
    // More at once would hold each other up.
    const playAll = async () => {
      for (let next = left.pop(); next !== undefined; next = left.pop()) {
        const [index, [program, session]] = next;
        const file = `${folder}/guide-${index}.ts`;
        writeFileSync(file, program);
        t.equal(await play(file, session), session, session);
      }
    };
    await Promise.all([playAll(), playAll()]);
  },
);

/** A TypeScript block, and the console block that follows before the next block. */
function matchPairs(page: string): [program: string, session: string][] {
  const blocks = [...page.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)];
  return blocks.flatMap(([, language, text], index) => {
    const program = blocks[index - 1]?.[2];
    return language === 'console' && program !== undefined ? [[program, text as string]] : [];
  });
}

/** Starts a program of the guide and types the commands of a session: gives the session as it went. */
async function play(file: string, session: string): Promise<string> {
  const child = spawn(
    process.execPath,
    ['--import=./scripts/tsx.mjs', file, '--bind', '127.0.0.1:0', '--workers', '0'],
    {
      cwd: root,
      stdio: ['ignore', 'pipe', 'ignore'],
    },
  );
  try {
    const [ready] = await once(createInterface(child.stdout), 'line', {
      signal: AbortSignal.timeout(60_000),
    });
    const origin = /http:\/\/\S+/.exec(ready as string)?.[0] ?? 'not ready';
    const commands = matchAll(session, /^\$ (.*)$/gm);
    let played = '';
    for (const command of commands) {
      const shell = spawn('sh', ['-c', command.replaceAll('http://127.0.0.1:8060', origin)], {
        stdio: ['ignore', 'pipe', 'ignore'],
      });
      let output = '';
      for await (const bytes of shell.stdout.setEncoding('utf8')) output += bytes;
      played += `$ ${command}\n${output.replaceAll('\r', '').trimEnd()}\n`;
    }
    return played;
  } finally {
    child.kill('SIGKILL');
  }
}

/** What an entry point exports: the names in its braces, and all of a file that it exports whole. */
function listExports(entry: string): string[] {
  const text = read(entry);
  const named = matchAll(text, /export (?:type )?\{([^}]*)\}/g).flatMap((names) =>
    names.split(',').map((name) => name.trim().replace(/^type /, '')),
  );
  const whole = matchAll(text, /export \* from '\.\/(.*)\.js'/g).flatMap((path) =>
    matchAll(
      read(`${entry.replace(/[^/]*$/, '')}${path}.ts`),
      /^export (?:type|interface|class|const|function) (\w+)/gm,
    ),
  );
  return [...named, ...whole].filter((name) => name !== '');
}

function read(path: string): string {
  return readFileSync(`${root}${path}`, 'utf8');
}

/** The first group of every match. */
function matchAll(text: string, pattern: RegExp): string[] {
  return [...text.matchAll(pattern)].map((match) => match[1] as string);
}

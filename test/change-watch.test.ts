import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { makeFolder } from './support/run-in-folder.js';
import { runScript, type Script, startScript } from './support/script.js';

/** Tells each change, with its files from the folder on. */
const WATCH = `
import { watchChanges } from 'MODULES/app/change-watch.js';
const options = JSON.parse(process.argv[2]);
const strip = (path) => path.slice(process.argv[3].length + 1);
const watch = watchChanges({
  ...options,
  changed: (files) => process.send({ changed: files.map(strip).sort() }),
  failed: (folder, error) => process.send({ failed: strip(folder), message: error.message }),
});
process.on('message', (message) => {
  if (message === 'size') process.send({ size: watch.size });
  else { watch.close(); process.disconnect(); }
});
process.send('ready');
`;

interface Watched {
  readonly root: string;
  readonly script: Script;
  /** Does something. @returns the files of the next change */
  after(work: () => void): Promise<readonly string[]>;
  /** The same for what is no change: the next one is another's. */
  ignores(work: () => void): Promise<boolean>;
  write(path: string, text?: string): void;
  size(): Promise<number>;
}

async function startWatch(
  t: Test,
  options: object = {},
  folders: readonly string[] = ['src/deep'],
): Promise<Watched> {
  const scripts = makeFolder(t);
  const root = makeFolder(t);
  const write = (path: string, text = 'x') => writeFileSync(join(root, path), text);
  for (const folder of folders) mkdirSync(join(root, folder), { recursive: true });
  write('marker.js');
  const script = startScript(t, scripts, WATCH, {
    args: [JSON.stringify({ folders: [root], ...options }), root],
  });
  await script.next();
  const after = async (work: () => void) => {
    work();
    return ((await script.next()) as { changed: string[] }).changed;
  };
  return {
    root,
    script,
    write,
    after,
    async ignores(work) {
      work();
      return (await after(() => write('marker.js'))).join() === 'marker.js';
    },
    async size() {
      script.child.send('size');
      return ((await script.next()) as { size: number }).size;
    },
  };
}

async function end({ script }: Watched, t: Test): Promise<void> {
  script.child.send('end');
  t.match(await script.ended, { code: 0, stderr: '' });
}

t.test('what is a change', async (t) => {
  const watched = await startWatch(t);
  const { root, write, after, ignores } = watched;
  for (const ending of ['js', 'mjs', 'cjs', 'ts', 'mts', 'cts', 'json', 'jsx', 'tsx'])
    t.same(await after(() => write(`src/a.${ending}`)), [`src/a.${ending}`], 'made');
  t.same(await after(() => write('src/a.js', 'changed')), ['src/a.js'], 'written');
  t.same(await after(() => rmSync(join(root, 'src/a.ts'))), ['src/a.ts'], 'removed');
  for (const text of ['once', 'again']) {
    const replace = () => {
      write('src/a.js.tmp', text);
      renameSync(join(root, 'src/a.js.tmp'), join(root, 'src/a.js'));
    };
    t.same(await after(replace), ['src/a.js'], `renamed into place, ${text}`);
  }
  t.same(await after(() => write('src/a.js', 'in place')), ['src/a.js'], 'written after that');
  t.same(await after(() => renameSync(join(root, 'src/a.js'), join(root, 'src/b.js'))), [
    'src/a.js',
    'src/b.js',
  ]);
  const several = () => {
    for (let i = 0; i < 20; i++) write('src/b.js', String(i));
    write('src/deep/c.js');
  };
  t.same(await after(several), ['src/b.js', 'src/deep/c.js'], 'several within 100 ms are one');
  t.ok(await ignores(() => write('src/page.html')), 'no source');
  t.ok(await ignores(() => write('src/.b.js.swp')), 'of an editor');
  t.ok(await ignores(() => write('src/.#b.js')));
  t.ok(await ignores(() => readFileSync(join(root, 'src/b.js'))), 'read');
  await end(watched, t);
});

t.test('packages and tools are left out, more endings taken in', async (t) => {
  const left = [
    'node_modules/a/lib',
    '.git/objects',
    '.cache',
    'coverage',
    'dist',
    'lib/node_modules',
    'lib/dist',
  ];
  const watched = await startWatch(t, { extensions: ['.html'] }, left);
  const { root, write, after, ignores } = watched;
  t.equal(await watched.size(), 2, 'the folder and lib');
  for (const folder of left) t.ok(await ignores(() => write(`${folder}/a.js`)), folder);
  t.ok(await ignores(() => mkdirSync(join(root, 'lib/.new'))));
  t.same(await after(() => write('lib/page.html')), ['lib/page.html']);
  await end(watched, t);

  const named = await startWatch(t, {}, ['dist']);
  named.script.child.send('end');
  const scripts = makeFolder(t);
  const options = JSON.stringify({ folders: [join(named.root, 'dist')] });
  const script = startScript(t, scripts, WATCH, { args: [options, named.root] });
  await script.next();
  named.write('dist/a.js');
  t.same(await script.next(), { changed: ['dist/a.js'] }, 'but one that is named is watched');
  script.child.send('end');
  await script.ended;
});

t.test('folders come and go', async (t) => {
  const watched = await startWatch(t);
  const { root, write, after } = watched;
  const at = (path: string) => join(root, path);
  const makeNew = () => {
    mkdirSync(at('new/deep'), { recursive: true });
    write('new/deep/a.js');
  };
  t.same(await after(makeNew), ['new/deep/a.js'], 'made with a file in it');
  t.same(await after(() => write('new/deep/a.js', 'again')), ['new/deep/a.js'], 'written later');
  t.equal(await watched.size(), 5);
  t.ok((await after(() => renameSync(at('new'), at('moved')))).includes('moved/deep/a.js'));
  t.same(await after(() => write('moved/deep/a.js', 'once more')), ['moved/deep/a.js'], 'renamed');
  t.equal(await watched.size(), 5);
  t.ok((await after(() => rmSync(at('moved'), { recursive: true }))).includes('moved/deep/a.js'), 'removed');
  t.equal(await watched.size(), 3);
  t.same(await after(makeNew), ['new/deep/a.js'], 'made again');
  const outside = makeFolder(t, { 'b.js': '' });
  const swap = () => {
    renameSync(at('new/deep'), join(outside, 'away'));
    mkdirSync(at('new/deep'));
    write('new/deep/c.js');
  };
  t.ok((await after(swap)).includes('new/deep/c.js'), 'another in its place');
  t.same(await after(() => write('new/deep/c.js', 'again')), ['new/deep/c.js']);
  writeFileSync(join(outside, 'away/a.js'), 'no more');
  t.same(await after(() => write('marker.js')), ['marker.js'], 'what was moved away is not watched');

  t.ok((await after(() => rmSync(root, { recursive: true }))).length > 0, 'all of it');
  t.equal(await watched.size(), 0);
  const again = () => {
    mkdirSync(at('src'), { recursive: true });
    write('src/z.js');
  };
  t.ok((await after(again)).includes('src/z.js'), 'is there again');
  t.same(await after(() => write('src/z.js', 'again')), ['src/z.js']);
  await end(watched, t);
});

t.test('links do not loop', async (t) => {
  const other = makeFolder(t, { 'linked.js': '' });
  const watched = await startWatch(t);
  const { root, write, after } = watched;
  symlinkSync('..', join(root, 'src/circle'));
  symlinkSync('itself', join(root, 'src/itself'));
  await after(() => write('marker.js'));
  t.equal(await watched.size(), 3, 'a circle adds nothing');
  await after(() => symlinkSync(other, join(root, 'src/other')));
  t.same(
    await after(() => writeFileSync(join(other, 'linked.js'), 'x')),
    ['src/other/linked.js'],
    'what is linked is watched',
  );
  await end(watched, t);
});

t.test('what is wrong', async (t) => {
  const folder = makeFolder(t);
  const wrong =
    "import { watchChanges } from 'MODULES/app/change-watch.js'; watchChanges({ folders: ['/'], extensions: ['html'], changed() {}, failed() {} });";
  t.match(await runScript(t, folder, wrong), {
    code: 1,
    stderr: /TypeError: Option "extensions" of watchChanges must be endings, such as \.html; received "html"/,
  });
  const alone =
    "import { watchChanges } from 'MODULES/app/change-watch.js'; watchChanges({ changed() {}, failed() {} });";
  t.match(await runScript(t, folder, alone), { code: 0, stderr: '' }, 'a watch keeps no process up');
});

t.test('the limits of the system are told of once, with their remedy', async (t) => {
  const folder = makeFolder(t);
  for (let i = 0; i < 10; i++) mkdirSync(join(folder, `folder-${i}`));
  const script = join(folder, 'limits.mjs');
  const module = new URL('../.modules/app/change-watch.js', import.meta.url).href;
  const source = `import { watchChanges } from '${module}';
    const told = [];
    const watch = watchChanges({ changed() {}, failed: (_folder, error) => told.push(error.message) });
    console.log(JSON.stringify({ told, size: watch.size }));`;
  writeFileSync(script, source);
  for (const [limit, value, told, size] of [
    [
      'max_inotify_watches',
      5,
      'the system watches no more for this user: raise fs.inotify.max_user_watches (sysctl)',
      5,
    ],
    [
      'max_inotify_instances',
      0,
      'the system has no more watches for this user: raise fs.inotify.max_user_instances (sysctl)',
      0,
    ],
  ] as const) {
    // Limits of a user namespace are its own.
    const set = `echo ${value} > /proc/sys/user/${limit} || exit 99; unset NODE_OPTIONS; exec ${process.execPath} ${script}`;
    const { status, stdout } = spawnSync('unshare', ['-Ur', 'sh', '-c', set], {
      cwd: folder,
      encoding: 'utf8',
    });
    if (status !== 0) {
      t.comment('no user namespaces here');
      return;
    }
    t.same(JSON.parse(stdout), { told: [told], size }, limit);
  }
});

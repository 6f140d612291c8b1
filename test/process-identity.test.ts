import { chmodSync, existsSync, mkdirSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { makeFolder } from './support/run-in-folder.js';
import { runScript, startScript } from './support/script.js';

const isRoot = process.getuid?.() === 0;
const NOBODY = 65534;

/** Does what a server does, in its order, and says what it is then. */
const BECOME = `
import { createServer } from 'node:net';
import { resolveSettings } from 'MODULES/app/resolve-settings.js';
import { resolveIdentity } from 'MODULES/app/process-identity.js';
import { openLogs, reopenLogs } from 'MODULES/app/open-logs.js';
let stage = 'settings';
try {
  const settings = resolveSettings(JSON.parse(process.argv[2]));
  const identity = resolveIdentity(settings);
  identity.settle();
  const logs = await openLogs(settings);
  const socket = createServer();
  await new Promise((resolve) => socket.listen(process.argv[3], resolve));
  identity.give(process.argv[3]);
  if (identity.owner !== undefined) logs.giveTo(identity.owner.uid, identity.owner.gid);
  stage = 'become';
  identity.become();
  const isRefused = (work) => { try { work(); return false; } catch (error) { return error.code === 'EPERM'; } };
  reopenLogs();
  logs.loggers.info({}, 'after');
  process.send({
    ids: [process.getuid(), process.geteuid(), process.getgid(), process.getegid()],
    groups: process.getgroups(),
    cwd: process.cwd(),
    umask: process.umask(),
    cannot: { setuid: isRefused(() => process.setuid(0)), setgid: isRefused(() => process.setgid(0)), setgroups: isRefused(() => process.setgroups([0])) },
  });
  process.on('message', () => { socket.close(); process.disconnect(); });
} catch (error) {
  console.error(stage + ': ' + error.message);
  process.exit(2);
}
`;

t.test('becomes another user', { skip: !isRoot && 'needs root' }, async (t) => {
  const folder = makeFolder(t);
  chmodSync(folder, 0o755);
  mkdirSync(join(folder, 'work'));
  for (const [settings, ids] of [
    [{ user: 'nobody' }, [NOBODY, NOBODY, NOBODY, NOBODY]],
    [{ user: String(NOBODY), group: 'daemon' }, [NOBODY, NOBODY, 1, 1]],
    [{ user: 54321, group: 54322 }, [54321, 54321, 54322, 54322]],
    [{ group: 'daemon' }, [0, 0, 1, 1]],
  ] as const) {
    const name = JSON.stringify(settings);
    const socket = join(folder, `${ids.join('-')}.sock`);
    const log = join(folder, `${ids.join('-')}.log`);
    const given = JSON.stringify({ ...settings, umask: '027', chdir: join(folder, 'work'), logFile: log });
    const script = startScript(t, folder, BECOME, { args: [given, socket] });
    const said = (await script.next()) as {
      ids: number[];
      groups: number[];
      cwd: string;
      umask: number;
      cannot: object;
    };
    t.same(said.ids, ids, name);
    t.ok(
      said.groups.every((gid) => gid === ids[2]),
      `no group of root's: ${said.groups}`,
    );
    t.same([said.cwd, said.umask], [realpathSync(join(folder, 'work')), 0o027]);
    if (ids[0] !== 0) t.same(said.cannot, { setuid: true, setgid: true, setgroups: true }, 'for good');
    t.match(statSync(socket), { uid: ids[0], gid: ids[2] }, 'its socket');
    t.equal(statSync(socket).mode & 0o777, 0o750);
    t.match(statSync(log), { uid: ids[0], gid: ids[2] }, 'its log');
    t.equal(statSync(log).mode & 0o777, 0o640);
    script.child.send('end');
    t.match(await script.ended, { code: 0, stderr: '' }, 'the log is opened again as that user');
    t.match(readFileSync(log, 'utf8'), /^\{.*"msg":"after"\}\n$/);
  }
});

t.test('supplementary groups are those of the user', { skip: !isRoot && 'needs root' }, async (t) => {
  const folder = makeFolder(t);
  const members = readFileSync('/etc/group', 'utf8')
    .split('\n')
    .map((line) => line.split(':'))
    .find((fields) => (fields[3] ?? '') !== '' && !fields[3]?.startsWith('root'));
  const user = members?.[3]?.split(',')[0];
  if (user === undefined) {
    t.comment('no user here is in a second group');
    return;
  }
  const script = startScript(t, folder, BECOME, { args: [JSON.stringify({ user }), join(folder, 'a.sock')] });
  const { groups } = (await script.next()) as { groups: number[] };
  t.ok(groups.includes(Number(members?.[2])), `${user} is in ${members?.[0]}`);
  t.notOk(groups.includes(0));
  script.child.send('end');
  await script.ended;
});

t.test('what cannot be is refused at the start', async (t) => {
  const folder = makeFolder(t);
  const refused = async (settings: object, pattern: RegExp, before = '') => {
    const socket = join(folder, 'refused.sock');
    const source = `${before}${BECOME}`;
    const { code, stderr } = await runScript(t, folder, source, { args: [JSON.stringify(settings), socket] });
    t.equal(code, 2, JSON.stringify(settings));
    t.match(stderr, pattern);
    t.notOk(existsSync(socket), 'before anything is made');
  };
  await refused(
    { user: 'nobody-at-all' },
    /^settings: Option "user" must be a user of this system; received "nobody-at-all", which there is not: useradd --system nobody-at-all makes it\n$/,
  );
  await refused(
    { group: 'no-such-group' },
    /^settings: Option "group" must be a group of this system; received "no-such-group"/,
  );
  await refused(
    { user: 54321 },
    /^settings: Option "user" is 54321, a number without a name, so that its group is not known: give "group" too\n$/,
  );
  await refused({ user: 'a b' }, /^settings: Option "user" must be a name or a number; received "a b"\n$/);
  await refused({ user: -1 }, /must be a name or a number; received -1\n$/);
  for (const umask of ['088', '1000', 512, -1, 1.5, 'rw'])
    await refused(
      { umask },
      /^settings: Option "umask" must be an octal text, such as "022", or a number to 0o777; received /,
    );
  await refused(
    { chdir: 'nowhere' },
    /^settings: Option "chdir" must be a folder; received "nowhere": there is no \/\S+\/nowhere\n$/,
  );
  if (!isRoot) return;
  const asNobody = `process.setgid(${NOBODY}); process.setuid(${NOBODY});`;
  chmodSync(folder, 0o777);
  await refused(
    { user: 'root' },
    /^settings: Option "user" can be changed by root only; this process is of user 65534 and group 65534: start it as root, or as the one that it shall be/,
    asNobody,
  );
  await refused({ group: 'daemon' }, /^settings: Option "group" can be changed by root only/, asNobody);
  const script = startScript(t, folder, `${asNobody}${BECOME}`, {
    args: ['{"user":"nobody"}', join(folder, 'same.sock')],
  });
  t.match(
    await script.next(),
    { ids: [NOBODY, NOBODY, NOBODY, NOBODY] },
    'the one that it is needs no change',
  );
  script.child.send('end');
  await script.ended;
});

t.test('the title', { skip: process.platform !== 'linux' && 'reads /proc' }, async (t) => {
  const source = `import { title } from 'MODULES/app/process-identity.js';
    process.title = title(process.argv[2], 'worker', 'web');
    process.send(title('shop', 'arbiter') + '|' + title('a\\u001b[2J', 'worker', 'b\\n'));
    process.on('message', () => process.disconnect());`;
  const script = startScript(t, makeFolder(t), source, { args: ['shop'] });
  t.equal(await script.next(), 'shop: arbiter|a?[2J: worker b?');
  t.equal(readFileSync(`/proc/${script.pid}/cmdline`, 'utf8').replace(/\0+$/, ''), 'shop: worker web');
  script.child.send('end');
  await script.ended;
});

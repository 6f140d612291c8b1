import { spawnSync } from 'node:child_process';
import t from 'tap';
import { plainEnvironment } from './support/run-example.js';

t.test('a server under load is killed, and stopped: the short form of npm run chaos', (t) => {
  const args = [
    '-u',
    'NODE_OPTIONS',
    process.execPath,
    'scripts/chaos/run.mjs',
    '--short',
    'kill',
    'stop',
    'orphans',
  ];
  const { status, stdout, stderr } = spawnSync('env', args, { encoding: 'utf8', env: plainEnvironment() });
  t.comment(stdout);
  // How fast a new worker is there is told by the machine as well: it is no matter of pass or fail here.
  const missed = stdout
    .split('\n')
    .filter((line) => /MORE THAN/.test(line) && !/until a new worker answers/.test(line));
  t.same(missed, [], stderr);
  for (const done of [/^kill +requests answered: \d+$/m, /^stop +exit code: 0/m, /^orphans +until the last/m])
    t.match(stdout, done, `${stderr} (exit code ${status})`);
  t.end();
});

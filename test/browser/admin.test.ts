/** The admin page, as a browser has it. SCREENSHOTS=1 also writes its picture in docs/images. */
import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import t from 'tap';
import { closeBrowser, openPage, picture, skipsBrowser } from '../support/browser.js';
import { startExample } from '../support/run-example.js';

t.teardown(closeBrowser);

t.test('the admin page', { skip: skipsBrowser }, async (t) => {
  const served = await startExample(t, 'blocking', ['-w', '2', '--admin-bind', '127.0.0.1:0']);
  const [, admin] = await served.said(/^vela: admin page on (\S+)$/m);
  const { page } = await openPage(t, { viewport: { width: 1200, height: 520 } });
  const problems: string[] = [];
  page.on('pageerror', (error) => problems.push(error.message));
  page.on('console', (message) => void (message.type() === 'error' && problems.push(message.text())));
  await page.goto(String(admin));
  await page.getByText(`Main process ${served.pid}, up`).waitFor();
  const names = page.locator('td:first-child');
  await names.getByText('wsgi-2', { exact: true }).waitFor();

  const answers = await Promise.all(
    Array.from({ length: 8 }, () => fetch(`${served.url}/thread/hash`, { method: 'POST' })),
  );
  const asked = answers.filter(({ status }) => status === 200).length;
  t.equal(asked, 8);
  const requests = async () =>
    (await page.locator('table').first().locator('td:nth-child(4)').allTextContents()).reduce(
      (sum, text) => sum + Number(text.replace(/\D/g, '')),
      0,
    );
  for (let looks = 0; (await requests()) < asked; looks++) {
    if (looks > 100) throw new Error('the page does not count the requests');
    await page.waitForTimeout(100);
  }
  t.match(
    await page.locator('table').nth(1).textContent(),
    /wsgi-\d, .*≤ \d+ ms/,
    'the threads are there too',
  );
  await page.waitForTimeout(2500);
  await picture(page, 'admin');
  t.same(problems, [], 'no error, no breach of its policy');

  t.equal(await served.stop(), 0);
  await page.getByText('The program does not answer.').waitFor();
});

t.test('what it answers others', async (t) => {
  const served = await startExample(t, 'hello', ['-w', '1', '--admin-bind', '127.0.0.1:0']);
  const [, admin] = await served.said(/^vela: admin page on (\S+)$/m);
  const url = String(admin);
  const info = (await (await fetch(`${url}/info`)).json()) as {
    actor: { processId: number };
    monitors: { wsgi: { workers: { extra: { connections: number } }[] } };
  };
  t.equal(info.actor.processId, served.pid);
  t.equal(info.monitors.wsgi.workers.length, 1);
  t.type(info.monitors.wsgi.workers[0]?.extra.connections, 'number');
  t.equal((await fetch(`${url}/nowhere`)).status, 404);
  const posted = await fetch(`${url}/info`, { method: 'POST', body: 'x' });
  t.same([posted.status, posted.headers.get('allow')], [405, 'GET, HEAD']);
  const [rebound] = (await once(
    get(`${url}/info`, { headers: { Host: 'rebound.example' } }),
    'response',
  )) as [IncomingMessage];
  rebound.resume();
  t.equal(rebound.statusCode, 421, 'a name of elsewhere that leads here reads nothing');
  t.equal(await served.stop(), 0);
});

t.test('metrics of all workers are added up', async (t) => {
  const served = await startExample(t, 'metrics', ['-w', '2', '--admin-bind', '127.0.0.1:0']);
  const [, admin] = await served.said(/^vela: admin page on (\S+)$/m);
  const asked = 30;
  for (let i = 0; i < asked; i++) {
    // A connection of its own, so that both workers have some.
    const [response] = (await once(get(`${served.url}/`, { agent: false }), 'response')) as [IncomingMessage];
    await once(response.resume(), 'close');
  }
  const answer = await fetch(`${String(admin)}/metrics`);
  t.match(answer.headers.get('content-type'), /^text\/plain; version=0\.0\.4/);
  const counts = [
    ...(await answer.text()).matchAll(/^http_server_request_duration_seconds_count\{.*\} (\d+)$/gm),
  ];
  t.equal(
    counts.reduce((sum, [, count]) => sum + Number(count), 0),
    asked,
  );
  t.equal(await served.stop(), 0);
});

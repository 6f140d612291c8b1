/**
 * The examples, driven end to end as their readers would. SCREENSHOTS=1 also writes the pictures in docs/images.
 */
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import type { Page } from 'playwright-core';
import t, { type Test } from 'tap';
import { closeBrowser, openPage, picture, skipsBrowser, until } from '../support/browser.js';
import { startRedis } from '../support/redis-server.js';
import { startExample } from '../support/run-example.js';

t.teardown(closeBrowser);
t.setTimeout(300_000);

const PASSWORD = 'correct horse';
const VIEWPORT = { viewport: { width: 800, height: 600 } };

/** Runs an example as `npm run example -- NAME` does. */
async function run(t: Test, name: string, flags: string[], env: NodeJS.ProcessEnv = {}) {
  const served = await startExample(t, name, flags, env);
  t.teardown(() => served.stop());
  return { ...served, output: () => [...served.lines, served.log()].join('\n') };
}

/** A port that nothing listens on just now. */
async function findPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}

async function logIn(page: Page, password: string): Promise<void> {
  await page.getByLabel('Name').fill('ann');
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Log in' }).click();
}

const SECRETS = { SECRET_KEY: 's'.repeat(32), DEMO_PASSWORD: PASSWORD };

for (const [gateway, flags] of [
  ['uws', []],
  ['node', ['--store']],
] as const) {
  const title = `the account example (${[gateway, ...flags].join(' ')})`;
  t.test(title, { skip: skipsBrowser }, async (t) => {
    const site = await run(t, 'account', ['--gateway', gateway, ...flags], SECRETS);
    const { url } = site;
    t.notMatch(site.output(), /is not set/);
    const { page, context } = await openPage(t, VIEWPORT);
    const problems: string[] = [];
    page.on('pageerror', (error) => problems.push(error.message));
    page.on(
      'console',
      (message) => void (/Content Security/.test(message.text()) && problems.push(message.text())),
    );

    await page.goto(`${url}/account?from=here`);
    t.equal(page.url(), `${url}/login?next=${encodeURIComponent('/account?from=here')}`, 'sent to the login');
    await logIn(page, 'wrong');
    await page.getByRole('alert').waitFor();
    t.match(await page.textContent('[role=alert]'), 'Name or password is wrong');
    await logIn(page, PASSWORD);
    await page.waitForURL(`${url}/account?from=here`);
    t.match(await page.textContent('[role=status]'), 'You are logged in', 'the message of the page before');
    t.equal(await page.textContent('#name'), 'ann');
    t.equal(await page.evaluate('document.cookie'), '', 'no script sees a cookie');

    const note = '<b>Zażółć</b> "quoted" \u{1f98a}';
    await page.getByLabel('Note').fill(note);
    await page.getByRole('button', { name: 'Save the note' }).click();
    await page.getByText('Saved', { exact: true }).waitFor();
    await picture(page, 'account');
    await page.reload();
    t.equal(await page.getByLabel('Note').inputValue(), note, 'kept, and escaped');
    t.equal(await page.locator('[role=status]').count(), 0, 'the message was shown once');

    await page.getByRole('button', { name: 'Make a token for the API' }).click();
    await page.getByText('shown this once').waitFor();
    const token = /once: (\S+)/.exec((await page.textContent('[role=status]')) ?? '')?.[1] ?? '';
    const ask = (bearer: string) =>
      fetch(`${url}/api/note`, { headers: { Authorization: `Bearer ${bearer}` } });
    t.strictSame(await (await ask(token)).json(), { name: 'ann', note });
    t.equal((await ask('guessed')).status, 401);

    // A page of another site, whose visitor is logged in here.
    const put = `fetch('${url}/account/note', { method: 'PUT', credentials: 'include', body: '{}' }).then(String, String)`;
    const evil = await context.newPage();
    await evil.goto(`${url.replace('127.0.0.1', 'localhost')}/nothing-here`);
    t.match(await evil.evaluate(put), /TypeError/);
    await page.goto(url);
    t.match(
      await page.evaluate(put.replace('String, String', '({ status }) => status')),
      403,
      'nor without a token',
    );

    const old = await context.cookies();
    await page.getByRole('button', { name: 'Log out ann' }).click();
    await page.getByText('You are logged out').waitFor();
    t.notOk((await context.cookies()).some(({ name }) => name === 'session'));
    if (flags[0] === '--store') {
      await context.addCookies(old);
      await page.goto(`${url}/account`);
      t.match(page.url(), '/login', 'with a store an old cookie is worth nothing');
    }

    await page.goto(`${url}/login?next=//evil.example/`);
    await logIn(page, PASSWORD);
    await page.getByRole('alert').waitFor();
    t.match(await page.textContent('[role=alert]'), 'on another site');
    await page.goto(url);
    t.match(await page.textContent('body'), 'Nobody is logged in');

    t.equal((await page.goto(`${url}/nowhere`))?.status(), 404);
    t.equal(await page.textContent('h1'), '404 Not Found');
    t.strictSame(problems, [], 'no script failed, and the policy had nothing to block');

    const staff = await openPage(t, {
      ...VIEWPORT,
      httpCredentials: { username: 'admin', password: PASSWORD },
    });
    await page.goto(`${url}/login`);
    await logIn(page, PASSWORD);
    await page.waitForURL(`${url}/account`);
    await staff.page.goto(`${url}/admin`);
    await staff.page.locator('button[value=ann]').click();
    await staff.page.getByText('ann is locked').waitFor();
    await page.goto(`${url}/account`);
    t.match(page.url(), '/login', 'who is locked is logged out');
    t.equal((await ask(token)).status, 401, 'and their token is void');
    const stranger = await openPage(t, { httpCredentials: { username: 'ann', password: PASSWORD } });
    t.equal((await stranger.page.goto(`${url}/admin`))?.status(), 401);

    for (let tries = 0; tries < 12; tries++) {
      await page.goto(`${url}/login`);
      await page.getByLabel('Name').fill('ann');
      await page.getByLabel('Password').fill(`guess ${tries}`);
      const answer = page.waitForResponse((response) => response.request().method() === 'POST');
      await page.getByRole('button', { name: 'Log in' }).click();
      if ((await answer).status() === 429) break;
    }
    await page.getByText('429 Too Many Requests').first().waitFor();
    t.equal(await site.stop(), 0);
  });
}

t.test('the account example makes the secrets that it is not given', { skip: skipsBrowser }, async (t) => {
  const flags = ['--bind', '127.0.0.1:0'];
  const { output } = await run(t, 'account', flags, { SECRET_KEY: '', DEMO_PASSWORD: '' });
  t.match(output(), /SECRET_KEY is not set: logins end with this process\n/);
  t.match(output(), /DEMO_PASSWORD is not set: the password is [\w-]{43}\n/);
});

for (const gateway of ['uws', 'node'] as const) {
  t.test(`the events example (${gateway})`, { skip: skipsBrowser }, async (t) => {
    // A port by number: uWebSockets.js lets one that it took for 0 be had again only after a minute.
    const flags = ['--bind', `127.0.0.1:${await findPort()}`, '--gateway', gateway];
    const site = await run(t, 'events', flags);
    const { page, context } = await openPage(t, VIEWPORT);
    const ids = async () => {
      const lines = await page.locator('#list li').allTextContents();
      return lines.map((line) => Number(/-(\d+) /.exec(line)?.[1])).reverse();
    };
    const showsClients = (where: Page, count: number) =>
      where.locator('#clients').getByText(String(count), { exact: true }).waitFor();
    const clients = (count: number) => showsClients(page, count);
    await page.goto(site.url);
    await clients(1);
    const others = [await context.newPage(), await context.newPage()];
    for (const other of others) await other.goto(site.url);
    await clients(3);
    for (const other of others) await other.close();
    await clients(1);
    await page.getByText('open', { exact: true }).waitFor();
    await until(async () => (await page.locator('#list li').count()) === 8, 'eight events');
    await picture(page, 'events');
    const seen = await ids();
    t.strictSame(
      seen,
      seen.map((_, i) => (seen[0] ?? 0) + i),
      'none is missed, none comes twice',
    );

    const id = /^\S+/.exec((await page.locator('#list li').last().textContent()) ?? '')?.[0] ?? '';
    const answer = await fetch(`${site.url}/events`, { headers: { 'Last-Event-ID': id } });
    let received = '';
    for await (const bytes of answer.body ?? []) {
      received += Buffer.from(bytes).toString();
      if (received.includes('data:')) break;
    }
    t.match(received, /^retry: 1000\n\n/);
    t.equal(
      Number(/^id: \w+-(\d+)$/m.exec(received)?.[1]),
      Number(id.split('-')[1]) + 1,
      'goes on after the last id',
    );

    await page.getByRole('button', { name: 'Stop' }).click();
    const listener = await context.newPage();
    await listener.goto(site.url);
    await showsClients(listener, 1);
    await listener.close();

    // Started anew at the same address: the page comes back by itself.
    await page.getByRole('button', { name: 'Start' }).click();
    await page.getByText('open', { exact: true }).waitFor();
    t.equal(await site.stop(), 0, 'streams do not hold up a stop');
    await page.getByText('lost', { exact: true }).waitFor();
    await run(t, 'events', flags);
    await page.getByText('open', { exact: true }).waitFor();
    await clients(1);
  });
}

for (const gateway of ['uws', 'node'] as const) {
  t.test(`the httpbin example (${gateway})`, { skip: skipsBrowser }, async (t) => {
    const { url, stop } = await run(t, 'httpbin', ['--gateway', gateway]);
    const { page } = await openPage(t, { viewport: { width: 1280, height: 800 } });
    const problems: string[] = [];
    page.on('pageerror', (error) => problems.push(error.message));
    page.on('console', (message) => void (message.type() === 'error' && problems.push(message.text())));
    await page.goto(url);
    await page.locator('#gateway').getByText(gateway, { exact: true }).waitFor();

    const status = async () => (await page.locator('#status').textContent()) ?? '';
    const body = () => page.locator('#body').textContent();
    /** Presses the button of a route, and waits for the answer. */
    const tryRoute = async (path: string, wanted: RegExp, method = 'GET') => {
      const item = page.locator('li').filter({ has: page.locator('.path', { hasText: path }) });
      const button = item.locator(`button[data-method=${method}]`).first();
      const target = await button.getAttribute('data-path');
      await button.click();
      await until(async () => wanted.test(await status()), `${method} ${path}: ${wanted}`);
      t.equal(await page.locator('#asked').textContent(), `${method} ${target}`);
    };
    await tryRoute('/patch', /^200 OK, /, 'PATCH');
    t.match(JSON.parse((await body()) ?? ''), { json: { hello: 'world' }, headers: { Origin: url } });
    await tryRoute('/status/:codes', /^418 I'm a Teapot, /);
    t.match(await body(), 'I am a teapot');
    await tryRoute('/basic-auth/:user/:passwd', /^200 OK, /);
    await tryRoute('/redirect/:n', /^200 OK, from \/get, /);
    await tryRoute('/cookies/set/:name/:value', /^200 OK, from \/cookies, /);
    t.same(JSON.parse((await body()) ?? ''), { cookies: { star: 'Suhail' } });
    await tryRoute('/stream/:n', /^200 OK, /);
    await until(async () => (await body())?.split('\n').length === 4, 'three lines');
    await tryRoute('/bytes/:n', /^200 OK, /);
    await until(async () => /^(?:[\da-f]{2} ){64}$/.test((await body()) ?? ''), 'bytes in hexadecimal');
    for (const [path, isShown] of [
      ['/image/:format', "document.querySelector('#media img')?.naturalWidth > 0"],
      ['/clip{/:blockBytes}', "document.querySelector('#media video')?.videoWidth > 0"],
    ] as const) {
      await tryRoute(path, /^200 OK, /);
      await until(async () => (await page.evaluate(isShown)) === true, `${path} to be shown`);
    }
    for (const format of ['png', 'jpeg', 'webp', 'svg']) {
      const size = `(async () => { const image = new Image(); image.src = '/image/${format}'; await image.decode(); return image.width; })()`;
      t.ok(Number(await page.evaluate(size)) > 0, `${format} is an image`);
    }
    await tryRoute('/anything{/*path}', /^200 OK, /);
    await page.evaluate('scrollTo(0, 0)');
    await picture(page, 'httpbin');

    await page.getByLabel('Find a route').fill('digest');
    t.equal(await page.locator('li:visible').count(), 1, 'routes are found by their text');
    await page.getByLabel('Find a route').fill('');
    t.ok((await page.locator('li:visible').count()) > 50);

    await page.goto(`${url}/forms/post`);
    await page.getByLabel('Name').fill('Zoë');
    await page.getByLabel('onion').check();
    await page.getByLabel('cheese').check();
    await page.getByRole('button', { name: 'Order' }).click();
    await page.waitForURL(`${url}/post`);
    t.match(JSON.parse((await page.textContent('body')) ?? ''), {
      form: { custname: 'Zoë', topping: ['cheese', 'onion'] },
    });
    await page.goto(`${url}/encoding/utf8`);
    t.match(await page.textContent('pre'), 'क');
    await page.goto(`${url}/links/5`);
    await page.getByRole('link', { name: '3' }).click();
    await page.waitForURL(`${url}/links/5/3`);
    // A link to a page that its maker wanted to be one: text, in which no script runs.
    await page.goto(
      `${url}/response-headers?Content-Type=text/html&x=${encodeURIComponent('<script>document.title="run"</script>')}`,
    );
    t.equal(await page.title(), '');
    await page.goto(
      `${url}/base64/${Buffer.from('<script>document.title="run"</script>').toString('base64url')}`,
    );
    t.equal(await page.title(), '');
    t.same(
      problems.filter((text) => !text.includes('418')),
      [],
      'no script failed, and the policy had nothing to block',
    );

    const digest = await openPage(t, { httpCredentials: { username: 'user', password: 'passwd' } });
    t.equal((await digest.page.goto(`${url}/digest-auth/auth/user/passwd/SHA-256`))?.status(), 200);
    const plain = await openPage(t, { javaScriptEnabled: false });
    await plain.page.goto(url);
    await plain.page.locator('form[action="/post"] button').click();
    t.match(await plain.page.textContent('body'), '"form": {}', 'forms work without scripts');
    await plain.page.goBack();
    await plain.page.getByRole('link', { name: '/uuid' }).click();
    t.match(await plain.page.textContent('body'), '"uuid"');
    t.equal(await stop(), 0, 'open pages do not hold up a stop');
  });
}

t.test('the blocking example', { skip: skipsBrowser }, async (t) => {
  const site = await run(t, 'blocking', []);
  const { page } = await openPage(t, VIEWPORT);
  const problems: string[] = [];
  page.on('pageerror', (error) => problems.push(error.message));
  await page.goto(site.url);
  const slowest = async (where: string) => Number.parseFloat((await page.textContent(`#${where}`)) ?? '');
  for (const [where, label, result] of [
    ['loop', 'on the loop', /ms in the main thread/],
    ['thread', 'in a thread', /ms in thread \d+/],
  ] as const) {
    await page.getByLabel(label).check();
    await page.getByRole('button', { name: 'Hash passwords' }).click();
    await page.locator('#result').getByText(result).waitFor({ timeout: 60_000 });
    await until(async () => (await slowest(where)) > 0, 'an answer meanwhile');
  }
  const ms = [await slowest('loop'), await slowest('thread')] as const;
  t.ok(ms[0] > ms[1], `${ms[0]} ms on the loop, ${ms[1]} ms in a thread`);
  await until(async () => (await page.locator('svg rect').count()) > 60, 'bars');
  await picture(page, 'blocking');
  t.match(site.output(), /POST \/loop\/hash held the loop for \d+ ms/);
  t.notMatch(site.output(), /POST \/thread\/hash held the loop/);
  t.strictSame(problems, []);
  t.equal(await site.stop(), 0);
});

t.test('the report example', { skip: skipsBrowser }, async (t) => {
  const site = await run(t, 'report', []);
  const { page } = await openPage(t, VIEWPORT);
  const problems: string[] = [];
  page.on('pageerror', (error) => problems.push(error.message));
  await page.goto(site.url);
  await page.getByRole('button', { name: 'Make it' }).click();
  await page.getByText('complete').waitFor({ timeout: 60_000 });
  t.equal(await page.textContent('#done'), '200000 of 200000');
  await picture(page, 'report');
  await page.getByLabel('Rows').first().fill('10000000');
  await page.getByRole('button', { name: 'Make it' }).click();
  await page
    .locator('#done')
    .getByText(/ of 10000000/)
    .waitFor({ timeout: 60_000 });
  await page.getByRole('button', { name: 'Break it off' }).click();
  await page.getByText('broken off').waitFor();
  await until(() => /the client left after/.test(site.output()), 'the end of the report', 30_000);
  t.strictSame(problems, []);
  t.equal(await site.stop(), 0);
});

for (const [where, gateway] of [
  ['two workers', 'uws'],
  ['two servers and a Redis', 'node'],
] as const) {
  t.test(`the chat example (${where}, ${gateway})`, { skip: skipsBrowser }, async (t) => {
    let urls: string[];
    if (where === 'two workers') {
      const { url } = await run(t, 'chat', ['--gateway', gateway, '-w', '2']);
      urls = [url, url];
    } else {
      const redis = await startRedis(t);
      if (redis === undefined) return;
      const flags = ['--gateway', gateway, '--data-store', redis.url];
      urls = (await Promise.all([run(t, 'chat', flags), run(t, 'chat', flags)])).map(({ url }) => url);
    }
    const problems: string[] = [];
    const pages: Page[] = [];
    for (const [i, name] of ['ann', 'ben'].entries()) {
      const { page } = await openPage(t, { viewport: { width: 760, height: 560 } });
      page.on('pageerror', (error) => problems.push(error.message));
      await page.goto(urls[i] as string);
      await page.getByLabel('Name').fill(name);
      await page.getByRole('button', { name: 'Enter' }).click();
      await page.getByText('in lobby').waitFor();
      pages.push(page);
    }
    const [ann, ben] = pages as [Page, Page];
    const people = async (page: Page) => (await page.locator('#people li').allTextContents()).join();
    for (const page of pages) await until(async () => (await people(page)) === 'ann,ben', 'both are there');
    const say = async (page: Page, text: string) => {
      await page.getByLabel('Message', { exact: true }).fill(text);
      await page.getByRole('button', { name: 'Send' }).click();
    };
    const said = async (page: Page) =>
      (await page.locator('#messages li').allTextContents()).map((line) => line.replace(/\d+:\d\d.*$/, ''));
    const texts = ['ann: Is anybody on the other worker?', 'ben: I am, as <b>ben</b>.', 'ann: Then it works'];
    for (const [i, page] of [ann, ben, ann].entries()) {
      await say(page, texts[i]?.slice(5) as string);
      for (const each of pages)
        await until(async () => (await said(each)).length === i + 1, `message ${i + 1} is everywhere`);
    }
    for (const page of pages) t.same(await said(page), texts);
    await picture(ben, 'chat');
    await ann.close();
    await until(async () => (await people(ben)) === 'ben', 'ann has left');
    t.same(problems, []);
  });
}

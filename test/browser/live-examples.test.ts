/** The examples of JSON-RPC and WebSockets in a browser. SCREENSHOTS=1 also writes the pictures in docs/images. */
import t, { type Test } from 'tap';
import { closeBrowser, openPage, picture, skipsBrowser, until } from '../support/browser.js';
import { startExample } from '../support/run-example.js';

t.teardown(closeBrowser);
t.setTimeout(300_000);

const VIEWPORT = { viewport: { width: 800, height: 600 } };

/** Runs an example as `npm run example -- NAME` does. */
async function run(t: Test, name: string) {
  const served = await startExample(t, name, []);
  t.teardown(() => served.stop());
  return served;
}

t.test('the calculator example', { skip: skipsBrowser }, async (t) => {
  const { url } = await run(t, 'calculator');
  const { page } = await openPage(t, VIEWPORT);
  const problems: string[] = [];
  page.on('pageerror', (error) => problems.push(error.message));
  page.on('console', (message) => void (message.type() === 'error' && problems.push(message.text())));
  await page.goto(url);
  const press = async (name: string, shown: string) => {
    await page.getByRole('button', { name, exact: true }).click();
    await page.getByRole('status').getByText(shown, { exact: true }).waitFor();
  };
  await press('+', '13');
  await press('×', '42');
  await page.getByLabel('a', { exact: true }).fill('42');
  await press('MS', '42');
  await page.getByLabel('b', { exact: true }).fill('0');
  await press('÷', 'Nothing can be divided by 0');
  t.match(await page.getByLabel('Received').textContent(), '"code": 1');
  await page.reload();
  await press('MR', '42');
  t.equal(await page.getByLabel('a', { exact: true }).inputValue(), '42', 'the memory is in the session');
  await press('All at once', '49, 35, 294, 6');
  await picture(page, 'calculator');
  t.same(problems, []);
});

t.test('the graph example', { skip: skipsBrowser }, async (t) => {
  const site = await run(t, 'graph');
  const { page, context } = await openPage(t, VIEWPORT);
  const problems: string[] = [];
  page.on('pageerror', (error) => problems.push(error.message));
  await page.goto(site.url);
  await page.getByText('live', { exact: true }).waitFor();
  const shown = async (id: string) => Number(await page.locator(id).textContent());
  await until(async () => (await shown('#rate')) >= 20, 'points to come');
  const other = await context.newPage();
  await other.goto(site.url);
  await until(async () => (await shown('#pages')) === 2, 'the other page to be counted');
  await other.close();
  await until(async () => (await shown('#pages')) === 1, 'the other page to be gone');
  // Blue is the line's.
  const drawn = `(() => {
    const { width, height } = document.querySelector('canvas');
    const { data } = document.querySelector('canvas').getContext('2d').getImageData(0, 0, width, height);
    return data.some((value, at) => at % 4 === 2 && value > 150 && data[at - 2] < 80);
  })()`;
  t.equal(await page.evaluate(drawn), true, 'a line is drawn');
  await picture(page, 'graph');
  t.same(problems, []);
  t.equal(await site.stop(), 0);
  await page.getByText('lost, connecting again').waitFor();
});

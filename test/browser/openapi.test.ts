/** The page that shows an OpenAPI document, as a browser has it. SCREENSHOTS=1 also writes its picture in docs/images. */
import t from 'tap';
import { closeBrowser, openPage, picture, skipsBrowser } from '../support/browser.js';
import { startExample } from '../support/run-example.js';

t.teardown(closeBrowser);

for (const gateway of ['uws', 'node']) {
  t.test(`the openapi example (${gateway})`, { skip: skipsBrowser }, async (t) => {
    const { url, stop } = await startExample(t, 'openapi', ['--gateway', gateway]);
    const { page } = await openPage(t, { viewport: { width: 1000, height: 1150 } });
    const problems: string[] = [];
    page.on('pageerror', (error) => problems.push(error.message));
    page.on('console', (message) => void (message.type() === 'error' && problems.push(message.text())));
    page.on('request', (request) => {
      if (!/^data:/.test(request.url()) && new URL(request.url()).origin !== url)
        problems.push(request.url());
    });
    await page.goto(url);
    t.equal(page.url(), `${url}/docs`, 'the home page leads to the docs');
    await page.getByText('Kept in memory, a thousand at the most').waitFor();
    t.equal(await page.title(), 'Users');
    t.same(await page.locator('.opblock-summary-path').allTextContents(), [
      '/users',
      '/users',
      '/users/{id}',
      '/users/{id}',
      '/users/{id}',
    ]);

    const add = page.locator('.opblock-post');
    await add.locator('.opblock-summary-control').click();
    await add.getByRole('button', { name: 'Try it out' }).click();
    await add.locator('textarea.body-param__text').fill('{"name":" Ada ","mail":"ada@example.org"}');
    await add.getByRole('button', { name: 'Execute' }).click();
    const answer = add.locator('.live-responses-table');
    await answer.getByText('"role": "reader"').waitFor();
    t.match(await answer.locator('tr.response td.response-col_status').first().textContent(), /201/);
    t.match(await answer.textContent(), /"name": "Ada"[\s\S]*location: \/users\/1/);
    await add.scrollIntoViewIfNeeded();
    await picture(page, 'openapi');

    await add.locator('textarea.body-param__text').fill('{"name":5}');
    await add.getByRole('button', { name: 'Execute' }).click();
    await answer.getByText('/body/name: ').waitFor();
    t.match(await answer.textContent(), /422/);
    // Chromium itself notes what is not 2xx.
    t.same(
      problems.filter((text) => !/status of 422/.test(text)),
      [],
      'no error, no breach of the policy, nothing from elsewhere',
    );

    await page.goto(`${url}/docs/`);
    await page.getByText('Kept in memory, a thousand at the most').waitFor();
    t.equal(await stop(), 0);
  });
}

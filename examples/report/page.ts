/** The page: fetches the report, shows how far it is, and may break it off. */
import { type Environ, type Html, html } from 'vela';

export function reportPage(environ: Environ): Html {
  const nonce = String(environ['vela.csp_nonce']);
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Report</title>
<link rel="icon" href="data:,">
<style nonce="${nonce}">
  :root { color-scheme: light dark; --line: #8884; --accent: #2b6cb0 }
  body { font: 1rem/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 44rem; padding: 1.5rem }
  progress { width: 100%; height: 1.4rem; accent-color: var(--accent) }
  dl { display: flex; gap: 2rem } dt { font-size: .8rem; opacity: .7 } dd { margin: 0; font-size: 1.4rem }
  button, input { font: inherit; padding: .4rem .8rem; border-radius: .4rem; border: 1px solid var(--line) }
  button { border: 0; background: var(--accent); color: #fff }
  pre { border: 1px solid var(--line); border-radius: .4rem; padding: .6rem; overflow: hidden; min-height: 8em }
</style>
</head>
<body>
<h1>A report, streamed from a thread</h1>
<form>
<label>Rows <input id="rows" type="number" min="1" max="10000000" value="200000"></label>
<button id="make">Make it</button>
<button id="stop" type="button">Break it off</button>
<a href="/ledger.csv?rows=200000">Download</a>
</form>
<p><progress id="progress" value="0" max="1"></progress></p>
<dl>
<div><dt>Rows</dt><dd id="done">–</dd></div>
<div><dt>MB</dt><dd id="size">–</dd></div>
<div><dt>State</dt><dd id="state">idle</dd></div>
</dl>
<pre id="tail" aria-label="Last rows"></pre>
<script nonce="${nonce}">
const find = (id) => document.getElementById(id);
let aborter;

document.querySelector('form').onsubmit = async (event) => {
  event.preventDefault();
  aborter?.abort();
  aborter = new AbortController();
  const { signal } = aborter;
  find('state').textContent = 'running';
  try {
    const response = await fetch('/ledger.csv?rows=' + find('rows').value, { signal });
    if (!response.ok) throw new Error(await response.text());
    const rows = Number(response.headers.get('X-Rows'));
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let made = -1, size = 0, rest = '';
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      const lines = (rest + value).split('\\n');
      rest = lines.pop();
      made += lines.length;
      size += value.length;
      find('progress').value = made / rows;
      find('done').textContent = made + ' of ' + rows;
      find('size').textContent = (size / 1e6).toFixed(1);
      find('tail').textContent = lines.slice(-5).join('\\n');
    }
    find('state').textContent = 'complete';
  } catch (error) {
    if (!signal.aborted) find('state').textContent = error.message;
  }
};
find('stop').onclick = () => {
  aborter?.abort();
  find('state').textContent = 'broken off';
};
</script>
</body>
</html>
`;
}

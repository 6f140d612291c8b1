/** The page: two numbers, a key for each method, and what goes over the wire. */
import { type Environ, type Html, html } from 'vela';
import type { JsonRpcMethodDescription } from 'vela/rpc';

export function calculatorPage(environ: Environ, methods: readonly JsonRpcMethodDescription[]): Html {
  const nonce = String(environ['vela.csp_nonce']);
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Calculator</title>
<link rel="icon" href="data:,">
<style nonce="${nonce}">
  :root { color-scheme: light dark; --line: #8884; --accent: #2b6cb0 }
  body { font: 1rem/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 44rem; padding: 1.5rem }
  form { display: flex; flex-wrap: wrap; gap: .5rem; align-items: end }
  label { font-size: .8rem } input { display: block; font: inherit; font-size: 1.4rem; width: 8rem; padding: .2rem .4rem }
  button { font: inherit; font-size: 1.2rem; padding: .3rem .9rem; border: 1px solid var(--line); border-radius: .4rem; cursor: pointer }
  output { display: block; font-size: 2.5rem; margin: 1rem 0; color: var(--accent); min-height: 3.75rem }
  output.failed { color: #c53030; font-size: 1.2rem }
  pre { border: 1px solid var(--line); border-radius: .4rem; padding: .6rem; overflow: auto; margin: .3rem 0 }
  td { padding: .1rem .8rem .1rem 0 }
</style>
</head>
<body>
<h1>A calculator over JSON-RPC</h1>
<form>
<label>a <input id="a" type="number" step="any" value="6"></label>
<label>b <input id="b" type="number" step="any" value="7"></label>
<button data-method="calc.add">+</button>
<button data-method="calc.subtract">−</button>
<button data-method="calc.multiply">×</button>
<button data-method="calc.divide">÷</button>
<button data-method="memory.store">MS</button>
<button data-method="memory.recall">MR</button>
<button data-method="all">All at once</button>
</form>
<output role="status"></output>
<pre id="sent" aria-label="Sent"></pre>
<pre id="received" aria-label="Received"></pre>
<h2>What can be called</h2>
<table>${methods.map(
    ({ signature, summary }) => html`<tr><td><code>${signature}</code></td><td>${summary ?? ''}</td></tr>
`,
  )}</table>
<script nonce="${nonce}">
const find = (selector) => document.querySelector(selector);
let lastId = 0;

const numbers = () => ['#a', '#b'].map((one) => find(one).valueAsNumber);
const PARAMS = { 'memory.recall': () => [], 'memory.store': () => numbers().slice(0, 1) };
const makeCall = (method) => ({ jsonrpc: '2.0', method, params: (PARAMS[method] ?? numbers)(), id: ++lastId });

async function send(message) {
  find('#sent').textContent = JSON.stringify(message, null, 1);
  const response = await fetch('/rpc', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(message),
  });
  const answer = await response.json();
  find('#received').textContent = JSON.stringify(answer, null, 1);
  return answer;
}

const show = ({ result, error }) => error ? error.message : String(result);

find('form').onsubmit = async (event) => {
  event.preventDefault();
  const { method } = event.submitter.dataset;
  const isBatch = method === 'all';
  const answers = [await send(isBatch ? ['add', 'subtract', 'multiply', 'divide'].map((one) => makeCall('calc.' + one)) : makeCall(method))].flat();
  const output = find('output');
  output.className = answers.some(({ error }) => error) ? 'failed' : '';
  output.textContent = answers.map(show).join(', ');
  if (method === 'memory.recall') find('#a').value = output.textContent;
};
</script>
</body>
</html>
`;
}

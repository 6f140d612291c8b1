/** The page: a plot and a list, drawn from what an EventSource receives. */
import { type Environ, type Html, html } from 'vela';

export function eventsPage(environ: Environ): Html {
  const nonce = String(environ['vela.csp_nonce']);
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Events</title>
<link rel="icon" href="data:,">
<style nonce="${nonce}">
  :root { color-scheme: light dark; --line: #8884; --accent: #2b6cb0 }
  body { font: 1rem/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 44rem; padding: 1.5rem }
  svg { width: 100%; height: 12rem; border: 1px solid var(--line); border-radius: .4rem }
  polyline { fill: none; stroke: var(--accent); stroke-width: 2; vector-effect: non-scaling-stroke }
  dl { display: flex; gap: 2rem } dt { font-size: .8rem; opacity: .7 } dd { margin: 0; font-size: 1.4rem }
  button { font: inherit; padding: .4rem .8rem; border: 0; border-radius: .4rem; background: var(--accent); color: #fff }
  ol { font-family: ui-monospace, monospace; font-size: .85rem; padding: 0; list-style: none }
</style>
</head>
<body>
<h1>This server, live</h1>
<svg viewBox="0 0 119 100" preserveAspectRatio="none" role="img" aria-label="CPU load"><polyline id="plot"/></svg>
<dl>
<div><dt>CPU</dt><dd id="cpu">–</dd></div>
<div><dt>Memory</dt><dd id="memory">–</dd></div>
<div><dt>Clients</dt><dd id="clients">–</dd></div>
<div><dt>Connection</dt><dd id="state">–</dd></div>
</dl>
<button id="toggle" type="button">Stop</button>
<ol id="list" aria-label="Last events"></ol>
<script nonce="${nonce}">
const find = (id) => document.getElementById(id);
const samples = [];
let source;

function connect() {
  source = new EventSource('/events');
  find('state').textContent = 'connecting';
  source.onopen = () => { find('state').textContent = 'open'; };
  // The browser comes back by itself, unless the server has said 204 or an error.
  source.onerror = () => { find('state').textContent = source.readyState === 2 ? 'closed' : 'lost'; };
  source.addEventListener('sample', (event) => {
    const sample = JSON.parse(event.data);
    samples.push(sample.cpu);
    if (samples.length > 120) samples.shift();
    find('plot').setAttribute('points', samples.map((cpu, x) => x + ',' + (98 - cpu * .96)).join(' '));
    find('cpu').textContent = sample.cpu + ' %';
    find('memory').textContent = sample.memory + ' MiB';
    find('clients').textContent = sample.clients;
    const line = document.createElement('li');
    line.textContent = event.lastEventId + '  ' + event.data;
    find('list').prepend(line);
    if (find('list').children.length > 8) find('list').lastChild.remove();
  });
}

find('toggle').onclick = () => {
  const isOpen = source.readyState !== 2;
  if (isOpen) source.close(); else connect();
  find('toggle').textContent = isOpen ? 'Start' : 'Stop';
  if (isOpen) find('state').textContent = 'closed';
};
connect();
</script>
</body>
</html>
`;
}

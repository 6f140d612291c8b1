/** The page: pings its server without a pause, and plots how long each answer took. */
import { type Environ, type Html, html } from 'vela';

export function blockingPage(environ: Environ): Html {
  const nonce = String(environ['vela.csp_nonce']);
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Blocking</title>
<link rel="icon" href="data:,">
<style nonce="${nonce}">
  :root { color-scheme: light dark; --line: #8884; --loop: #c05621; --thread: #2b6cb0 }
  body { font: 1rem/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 44rem; padding: 1.5rem }
  svg { width: 100%; height: 14rem; border: 1px solid var(--line); border-radius: .4rem }
  rect.idle { fill: #8886 } rect.loop { fill: var(--loop) } rect.thread { fill: var(--thread) }
  dl { display: flex; gap: 2rem } dt { font-size: .8rem; opacity: .7 } dd { margin: 0; font-size: 1.4rem }
  fieldset { border: 1px solid var(--line); border-radius: .4rem; display: flex; gap: 1.5rem; align-items: center }
  button { font: inherit; padding: .4rem .8rem; border: 0; border-radius: .4rem; background: var(--thread); color: #fff }
</style>
</head>
<body>
<h1>Who waits for a password hash?</h1>
<p>The page asks this server for <code>/ping</code> all the time. Each bar is one answer; its height is how long it took.</p>
<svg viewBox="0 0 120 100" preserveAspectRatio="none" role="img" aria-label="Time of each answer"></svg>
<dl>
<div><dt>Last answer</dt><dd id="last">–</dd></div>
<div><dt>Slowest, on the loop</dt><dd id="loop">–</dd></div>
<div><dt>Slowest, in a thread</dt><dd id="thread">–</dd></div>
<div><dt>Answers</dt><dd id="count">0</dd></div>
</dl>
<form><fieldset>
<label><input type="radio" name="where" value="loop" checked> on the loop</label>
<label><input type="radio" name="where" value="thread"> in a thread</label>
<button>Hash passwords</button>
<output id="result"></output>
</fieldset></form>
<script nonce="${nonce}">
const find = (id) => document.getElementById(id);
const plot = document.querySelector('svg');
const slowest = { loop: 0, thread: 0 };
let where;
let count = 0;

function draw(ms, kind) {
  const bar = document.createElementNS('http://www.w3.org/2000/svg', 'rect');
  // The root makes both a millisecond and a second visible.
  const height = Math.min(98, 3 * Math.sqrt(ms));
  for (const [name, value] of Object.entries({ width: .8, height, y: 100 - height, class: kind ?? 'idle' }))
    bar.setAttribute(name, value);
  plot.append(bar);
  if (plot.children.length > 120) plot.firstChild.remove();
  [...plot.children].forEach((one, x) => one.setAttribute('x', x));
}

async function ping() {
  const began = performance.now();
  const kind = where;
  await fetch('/ping', { cache: 'no-store' }).catch(() => undefined);
  const ms = performance.now() - began;
  const during = kind ?? where;
  draw(ms, during);
  find('last').textContent = ms.toFixed(0) + ' ms';
  find('count').textContent = ++count;
  if (during !== undefined) {
    slowest[during] = Math.max(slowest[during], ms);
    find(during).textContent = slowest[during].toFixed(0) + ' ms';
  }
  setTimeout(ping, 25);
}

document.querySelector('form').onsubmit = async (event) => {
  event.preventDefault();
  const button = document.querySelector('button');
  button.disabled = true;
  where = new FormData(event.target).get('where');
  slowest[where] = 0;
  const answer = await (await fetch('/' + where + '/hash?rounds=8', { method: 'POST' })).json();
  where = undefined;
  find('result').textContent = answer.ms + ' ms in ' + (answer.threadId === 0 ? 'the main thread' : 'thread ' + answer.threadId);
  button.disabled = false;
};
ping();
</script>
</body>
</html>
`;
}

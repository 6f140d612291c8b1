/** The page: who eats, how often, and a button that kills one. */
import { type Environ, type Html, html } from 'vela';

export function philosophersPage(environ: Environ): Html {
  const nonce = String(environ['vela.csp_nonce']);
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Dining philosophers</title>
<link rel="icon" href="data:,">
<style nonce="${nonce}">
  :root { color-scheme: light dark; --line: #8884; --accent: #2b6cb0 }
  body { font: 1rem/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 44rem; padding: 1.5rem }
  table { border-collapse: collapse; width: 100% }
  th, td { text-align: left; padding: .4rem .6rem; border-bottom: 1px solid var(--line) }
  .eating { font-weight: 600; color: var(--accent) }
  button { font: inherit; padding: .2rem .6rem; border-radius: .4rem; border: 1px solid var(--line) }
</style>
</head>
<body>
<h1>Dining philosophers</h1>
<p>Each is a process. Kill one: its monitor starts another in its place, and the forks it held are free.</p>
<table>
<thead><tr><th>Name</th><th>Process</th><th>Eaten</th><th>Waited</th><th>State</th><th></th></tr></thead>
<tbody></tbody>
</table>
<script nonce="${nonce}">
const body = document.querySelector('tbody');
const cell = (text, kind) => {
  const one = document.createElement('td');
  one.textContent = text;
  if (kind) one.className = kind;
  return one;
};
async function draw() {
  const answer = await fetch('/info', { cache: 'no-store' }).then((found) => found.json()).catch(() => undefined);
  if (answer) body.replaceChildren(...answer.philosophers.map(({ name, pid, eaten, waitedMs, isEating }) => {
    const row = document.createElement('tr');
    const kill = document.createElement('button');
    kill.textContent = 'Kill';
    kill.onclick = () => fetch('/kill/' + encodeURIComponent(name), { method: 'POST' });
    const last = cell('');
    last.append(kill);
    row.append(cell(name), cell(pid), cell(eaten), cell(waitedMs + ' ms'), cell(isEating ? 'eats' : 'thinks', isEating && 'eating'), last);
    return row;
  }));
  setTimeout(draw, 200);
}
draw();
</script>
</body>
</html>
`;
}

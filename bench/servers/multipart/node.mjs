/** Reads the body away and looks at nothing: how fast the sender, the kernel and node:http are without a parser. */
import { createServer } from 'node:http';
import { runApp } from '../../lib/child.mjs';
import { FORM_BEGIN, FORM_END } from '../../lib/upload-form.mjs';

async function readAway(req, res) {
  let bytes = 0;
  for await (const chunk of req) bytes += chunk.length;
  res.end(JSON.stringify({ bytes: bytes - FORM_BEGIN.length - FORM_END.length }));
}

await runApp(() => {
  const server = createServer(readAway);
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve(server.address().port));
  });
});

import jayson from 'jayson';
import { runRow } from '../../lib/child.mjs';
import { MESSAGES } from '../../lib/rpc-answers.mjs';

const methods = {
  add: ([a, b], done) => done(null, a + b),
  echo: ([value], done) => done(null, value),
};

function listen() {
  const server = new jayson.Server(methods).http();
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve(server.address().port));
  });
}

await runRow(MESSAGES, listen);

import { createWriteStream } from 'node:fs';
import { serve, WsgiHandler, WsgiResponse } from '../../../dist/index.js';
import {
  accessLog,
  authenticate,
  bodyLimit,
  cleanPath,
  compress,
  cors,
  csrf,
  errorPage,
  etag,
  health,
  mount,
  proxyHeaders,
  rateLimit,
  requestId,
  secureHeaders,
  serverTiming,
  session,
  sessionOf,
  timeout,
} from '../../../dist/middleware/index.js';
import { prometheusMetrics } from '../../../dist/prometheus/index.js';
import { HELLO } from '../../lib/answers.mjs';
import { runRow } from '../../lib/child.mjs';
import { SESSION_USER, TEXT_16K, TEXT_1K, USER } from '../../lib/middleware-texts.mjs';
import { rawStack } from './raw-stack.mjs';

const isWith = process.argv[3] === 'with';

function hello(_environ, startResponse) {
  startResponse('200 OK', [['Content-Type', 'text/plain']]);
  return [HELLO];
}

/** The application with `middleware` before it, or without. */
function before(...makers) {
  return () => new WsgiHandler([...(isWith ? makers.map((make) => make()) : []), hello]);
}

/** An application that returns `content`, with response middleware or without. */
function after(make, content = HELLO) {
  const answer = () => new WsgiResponse({ content, contentType: 'text/plain' });
  return () => new WsgiHandler([answer], { responseMiddleware: isWith ? [make()] : [] });
}

const makeLog = () => accessLog({ destination: createWriteStream('/dev/null') });
const makeCors = () => cors({ origins: ['https://app.example'] });
const verify = (name, password) => name === USER.name && password === USER.password;

function makeSession() {
  const answer = () => new WsgiResponse({ content: HELLO, contentType: 'text/plain' });
  if (!isWith) return new WsgiHandler([async () => answer()]);
  const sessions = session({ passwords: ['a password of the benchmark, which no one else uses'] });
  const read = async (environ) => {
    const current = await sessionOf(environ);
    if (environ.PATH_INFO === '/login') current.set('user', SESSION_USER);
    else if (current.get('user') !== SESSION_USER) return new WsgiResponse({ status: 403 });
    return answer();
  };
  return new WsgiHandler([sessions, read], { responseMiddleware: [sessions.save] });
}

const apps = {
  nothing: before(),
  requestId: before(() => requestId()),
  accessLog: before(makeLog),
  cors: before(makeCors),
  secureHeaders: before(() => secureHeaders()),
  stack: before(() => requestId(), makeLog, makeCors, () => secureHeaders()),
  rawStack,
  proxyHeaders: before(() => proxyHeaders({ trusted: ['loopback'] })),
  timeout: before(() => timeout({ timeoutMs: 5000 })),
  cleanPath: before(() => cleanPath()),
  bodyLimit: before(() => bodyLimit({ limitBytes: 65_536 })),
  serverTiming: before(() => serverTiming()),
  health: before(() => health()),
  prometheusMetrics: before(() => prometheusMetrics()),
  mount: before(() => mount('/shop', hello)),
  csrf: before(() => csrf()),
  rateLimit: before(() => rateLimit({ limit: 1_000_000_000 })),
  authenticate: before(() => authenticate({ scheme: 'basic', verify })),
  session: makeSession,
  etag: after(() => etag()),
  errorPage: after(() => errorPage({ pages: { default: { 'application/json': ({ status }) => ({ status }) } } })),
  compress1k: after(() => compress(), TEXT_1K),
  compress16k: after(() => compress(), TEXT_16K),
};

async function listen(makeApp) {
  if (makeApp === rawStack) return rawStack(isWith);
  const server = await serve(makeApp(), { bind: '127.0.0.1:0', gateway: 'uws' });
  return server.address.port;
}

await runRow(apps, listen);

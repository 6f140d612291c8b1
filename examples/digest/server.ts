/**
 * Digest authentication for scripts that send commands, with a synchronous handler behind the body's wait. Try
 * `curl --digest -u ann:PASSWORD -d 'hello' URL/shout`; the password is DEMO_PASSWORD, or a new one at each start.
 */
import { createHash, randomBytes } from 'node:crypto';
import { Http404, json, type Middleware, WsgiHandler, WsgiResponse, WsgiServer, waitForBody } from 'vela';
import { authenticate, authorization } from 'vela/middleware';

const REALM = 'commands';

/** What Digest needs of a password (RFC 7616 §3.4.2), so that the password itself need not be kept. */
const hashOf = (name: string, password: string) =>
  createHash('sha256').update(`${name}:${REALM}:${password}`).digest('hex');
const users = new Map([['ann', { ha1: { 'SHA-256': hashOf('ann', takePassword()) }, user: 'ann' }]]);

/** Open to all: how the client says who it is, whether that is true or not. */
const claim: Middleware = (environ) => {
  if (environ.PATH_INFO !== '/claim') return undefined;
  const { scheme = 'none' } = (environ['http.authorization'] ?? {}) as { scheme?: string };
  return json({ scheme });
};

/** Synchronous, as the body is in memory by now. */
const shout: Middleware = (environ) => {
  if (environ.PATH_INFO !== '/shout' || environ.REQUEST_METHOD !== 'POST') throw new Http404();
  const text = environ['wsgi.input'].readSync().toString();
  return new WsgiResponse({ content: `${String(environ['vela.user'])}: ${text.toUpperCase()}\n` });
};

function takePassword(): string {
  if (process.env.DEMO_PASSWORD) return process.env.DEMO_PASSWORD;
  const made = randomBytes(9).toString('base64url');
  console.log(`DEMO_PASSWORD is not set: the password of ann is ${made}`);
  return made;
}

const gate = authenticate({ scheme: 'digest', realm: REALM, verify: (name) => users.get(name) });
const site = new WsgiHandler([authorization(), claim, gate, waitForBody({ limitBytes: 10_000 }), shout]);

await new WsgiServer(site).start();

/**
 * Digest authentication with every choice that httpbin.org gives: the quality of protection, the hash, after how many uses a
 * nonce is stale, and whether cookies must come back. authenticate() has none of these choices, and should not. What is
 * counted is counted in cookies, and nonces are not remembered, so this protects nothing: see examples/digest for a gate
 * that does.
 */
import { randomBytes } from 'node:crypto';
import { parseAuthorization, Router, type WsgiRequest, WsgiResponse } from 'vela';
import { type DigestAlgorithm, findAlgorithm, isRightResponse } from '../digest-response.js';
import { prettyJson } from '../pretty-json.js';
import { findArg } from '../query-args.js';
import type { RouteGroup } from '../route-group.js';
import { setGivenCookie } from '../set-given-cookie.js';

const REALM = 'httpbin';
const QOPS: readonly string[] = ['auth', 'auth-int'];
const YES = ['1', 't', 'true'];

interface DigestParams {
  readonly qop: string;
  readonly user: string;
  readonly passwd: string;
  readonly algorithm?: string;
  readonly stale?: string;
}

async function answer(request: WsgiRequest & { params: DigestParams }): Promise<WsgiResponse> {
  const { environ, cookies, params } = request;
  const { user, passwd, stale = 'never' } = params;
  const algorithm = findAlgorithm(params.algorithm ?? 'MD5');
  const qops = QOPS.includes(params.qop) ? [params.qop] : QOPS;
  const needsCookie = YES.includes(findArg(request, 'require-cookie')?.toLowerCase() ?? '');
  const given = parseAuthorization(environ.HTTP_AUTHORIZATION);

  const refuse = (isStale: boolean, nonce?: string) => {
    const response = setGivenCookie(challenge(qops, algorithm, isStale), 'stale_after', stale);
    if (nonce !== undefined) setGivenCookie(response, 'last_nonce', nonce);
    return setGivenCookie(response, 'fake', 'fake_value');
  };
  if (given?.scheme !== 'digest' || (needsCookie && environ.HTTP_COOKIE === undefined)) return refuse(false);
  if (needsCookie && cookies.fake !== 'fake_value') {
    const response = prettyJson({ errors: ['missing cookie set on challenge'] }, { status: 403 });
    return setGivenCookie(response, 'fake', 'fake_value');
  }
  const { nonce, qop } = given;
  if (cookies.last_nonce === nonce || cookies.stale_after === '0') return refuse(true, nonce);
  const body = qop === 'auth-int' ? await request.bytes() : Buffer.alloc(0);
  const { REQUEST_METHOD: method, RAW_URI: target } = environ;
  const isOffered = qop === undefined || qops.includes(qop);
  if (!isOffered || !isRightResponse(given, { algorithm, realm: REALM, user, passwd, method, target, body }))
    return refuse(false, nonce);

  const response = prettyJson({ authenticated: true, user });
  setGivenCookie(response, 'fake', 'fake_value');
  const left = cookies.stale_after;
  return left === undefined ? response : setGivenCookie(response, 'stale_after', countDown(left));
}

function challenge(qops: readonly string[], algorithm: DigestAlgorithm, isStale: boolean): WsgiResponse {
  const [nonce, opaque] = [randomBytes(16).toString('hex'), randomBytes(16).toString('hex')];
  const value = `Digest realm="${REALM}", nonce="${nonce}", qop="${qops.join(', ')}", opaque="${opaque}", algorithm=${algorithm}, stale=${isStale}`;
  return new WsgiResponse({
    status: 401,
    contentType: 'text/plain',
    headers: [['WWW-Authenticate', value]],
  });
}

/** One use less; what is no count never ends. */
function countDown(left: string): string {
  return /^\d{1,9}$/.test(left) ? String(Number(left) - 1) : 'never';
}

const path = '/digest-auth/:qop/:user/:passwd{/:algorithm{/:stale}}';

export const digest: RouteGroup = {
  title: 'Digest authentication',
  prefix: '/',
  router: new Router().get(path, answer),
  routes: [
    {
      method: 'GET',
      path,
      text: 'qop auth or auth-int; MD5, SHA-256 or SHA-512; stale after so many uses',
      example: '/digest-auth/auth/user/passwd/SHA-256/never',
    },
  ],
};

/** Basic and Bearer authentication, for the user and the password that stand in the path. */
import { type Environ, equalText, parseAuthorization, Router } from 'vela';
import { authenticate } from 'vela/middleware';
import { prettyJson } from '../pretty-json.js';
import type { RouteGroup } from '../route-group.js';

interface Known {
  readonly user: string;
  readonly passwd: string;
}

/** Whether these are the user and the password of the path. */
function isKnown({ user, passwd }: Known, username: string, password: string): boolean {
  return equalText(username, user) && equalText(password, passwd);
}

const basic = authenticate({
  scheme: 'basic',
  realm: 'Fake Realm',
  verify: (username, password, environ) => isKnown(paramsOf(environ), username, password),
});
const bearer = authenticate({ scheme: 'bearer', realm: 'Fake Realm', verify: (token) => token });

/** A route's middleware has the environ, where the parameters have no types. */
function paramsOf(environ: Environ): Known {
  return environ['vela.params'] as Known;
}

const router = new Router()
  .get('/basic-auth/:user/:passwd', { middleware: [basic] }, ({ params }) =>
    prettyJson({ authenticated: true, user: params.user }),
  )
  .get('/hidden-basic-auth/:user/:passwd', ({ environ, params }) => {
    const given = parseAuthorization(environ.HTTP_AUTHORIZATION);
    const isRight = given?.scheme === 'basic' && isKnown(params, given.username, given.password);
    // Nothing: no other route wants it either, so that it is 404 as if there were no such page.
    return isRight ? prettyJson({ authenticated: true, user: params.user }) : undefined;
  })
  .get('/bearer', { middleware: [bearer] }, ({ environ }) =>
    prettyJson({ authenticated: true, token: environ['vela.user'] }),
  );

const credentials = { Authorization: `Basic ${btoa('user:passwd')}` };

export const auth: RouteGroup = {
  title: 'Authentication',
  prefix: '/',
  router,
  routes: [
    {
      method: 'GET',
      path: '/basic-auth/:user/:passwd',
      text: 'Basic, for this user and password',
      example: '/basic-auth/user/passwd',
      headers: credentials,
    },
    {
      method: 'GET',
      path: '/hidden-basic-auth/:user/:passwd',
      text: 'The same, with 404 for all others',
      example: '/hidden-basic-auth/user/passwd',
      headers: credentials,
    },
    {
      method: 'GET',
      path: '/bearer',
      text: 'Any Bearer token',
      headers: { Authorization: 'Bearer to.k-en' },
    },
  ],
};

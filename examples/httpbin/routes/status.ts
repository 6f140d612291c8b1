/** Responses with the status that is asked for, or one of several by chance. */
import { BadRequest, Router, WsgiResponse, type WsgiResponseOptions } from 'vela';
import { prettyJson } from '../pretty-json.js';
import { ANY_METHOD, type RouteGroup } from '../route-group.js';
import { IMAGE_TYPES } from './images.js';

const MORE = 'X-More-Info';
const TEAPOT = `
         _
      __(_)__
     /       \\===.
  .-|         |    \\
  '-|  I am a teapot
     \\_______/
`;
const REDIRECTS = [301, 302, 303, 305, 307];

/** What a status has beside its number. A challenge of 407 belongs to the connection, so Vela sends none. */
const SPECIAL: Readonly<Record<number, WsgiResponseOptions>> = {
  401: { headers: [['WWW-Authenticate', 'Basic realm="Fake Realm"']] },
  402: {
    content: 'Pay first.\n',
    headers: [[MORE, 'https://www.rfc-editor.org/rfc/rfc9110#section-15.5.3']],
  },
  418: { content: TEAPOT, headers: [[MORE, 'https://www.rfc-editor.org/rfc/rfc2324']] },
};

/** One of the statuses in `200:3,500`, by their weights. @throws {BadRequest} for what is no such list */
function chooseStatus(codes: string): number {
  const choices = codes.split(',').map((choice) => {
    const [, code, weight = '1'] = /^\s*(\d{3})(?::(\d{1,9}(?:\.\d{1,9})?))?\s*$/.exec(choice) ?? [];
    return { code: Number(code), weight: Number(weight) };
  });
  // 1xx is no answer, and HTTP has nothing above 599.
  if (!choices.every(({ code }) => code >= 200 && code <= 599))
    throw new BadRequest('A status is a number from 200 to 599, several are 200:3,500:1');
  let left = Math.random() * choices.reduce((sum, { weight }) => sum + weight, 0);
  for (const { code, weight } of choices) {
    left -= weight;
    if (left < 0) return code;
  }
  return choices[0]?.code ?? 200;
}

function answer(status: number, base: string): WsgiResponse {
  if (status === 204 || status === 304) return new WsgiResponse({ status });
  if (REDIRECTS.includes(status))
    return new WsgiResponse({ status, headers: [['Location', `${base}/redirect/1`]] });
  if (status !== 406) return new WsgiResponse({ contentType: 'text/plain', ...SPECIAL[status], status });
  return prettyJson({ accept: IMAGE_TYPES, message: 'There is nothing that this client takes.' }, { status });
}

const router = new Router().on(ANY_METHOD)('/status/:codes', ({ environ, params }) =>
  answer(chooseStatus(params.codes), environ.SCRIPT_NAME),
);

export const status: RouteGroup = {
  title: 'Status codes',
  prefix: '/',
  router,
  routes: [
    {
      method: 'ANY',
      path: '/status/:codes',
      text: 'This status, or one of 200:3,500:1',
      example: '/status/418',
    },
  ],
};

/** Cookies: told back, set and deleted. */
import { BadRequest, Router, redirect, type WsgiRequest, type WsgiResponse } from 'vela';
import { prettyJson } from '../pretty-json.js';
import type { RouteGroup } from '../route-group.js';
import { setGivenCookie } from '../set-given-cookie.js';

/** More than this in one response is no trying out. */
const MAX_COOKIES = 50;

const toList = ({ environ }: WsgiRequest) => redirect(`${environ.SCRIPT_NAME}/cookies`);

function setAll(request: WsgiRequest): WsgiResponse {
  const response = toList(request);
  for (const [name, value] of pickSome(request)) setGivenCookie(response, name, value);
  return response;
}

function deleteAll(request: WsgiRequest): WsgiResponse {
  const response = toList(request);
  for (const [name] of pickSome(request))
    setGivenCookie(response, name, '', { expires: new Date(0), maxAgeSeconds: 0 });
  return response;
}

/** The first value of each name in the query. */
function pickSome({ query }: WsgiRequest): [name: string, value: string][] {
  if (query.size > MAX_COOKIES) throw new BadRequest(`More than ${MAX_COOKIES} cookies at once`);
  return Object.entries(query.toObject());
}

const router = new Router()
  .get('', ({ cookies }) => prettyJson({ cookies }))
  .get('/set', setAll)
  .get('/set/:name/:value', (request) =>
    setGivenCookie(toList(request), request.params.name, request.params.value),
  )
  .get('/delete', deleteAll);

export const cookies: RouteGroup = {
  title: 'Cookies',
  prefix: '/cookies',
  router,
  routes: [
    { method: 'GET', path: '', text: 'Those that you sent' },
    { method: 'GET', path: '/set', text: 'Sets some', example: '/set?star=Regor&colour=blue' },
    { method: 'GET', path: '/set/:name/:value', text: 'Sets one', example: '/set/star/Suhail' },
    { method: 'GET', path: '/delete', text: 'Deletes some', example: '/delete?star&colour' },
  ],
};

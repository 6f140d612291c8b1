/** Single facts of a request. */
import { Router } from 'vela';
import { describeHeaders } from '../describe-request.js';
import { prettyJson } from '../pretty-json.js';
import type { RouteGroup } from '../route-group.js';

const router = new Router()
  .get('/headers', (request) => prettyJson({ headers: describeHeaders(request) }))
  .get('/ip', (request) => prettyJson({ origin: request.clientAddress }))
  .get('/user-agent', (request) => prettyJson({ 'user-agent': request.header('user-agent') ?? null }));

export const requestFacts: RouteGroup = {
  title: 'Request inspection',
  prefix: '/',
  router,
  routes: [
    { method: 'GET', path: '/headers', text: 'The headers that arrived' },
    { method: 'GET', path: '/ip', text: 'The address that you come from' },
    { method: 'GET', path: '/user-agent', text: 'Which program you use' },
  ],
};

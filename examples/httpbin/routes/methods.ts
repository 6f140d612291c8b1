/** Requests of each method, told back to whoever sent them. */
import { Router } from 'vela';
import { describeHead, describeRequest } from '../describe-request.js';
import { prettyJson } from '../pretty-json.js';
import { ANY_METHOD, type RouteGroup } from '../route-group.js';

const router = new Router();
router.get('/get', (request) => prettyJson(describeHead(request)));
for (const method of ['post', 'put', 'patch', 'delete'] as const)
  router[method](`/${method}`, async (request) => prettyJson(await describeRequest(request)));
router.on(ANY_METHOD)('/anything{/*path}', async (request) =>
  prettyJson({ ...(await describeRequest(request)), method: request.method }),
);

const body = '{"hello": "world"}';
const headers = { 'Content-Type': 'application/json' };

export const methods: RouteGroup = {
  title: 'Methods',
  prefix: '/',
  router,
  routes: [
    { method: 'GET', path: '/get', text: 'The request, told back', example: '/get?a=1&a=2&b=%C3%BC' },
    { method: 'POST', path: '/post', text: 'With its body: a form, files, JSON, or data', headers, body },
    { method: 'PUT', path: '/put', text: 'The same for PUT', headers, body },
    { method: 'PATCH', path: '/patch', text: 'The same for PATCH', headers, body },
    { method: 'DELETE', path: '/delete', text: 'The same for DELETE' },
    {
      method: 'ANY',
      path: '/anything{/*path}',
      text: 'Whatever the method and the path',
      example: '/anything/you/like?x=1',
    },
  ],
};

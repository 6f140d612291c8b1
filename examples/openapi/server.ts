/**
 * A JSON API that describes itself: users, validated by zod, and the OpenAPI document of its routes. Open /docs to read it
 * and to try it out.
 */
import { Router, redirect, WsgiHandler, WsgiServer } from 'vela';
import { secureHeaders } from 'vela/middleware';
import { openapiRoutes } from 'vela/openapi';
import { users } from './users.js';

const home = new Router().get('/', () => redirect('/docs'));

const docs = openapiRoutes(users, {
  info: {
    title: 'Users',
    version: '1.0.0',
    description: 'What Vela makes of the routes in `examples/openapi/users.ts`.',
  },
  tags: [{ name: 'users', description: 'Kept in memory, a thousand at the most' }],
});

await new WsgiServer(new WsgiHandler([secureHeaders(), docs, users, home])).start();

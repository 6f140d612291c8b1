import { randomBytes } from 'node:crypto';
import { Http404, Router, reply, WsgiResponse } from 'vela';
import type { z } from 'zod';
import { Conflict, Filter, NewUser, User } from './schemas.js';

type StoredUser = z.output<typeof User> & { readonly secret: string };

const MAX_USERS = 1000;
const stored = new Map<number, StoredUser>();
let lastId = 0;

function find(id: number): StoredUser {
  const user = stored.get(id);
  if (user === undefined) throw new Http404(`There is no user ${id}`);
  return user;
}

const hasMail = (mail: string | undefined, id?: number) =>
  [...stored.values()].some((user) => user.mail === mail && user.id !== id);
const taken = (mail: string | undefined) => reply(409, { why: `Somebody has the address ${mail}` });
const openapi = { tags: ['users'] };
const params = { id: 'int' } as const;

/** Users, kept in memory. Types, checks and the OpenAPI document all follow from the schemas. */
export const users = new Router();

users.get(
  '/users',
  {
    name: 'listUsers',
    query: Filter,
    response: User.array(),
    openapi: { ...openapi, summary: 'List users' },
  },
  ({ valid: { query } }) =>
    [...stored.values()]
      .filter(({ role }) => query.role.length === 0 || query.role.includes(role))
      .slice(0, query.limit),
);

users.post(
  '/users',
  {
    name: 'addUser',
    body: NewUser,
    response: { 201: User, 409: Conflict },
    openapi: { ...openapi, summary: 'Add a user' },
  },
  ({ valid }) => {
    const { mail } = valid.body;
    if (hasMail(mail)) return taken(mail);
    if (stored.size >= MAX_USERS) return reply(409, { why: `There are ${MAX_USERS} users` });
    const id = ++lastId;
    const secret = randomBytes(16).toString('hex');
    const user = { ...valid.body, id, secret, created: new Date().toISOString() };
    stored.set(id, user);
    return reply(201, user, { headers: [['Location', users.url('showUser', { id })]] });
  },
);

users.get(
  '/users/:id',
  { name: 'showUser', params, response: User, openapi: { ...openapi, summary: 'Show a user' } },
  (request) => find(request.params.id),
);

users.put(
  '/users/:id',
  {
    name: 'replaceUser',
    params,
    body: NewUser,
    response: { 200: User, 409: Conflict },
    openapi: { ...openapi, summary: 'Replace a user' },
  },
  (request) => {
    const { id } = request.params;
    const { body } = request.valid;
    if (hasMail(body.mail, id)) return taken(body.mail);
    const user = { ...find(id), ...body };
    stored.set(id, user);
    return user;
  },
);

users.delete(
  '/users/:id',
  { name: 'deleteUser', params, response: { 204: null }, openapi: { ...openapi, summary: 'Delete a user' } },
  (request) => {
    stored.delete(find(request.params.id).id);
    return new WsgiResponse({ status: 204 });
  },
);

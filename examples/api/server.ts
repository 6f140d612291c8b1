/**
 * A JSON API of notes: a bearer token, limits, validation, and ETags, so that nobody overwrites what they have not seen.
 * Open / for how to use it. API_TOKEN is the token; `--access-log common`, or a format, changes the log's lines.
 */
import {
  type Environ,
  equalText,
  Http404,
  HttpError,
  json,
  MethodNotAllowed,
  type Middleware,
  requestOf,
  WsgiHandler,
  WsgiResponse,
  WsgiServer,
} from 'vela';
import {
  accessLog,
  authenticate,
  bodyLimit,
  cleanPath,
  compress,
  cors,
  decodeBody,
  type ErrorRenderer,
  errorPage,
  etag,
  evaluatePreconditions,
  health,
  mount,
  proxyHeaders,
  rateLimit,
  readPreconditions,
  requestId,
  serverTiming,
  timeout,
} from 'vela/middleware';
import { homePage } from './home-page.js';
import { type NoteFields, noteSchema } from './note-schema.js';

interface Note extends NoteFields {
  readonly id: number;
  readonly version: number;
}

const MAX_NOTES = 1000;
const notes = new Map<number, Note>();
let lastId = 0;

function checkRoom(): void {
  if (notes.size >= MAX_NOTES) throw new Error(`there are ${MAX_NOTES} notes`);
}

const tagOf = (note: Note) => `"${note.id}.${note.version}"`;
const show = (note: Note, status = 200) => json(note, { status, headers: [['ETag', tagOf(note)]] });

/** Refuses a change that does not say what it changes (428, RFC 6585), or that somebody else was faster than (412). */
function requireUnchanged(conditions: ReturnType<typeof readPreconditions>, note: Note): void {
  if (conditions?.ifMatch === undefined) throw new HttpError(428, 'Send the ETag of the note as If-Match');
  if (evaluatePreconditions(conditions, { etag: tagOf(note) }) !== undefined)
    throw new HttpError(412, 'The note has changed meanwhile', { headers: [['ETag', tagOf(note)]] });
}

async function collection(environ: Environ): Promise<WsgiResponse> {
  const request = requestOf(environ);
  switch (request.method) {
    case 'GET':
    case 'HEAD': {
      const tags = request.query.getAll('tag');
      const found = [...notes.values()].filter((note) => tags.every((tag) => note.tags.includes(tag)));
      return json({ notes: found });
    }
    case 'POST': {
      const { SCRIPT_NAME } = environ;
      const fields = await request.json({ schema: noteSchema });
      if (notes.size >= MAX_NOTES) throw new HttpError(409, `There are ${MAX_NOTES} notes: delete one first`);
      const note = { ...fields, id: ++lastId, version: 1 };
      notes.set(note.id, note);
      return show(note, 201).setHeader('Location', `${SCRIPT_NAME}/notes/${note.id}`);
    }
    default:
      throw new MethodNotAllowed(['GET', 'HEAD', 'POST']);
  }
}

async function one(environ: Environ, id: number): Promise<WsgiResponse> {
  const request = requestOf(environ);
  const conditions = readPreconditions(environ);
  const note = notes.get(id);
  if (note === undefined) throw new Http404(`There is no note ${id}`);
  switch (request.method) {
    case 'GET':
    case 'HEAD':
      return show(note);
    case 'PUT': {
      requireUnchanged(conditions, note);
      const fields = await request.json({ schema: noteSchema });
      // Somebody else may have changed it while the body came.
      const current = notes.get(id);
      if (current === undefined) throw new Http404(`There is no note ${id}`);
      requireUnchanged(conditions, current);
      const changed = { ...fields, id, version: current.version + 1 };
      notes.set(id, changed);
      return show(changed);
    }
    case 'DELETE':
      requireUnchanged(conditions, note);
      notes.delete(id);
      return new WsgiResponse({ status: 204 });
    default:
      throw new MethodNotAllowed(['GET', 'HEAD', 'PUT', 'DELETE']);
  }
}

const route: Middleware = (environ) => {
  if (environ.PATH_INFO === '/notes') return collection(environ);
  const id = /^\/notes\/(\d{1,9})$/.exec(environ.PATH_INFO)?.[1];
  return id === undefined ? undefined : one(environ, Number(id));
};

/** Problem details (RFC 9457). */
const problem: ErrorRenderer = ({ status, reason, message, details, requestId: id }) => {
  const errors = details.length === 0 ? {} : { errors: details };
  return { type: 'about:blank', title: reason, status, detail: message, requestId: id, ...errors };
};

// A handler's response middleware sees what its own middleware return and throw, so both handlers are given it.
const responseMiddleware = [
  errorPage({ pages: { default: { 'application/problem+json': problem, 'application/json': problem } } }),
  // A compressed note would have a weak ETag, which If-Match does not take.
  compress({ skip: (_environ, response) => response.getHeader('etag') !== undefined }),
  etag(),
];

const token = process.env.API_TOKEN ?? 'secret';
const v1 = new WsgiHandler(
  [
    cors({
      origins: ['https://app.example'],
      headers: ['Authorization', 'Content-Type', 'If-Match'],
      exposeHeaders: ['ETag', 'Location', 'RateLimit', 'Retry-After'],
    }),
    rateLimit({ limit: 120, windowMs: 60_000 }),
    authenticate({ scheme: 'bearer', realm: 'notes', verify: (given) => equalText(given, token) && 'owner' }),
    bodyLimit({ limitBytes: 65_536 }),
    decodeBody({ limitBytes: 65_536 }),
    route,
  ],
  { responseMiddleware },
);

const flags = process.argv.slice(2);
const at = flags.indexOf('--access-log');
const [, format = 'json'] = at === -1 ? [] : flags.splice(at, 2);

const app = new WsgiHandler(
  [
    health({ checks: { room: checkRoom } }),
    requestId(),
    accessLog({ format }),
    proxyHeaders({ trusted: ['loopback'] }),
    serverTiming(),
    timeout({ timeoutMs: 10_000 }),
    cleanPath(),
    mount('/v1', v1),
    (environ) => (environ.PATH_INFO === '/' ? homePage(environ) : undefined),
  ],
  { responseMiddleware },
);

await new WsgiServer(app).start(flags);

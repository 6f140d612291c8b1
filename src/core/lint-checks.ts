import { VelaError } from './errors.js';

/** One rule of the contract: its text stands in docs/spec.md, its id in the error of {@link lint}. */
interface Rule {
  readonly section: 'Applications' | 'The environ' | 'startResponse' | 'The body' | 'Middleware';
  readonly text: string;
}

/** The contract, rule by rule. docs/spec.md is generated from this table; lint enforces each rule at run time. */
export const RULES = {
  'app-callable': {
    section: 'Applications',
    text: 'An application is a function `(environ, startResponse)`, or an object whose `handle` is one.',
  },
  'app-headers': {
    section: 'Applications',
    text: 'The `headers` of an application, where it has any, are an array of names of request headers in HTTP spelling, such as `user-agent`; of headers, only these are read after an await.',
  },
  'app-arguments': {
    section: 'Applications',
    text: 'An application is called with exactly two arguments, by position.',
  },
  'app-result': {
    section: 'Applications',
    text: 'An application returns a body, a WsgiResponse or `TAKEN`, or a promise of one of these. One that returns nothing is taken for a middleware by `lint`, and answered 500 by a server.',
  },
  'environ-object': {
    section: 'The environ',
    text: '`environ` is an object that the application may change.',
  },
  'environ-cgi': {
    section: 'The environ',
    text: '`REQUEST_METHOD`, `SCRIPT_NAME`, `PATH_INFO`, `QUERY_STRING`, `RAW_URI`, `CONTENT_TYPE`, `CONTENT_LENGTH`, `SERVER_NAME`, `SERVER_PORT`, `SERVER_PROTOCOL` and `REMOTE_ADDR` are there, and are strings.',
  },
  'environ-method': { section: 'The environ', text: '`REQUEST_METHOD` is a token (RFC 9110 §9.1).' },
  'environ-script-name': {
    section: 'The environ',
    text: '`SCRIPT_NAME` is empty, or begins with `/` and does not end with `/`.',
  },
  'environ-path-info': {
    section: 'The environ',
    text: '`PATH_INFO` is empty, begins with `/`, or is `*`; it is percent-decoded once, as UTF-8.',
  },
  'environ-content-length': { section: 'The environ', text: '`CONTENT_LENGTH` is empty or a whole number.' },
  'environ-server-port': {
    section: 'The environ',
    text: '`SERVER_NAME` is not empty, and `SERVER_PORT` is a number.',
  },
  'environ-http': {
    section: 'The environ',
    text: 'A request header is a string under `HTTP_` and its name in upper case with `_` for `-`. Content-Type and Content-Length have their CGI names only.',
  },
  'environ-wsgi': {
    section: 'The environ',
    text: '`wsgi.version` is `[1, 0]`, `wsgi.url_scheme` `http` or `https`; `wsgi.multithread`, `wsgi.multiprocess`, `wsgi.run_once` are booleans, and `wsgi.async` is true.',
  },
  'environ-input': {
    section: 'The environ',
    text: '`wsgi.input` has `read`, `readline`, `readlines`, `readSync`, `load` and an async iterator.',
  },
  'environ-errors': { section: 'The environ', text: '`wsgi.errors` has `write`, `writelines` and `flush`.' },
  'environ-vela': {
    section: 'The environ',
    text: '`vela.signal` and `vela.stopping` are AbortSignals, `vela.cfg` an object, `vela.logger` has `debug`, `info`, `warn` and `error`, `vela.response` has `onStart`, `onEnd` and `fail`, and `vela.request_id` and `vela.raw_path` are strings.',
  },
  'environ-delete': {
    section: 'The environ',
    text: 'A key is removed by assigning `undefined`, never by `delete`, which a lazy environ does not see.',
  },
  'start-arguments': {
    section: 'startResponse',
    text: '`startResponse` is called with a status, headers and, when it replaces an earlier call, the error as `excInfo`.',
  },
  'start-status': {
    section: 'startResponse',
    text: 'The status is three digits from 200 to 599, a space and a reason in ASCII: `200 OK`.',
  },
  'start-headers': {
    section: 'startResponse',
    text: 'The headers are an array of `[name, value]` pairs of strings: names are tokens (RFC 9110 §5.1); values have no control characters but tab, and none above ISO-8859-1 (RFC 9110 §5.5).',
  },
  'start-hop-by-hop': {
    section: 'startResponse',
    text: 'No header belongs to the connection: Connection, Keep-Alive, Proxy-Authenticate, Proxy-Authorization, Proxy-Connection, TE, Trailer, Transfer-Encoding and Upgrade are the server’s (RFC 9110 §7.6.1).',
  },
  'start-status-header': { section: 'startResponse', text: 'No header is named `Status`.' },
  'start-content-type': {
    section: 'startResponse',
    text: 'A response that has content says its Content-Type; a 204 or 304 has none.',
  },
  'start-unchanged': {
    section: 'startResponse',
    text: 'The array of headers is not changed after it was given to `startResponse`.',
  },
  'start-twice': {
    section: 'startResponse',
    text: '`startResponse` is called again only with `excInfo`; that replaces a response of which nothing is sent, and cuts one that is under way.',
  },
  'start-before-body': {
    section: 'startResponse',
    text: '`startResponse` is called before the body yields its first chunk that is not empty, and before the body ends.',
  },
  'start-write': {
    section: 'startResponse',
    text: '`startResponse` returns `write(chunk)`; a promise that `write` returns is back-pressure.',
  },
  'body-iterable': {
    section: 'The body',
    text: 'The body is iterable or async iterable, and neither a bare string nor bare bytes.',
  },
  'body-chunks': {
    section: 'The body',
    text: 'The body yields strings, sent as UTF-8, and Uint8Arrays, or promises of these.',
  },
  'body-memory': {
    section: 'The body',
    text: 'The memory of a chunk of 65,536 bytes or more is not changed before it has left: until the promise that `write` gave resolves, or the next chunk is asked for.',
  },
  'body-length': {
    section: 'The body',
    text: 'A stated Content-Length is the number of bytes that the body has. HEAD, 204, 205 and 304 send no body.',
  },
  'body-once': { section: 'The body', text: 'The body is iterated once, and not after it was closed.' },
  'body-close': {
    section: 'The body',
    text: 'The `close()` of the body, else its `return()`, is called exactly once on every path: at the end, after an error, when the client goes away.',
  },
  'middleware-nothing': {
    section: 'Middleware',
    text: 'A middleware that passes a request on returns `undefined` or `null`, and has not called `startResponse`.',
  },
} as const satisfies Record<string, Rule>;

/** The id of a rule. */
export type RuleId = keyof typeof RULES;

/** Throws unless a rule holds. */
export function check(id: RuleId, holds: boolean, received: string): asserts holds {
  if (holds) return;
  throw new VelaError('ERR_LINT', `${id}: ${RULES[id].text} Received ${received}.`);
}

/** Throws what a server would say, as the breach of a rule. */
export function breach(id: RuleId, error: Error): never {
  throw new VelaError('ERR_LINT', `${id}: ${error.message}`);
}

/** The contract as Markdown: docs/spec.md. */
export function formatSpec(): string {
  const sections = [...new Set(Object.values(RULES).map((rule) => rule.section))];
  const parts = sections.map((section) => {
    const rules = Object.entries(RULES).filter(([, rule]) => rule.section === section);
    return `## ${section}\n\n${rules.map(([id, { text }]) => `- ${text} <sup>\`${id}\`</sup>`).join('\n')}\n`;
  });
  return `# The contract\n\nGenerated from the checks of \`lint\` (src/core/lint-checks.ts) by \`npm run spec\`; the id behind a rule is that of its check.\n\n${parts.join('\n')}`;
}

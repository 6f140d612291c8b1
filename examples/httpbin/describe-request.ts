import { environKeys, HttpError, MultiDict, type WsgiRequest } from 'vela';

/** Largest form with files, in bytes: as large as other bodies may be when nothing is said. */
const MAX_FORM_BYTES = 1_048_576;
/** What proxies add. Shown with `?show_env` only, as it says nothing of the client. */
const PROXY_HEADERS: ReadonlySet<string> = new Set([
  'Via',
  'X-Forwarded-For',
  'X-Forwarded-Host',
  'X-Forwarded-Port',
  'X-Forwarded-Proto',
  'X-Real-Ip',
  'X-Request-Id',
  'X-Request-Start',
]);

/** The body as httpbin.org tells of it. */
export interface DescribedBody {
  /** Text, or a data: URL of what is no UTF-8; `''` for a form. */
  readonly data: string;
  readonly files: MultiDict;
  readonly form: MultiDict;
  /** The value of `data` as JSON, null where it is none. */
  readonly json: unknown;
}

/** What a request says before its body. */
export function describeHead(request: WsgiRequest) {
  return {
    args: request.query,
    headers: describeHeaders(request),
    origin: request.clientAddress,
    url: request.url,
  };
}

/** All of a request. Headers are read at once, as some may be gone after an await. */
export async function describeRequest(request: WsgiRequest) {
  return { ...describeHead(request), ...(await describeBody(request)) };
}

/** The headers, their names in Title-Case. Which case they came in, a gateway does not know. */
export function describeHeaders({ environ, query }: WsgiRequest): Record<string, string> {
  const headers: Record<string, string> = Object.create(null);
  for (const key of environKeys(environ)) {
    const isHeader = key.startsWith('HTTP_') || key === 'CONTENT_TYPE' || key === 'CONTENT_LENGTH';
    const value = isHeader ? environ[key] : undefined;
    if (typeof value !== 'string' || value === '') continue;
    const name = titleCase(key.replace(/^HTTP_/, ''));
    if (query.has('show_env') || !PROXY_HEADERS.has(name)) headers[name] = value;
  }
  return headers;
}

async function describeBody(request: WsgiRequest): Promise<DescribedBody> {
  const { type } = request.contentType;
  const none = { data: '', files: new MultiDict(), form: new MultiDict(), json: null };
  if (type === 'application/x-www-form-urlencoded') return { ...none, form: await request.form() };
  if (type === 'multipart/form-data') return { ...none, ...(await describeParts(request)) };
  const bytes = await request.bytes();
  // The body was read, and is there for json() too. What is no JSON is shown as data all the same.
  const json = await request.json({ anyContentType: true }).catch(nullForRefusal);
  return { ...none, data: showBytes(bytes), json };
}

async function describeParts(request: WsgiRequest): Promise<Pick<DescribedBody, 'files' | 'form'>> {
  const files: [string, string][] = [];
  const fields: [string, string][] = [];
  for await (const part of request.multipart({ limits: { totalBytes: MAX_FORM_BYTES } })) {
    if (part.isFile) files.push([part.name, showBytes(await part.bytes(), part.contentType)]);
    else fields.push([part.name, await part.text()]);
  }
  return { files: new MultiDict(files), form: new MultiDict(fields) };
}

function nullForRefusal(error: unknown): null {
  if (error instanceof HttpError) return null;
  throw error;
}

/** JSON holds text only: bytes that are none become a data: URL (RFC 2397). */
function showBytes(bytes: Buffer, type = 'application/octet-stream'): string {
  const text = bytes.toString();
  return Buffer.from(text).equals(bytes) ? text : `data:${type};base64,${bytes.toString('base64')}`;
}

function titleCase(key: string): string {
  return key
    .toLowerCase()
    .split('_')
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join('-');
}

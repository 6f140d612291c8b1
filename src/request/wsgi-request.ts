import { parseCookie } from 'cookie';
import Negotiator from 'negotiator';
import type { Environ, ServerConfig } from '../core/contract.js';
import { cutList } from '../core/cut-list.js';
import { BadRequest } from '../core/http-error.js';
import type { Logger } from '../core/logger.js';
import { OwnKeys } from '../core/own-keys.js';
import { WsgiResponse } from '../core/wsgi-response.js';
import type { DataAndFiles } from './data-and-files.js';
import type { FormPart } from './form-part.js';
import { type MediaType, parseMediaType } from './media-type.js';
import { MultiDict } from './multi-dict.js';
import { type BytesOptions, readBytes } from './read-bytes.js';
import { type DataAndFilesOptions, readDataAndFiles } from './read-data-and-files.js';
import { type FormOptions, readForm } from './read-form.js';
import { type JsonOptions, readJson } from './read-json.js';
import { type MultipartOptions, readMultipart } from './read-multipart.js';
import { readText } from './read-text.js';
import type { SchemaOutput, StandardSchemaV1 } from './standard-schema.js';

/** More parameters than this in a query are refused with 400. */
const MAX_QUERY_PARAMETERS = 1000;
/** More cookies than this are refused with 400. Browsers keep 180 for a site at the most. */
const MAX_COOKIES = 300;

/**
 * The request as handlers like to read it. Everything is parsed when it is asked for the first time, and kept.
 * @example const name = requestOf(environ).query.get('name');
 */
export class WsgiRequest {
  readonly environ: Environ;
  #query: MultiDict | undefined;
  #cookies: Readonly<Record<string, string>> | undefined;
  #contentType: MediaType | undefined;
  #negotiator: Negotiator | undefined;
  #state: Record<string, unknown> | undefined;
  #response: WsgiResponse | undefined;

  /** Use {@link requestOf}, so that all handlers of a request share one. */
  constructor(environ: Environ) {
    this.environ = environ;
  }

  /** The parameters of the route's path; a route's handler knows their types. */
  get params(): object {
    return this.environ['vela.params'] ?? {};
  }

  /** What the schemas of the route have made of the request; a route's handler knows their types. */
  get valid(): object {
    return this.environ['vela.valid'] ?? {};
  }

  /** The media type to answer with, where the route has `produces`; undefined elsewhere. */
  get responseType(): string | undefined {
    return this.environ['vela.response_type'];
  }

  get method(): string {
    return this.environ.REQUEST_METHOD;
  }

  /** The decoded path, with what leads to this application. @throws {BadRequest} for a malformed escape */
  get path(): string {
    return this.environ.SCRIPT_NAME + this.environ.PATH_INFO;
  }

  /** `http` or `https`. */
  get scheme(): string {
    return this.environ['wsgi.url_scheme'];
  }

  get isSecure(): boolean {
    return this.scheme === 'https';
  }

  /** Host and port as the client named them, else those of the server. */
  get host(): string {
    const { HTTP_HOST, SERVER_NAME, SERVER_PORT } = this.environ;
    return HTTP_HOST ?? `${SERVER_NAME}:${SERVER_PORT}`;
  }

  /** Scheme and host: `https://example.com`. */
  get origin(): string {
    return `${this.scheme}://${this.host}`;
  }

  /** The whole URL, undecoded. */
  get url(): string {
    return `${this.origin}${this.pathAndQuery}`;
  }

  /** Path and query as the client sent them. */
  get pathAndQuery(): string {
    const { SCRIPT_NAME, QUERY_STRING } = this.environ;
    const path = encodeURI(SCRIPT_NAME) + this.environ['vela.raw_path'];
    return QUERY_STRING === '' ? path : `${path}?${QUERY_STRING}`;
  }

  /** The query's parameters. @throws {BadRequest} for more than 1,000 */
  get query(): MultiDict {
    if (this.#query === undefined) {
      const parameters = new URLSearchParams(this.environ.QUERY_STRING);
      if (parameters.size > MAX_QUERY_PARAMETERS)
        throw new BadRequest(`The query has more than ${MAX_QUERY_PARAMETERS} parameters`);
      this.#query = new MultiDict(parameters);
    }
    return this.#query;
  }

  /** The value of a header, whatever its case. */
  header(name: string): string | undefined {
    const { CONTENT_TYPE, CONTENT_LENGTH } = this.environ;
    const key = name.toUpperCase().replaceAll('-', '_');
    const value =
      key === 'CONTENT_TYPE' ? CONTENT_TYPE : key === 'CONTENT_LENGTH' ? CONTENT_LENGTH : undefined;
    return value === undefined ? this.environ[`HTTP_${key}`] : value === '' ? undefined : value;
  }

  /** The cookies, in an object without a prototype. @throws {BadRequest} for more than 300 */
  get cookies(): Readonly<Record<string, string>> {
    if (this.#cookies === undefined) {
      const { HTTP_COOKIE = '' } = this.environ;
      if (countCookies(HTTP_COOKIE) > MAX_COOKIES)
        throw new BadRequest(`There are more than ${MAX_COOKIES} cookies`);
      this.#cookies = Object.assign(Object.create(null), parseCookie(HTTP_COOKIE)) as Record<string, string>;
    }
    return this.#cookies;
  }

  /** What the body is. A Content-Type that cannot be read counts as none. */
  get contentType(): MediaType {
    this.#contentType ??= parseMediaType(this.environ.CONTENT_TYPE);
    return this.#contentType;
  }

  /** The value of a JSON body. @throws {HttpError} see {@link readJson} */
  json<S extends StandardSchemaV1>(options: JsonOptions<S> & { schema: S }): Promise<SchemaOutput<S>>;
  json(options?: JsonOptions): Promise<unknown>;
  json(options?: JsonOptions): Promise<unknown> {
    return readJson(this.environ, options);
  }

  /** The fields of a form without files. @throws {HttpError} see {@link readForm} */
  form(options?: FormOptions): Promise<MultiDict> {
    return readForm(this.environ, options);
  }

  /** The body as text. @throws {HttpError} see {@link readText} */
  text(options?: BytesOptions): Promise<string> {
    return readText(this.environ, options);
  }

  /** The body as it came. @throws {PayloadTooLarge} see {@link readBytes} */
  bytes(options?: BytesOptions): Promise<Buffer> {
    return readBytes(this.environ, options);
  }

  /** The parts of a multipart form, as they come. @throws {HttpError} see {@link readMultipart} */
  multipart(options?: MultipartOptions): AsyncIterableIterator<FormPart> {
    return readMultipart(this.environ, options);
  }

  /** JSON, a form or bytes, and files. @throws {HttpError} see {@link readDataAndFiles} */
  dataAndFiles(options?: DataAndFilesOptions): Promise<DataAndFiles> {
    return readDataAndFiles(this.environ, options);
  }

  /**
   * The best of the media types for this client (RFC 9110 §12.5.1); undefined when it takes none of them. Of long headers
   * the first 32 elements and 1,024 characters count.
   */
  accepts(...types: string[]): string | undefined {
    return this.#negotiate().mediaType(types);
  }

  /** The best of the languages (RFC 9110 §12.5.4). */
  acceptsLanguages(...languages: string[]): string | undefined {
    return this.#negotiate().language(languages);
  }

  /** The best of the content codings (RFC 9110 §12.5.3). `identity` is taken unless it is refused. */
  acceptsEncodings(...encodings: string[]): string | undefined {
    return this.#negotiate().encoding(encodings);
  }

  /** The client's address: that of the connection, or, behind `proxyHeaders`, what a trusted proxy says. */
  get clientAddress(): string {
    return this.environ.REMOTE_ADDR;
  }

  /** Asked for by a script, as most libraries say (`X-Requested-With: XMLHttpRequest`). */
  get isXhr(): boolean {
    return this.environ.HTTP_X_REQUESTED_WITH?.toLowerCase() === 'xmlhttprequest';
  }

  /** Aborts when the client goes away, a deadline passes, or a stopping server waits no longer. */
  get signal(): AbortSignal {
    return this.environ['vela.signal'];
  }

  get id(): string {
    return this.environ['vela.request_id'];
  }

  get logger(): Logger {
    return this.environ['vela.logger'];
  }

  get config(): ServerConfig {
    return this.environ['vela.cfg'];
  }

  /** Where handlers of this request leave things for one another; no prototype. */
  get state(): Record<string, unknown> {
    this.#state ??= Object.create(null) as Record<string, unknown>;
    return this.#state;
  }

  /** A response that handlers of this request build together; it counts when one of them returns it. */
  get response(): WsgiResponse {
    this.#response ??= new WsgiResponse();
    return this.#response;
  }

  #negotiate(): Negotiator {
    if (this.#negotiator === undefined) {
      const { HTTP_ACCEPT, HTTP_ACCEPT_LANGUAGE, HTTP_ACCEPT_ENCODING } = this.environ;
      this.#negotiator = new Negotiator({
        headers: {
          accept: HTTP_ACCEPT && cutList(HTTP_ACCEPT),
          'accept-language': HTTP_ACCEPT_LANGUAGE && cutList(HTTP_ACCEPT_LANGUAGE),
          'accept-encoding': HTTP_ACCEPT_ENCODING && cutList(HTTP_ACCEPT_ENCODING),
        },
      });
    }
    return this.#negotiator;
  }
}

/** The one WsgiRequest of a request. */
export function requestOf(environ: Environ): WsgiRequest {
  // Read where it is not, the key would be looked for along the prototype chain, which takes 100 ns.
  const known = Object.hasOwn(environ, 'vela.request') ? environ['vela.request'] : undefined;
  if (known instanceof WsgiRequest) return known;
  const request = new WsgiRequest(environ);
  new RequestKey(environ, request);
  return request;
}

class RequestKey extends OwnKeys {
  'vela.request': WsgiRequest;

  constructor(environ: Environ, request: WsgiRequest) {
    super(environ);
    this['vela.request'] = request;
  }
}

function countCookies(header: string): number {
  let count = 1;
  for (let at = header.indexOf(';'); at !== -1; at = header.indexOf(';', at + 1)) count++;
  return count;
}

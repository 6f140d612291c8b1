import { stat } from 'node:fs/promises';
import type { Environ, MiddlewareResult, Part, PartDescription } from '../core/contract.js';
import { ImproperlyConfigured, toError } from '../core/errors.js';
import { Http404, MethodNotAllowed } from '../core/http-error.js';
import { WsgiResponse } from '../core/wsgi-response.js';
import { redirect } from '../response/redirect.js';
import { describeFile } from './described-file.js';
import type { HotFile } from './file-cache.js';
import { type FileRequest, readFileRequest } from './file-request.js';
import { findFileType } from './file-type.js';
import { type FoundMedia, findMedia } from './find-media.js';
import { listFolder } from './listing.js';
import { type MediaRouterOptions, type MediaTerms, resolveMediaOptions } from './media-options.js';
import { type MediaPath, parseMediaPath } from './media-path.js';
import { acceptedCodings, type Coding, chooseCoded } from './precompressed.js';
import { readHot } from './read-hot.js';
import { sendBytes, sendOpen } from './send-file.js';

/** What is not the same decoded, or is refused. */
const UNPLAIN = /[%\x7f-\uffff]/;
const METHODS = ['GET', 'HEAD', 'OPTIONS'] as const;
/** A request whose answer hangs on its method alone. */
const plain = (method: string): FileRequest => ({
  method,
  conditions: undefined,
  range: undefined,
  ifRange: undefined,
});

/** A request, and what it asks for. */
interface MediaRequest {
  readonly request: FileRequest;
  readonly path: MediaPath;
  readonly codings: readonly Coding[];
  readonly key: string;
  /** Where the same with a slash is. */
  readonly withSlash: string;
}

/** A middleware that sends the files of a folder: see docs/static.md. Small files that are asked for often are answered from memory, without a wait. */
export class MediaRouter implements Part {
  /** What else is read of a request is read before the first wait; error pages look at Accept. */
  readonly headers = ['accept'] as const;
  readonly #terms: MediaTerms;

  /** @throws {TypeError} for options that are unknown or wrong */
  constructor(options: MediaRouterOptions) {
    this.#terms = resolveMediaOptions(options);
  }

  /** The folder must be there when the server starts. @throws {ImproperlyConfigured} */
  async start(): Promise<void> {
    const { path } = this.#terms.root;
    const stats = await stat(path).catch((cause: unknown) => {
      throw new ImproperlyConfigured(`MediaRouter cannot use its root ${path}: ${toError(cause).message}`, {
        cause,
      });
    });
    if (!stats.isDirectory()) throw new ImproperlyConfigured(`MediaRouter's root ${path} is no folder`);
  }

  async stop(): Promise<void> {
    this.#terms.cache.clear();
  }

  describe(): PartDescription {
    const { root, prefix } = this.#terms;
    return { name: 'MediaRouter', root: root.path, prefix };
  }

  /** Answers a request, or passes it on: the contract's call. */
  handle(environ: Environ): MiddlewareResult | Promise<MiddlewareResult> {
    const terms = this.#terms;
    const rawPath = environ['vela.raw_path'];
    if (!rawPath.startsWith(terms.prefix)) return undefined;
    const rest = rawPath.slice(terms.prefix.length);
    if (rest !== '' && !rest.startsWith('/')) return undefined;
    const method = environ.REQUEST_METHOD;
    if (method !== 'GET' && method !== 'HEAD') return this.#refuseMethod(method);
    const request = readFileRequest(environ);
    const codings = terms.precompressed ? acceptedCodings(environ.HTTP_ACCEPT_ENCODING) : [];
    // Keys are decoded: an escape may spell another path, and bytes that must be escaped are refused.
    const hot = UNPLAIN.test(rest) ? undefined : terms.cache.findFresh(makeKey(codings, rest));
    if (hot !== undefined) return sendBytes(request, hot.file, hot.bytes, terms.maxRanges);
    return this.#look(environ, request, codings, rest);
  }

  #refuseMethod(method: string): WsgiResponse | undefined {
    if (this.#terms.passesOn) return undefined;
    if (method !== 'OPTIONS') throw new MethodNotAllowed(METHODS);
    return new WsgiResponse({ status: 204, headers: [['Allow', METHODS.join(', ')]] });
  }

  /** Takes the path apart: what is not fit to be looked up ends here. */
  #look(
    environ: Environ,
    request: FileRequest,
    codings: readonly Coding[],
    rest: string,
  ): MiddlewareResult | Promise<MiddlewareResult> {
    const { passesOn, servesDotfiles, isServed, cache, maxRanges } = this.#terms;
    let path: MediaPath | undefined;
    try {
      path = parseMediaPath(rest, servesDotfiles);
    } catch (error) {
      if (passesOn) return undefined;
      throw error;
    }
    if (path === undefined) return this.#answerMissing(request);
    const decoded = path.segments.map((segment) => `/${segment}`).join('');
    if (!path.isFolder && (path.segments.at(-1)?.lastIndexOf('.') ?? -1) > 0 && !isServed(decoded))
      return undefined;
    const key = makeKey(codings, path.isFolder ? `${decoded}/` : decoded);
    const hot = cache.findFresh(key);
    if (hot !== undefined) return sendBytes(request, hot.file, hot.bytes, maxRanges);
    return this.#serve({ request, path, codings, key, withSlash: findLocation(environ) });
  }

  async #serve(wanted: MediaRequest): Promise<MiddlewareResult> {
    const { cache, maxRanges } = this.#terms;
    const { request, path, key } = wanted;
    if (cache.findKnown(key) !== undefined) {
      const hot = await cache.check(key, () => this.#checkKnown(wanted));
      if (hot !== undefined) return sendBytes(request, hot.file, hot.bytes, maxRanges);
    }
    const found = await findMedia(this.#terms, path);
    if (found === undefined) return this.#answerMissing(request);
    if (found.kind === 'folder') return listFolder(this.#terms, found.place, path.segments);
    if (found.kind === 'redirect')
      return redirect(wanted.withSlash, { status: 308 }).setHeader('Cache-Control', 'no-cache');
    return this.#send(wanted, found);
  }

  /** Looks whether a known file is still what it was; undefined when it is none of the small ones any more. */
  async #checkKnown({ path, codings, key }: MediaRequest): Promise<HotFile | undefined> {
    const found = await findMedia(this.#terms, path);
    if (found?.kind !== 'file') {
      this.#terms.cache.delete(key);
      return undefined;
    }
    const { hot, open } = await this.#load(found, codings, key);
    if (hot === undefined) await open.handle.close();
    return hot;
  }

  async #send({ request, codings, key }: MediaRequest, found: FoundFile): Promise<WsgiResponse> {
    const { hot, file, open } = await this.#load(found, codings, key);
    if (hot === undefined) return sendOpen(request, file, open, this.#terms);
    return sendBytes(request, file, hot.bytes, this.#terms.maxRanges);
  }

  /** Reads and keeps a small file, and closes it; a large one, or one that changes just now, stays open. */
  async #load(found: FoundFile, codings: readonly Coding[], key: string) {
    const { cache, root, precompressed, types, findCacheControl, download, headers } = this.#terms;
    const { path } = found;
    const { open, coding, varies } = precompressed
      ? await chooseCoded(found.open, codings, root)
      : { open: found.open, coding: '', varies: false };
    let hot: HotFile | undefined;
    try {
      const file = describeFile(open.stats, {
        type: findFileType(path, types),
        coding,
        varies,
        cacheControl: findCacheControl(path),
        download: download && path.slice(path.lastIndexOf('/') + 1),
        headers,
      });
      if (open.stats.size <= cache.maxFileBytes) hot = await readHot(open, file, cache.findKnown(key));
      if (hot === undefined) cache.delete(key);
      else cache.put(key, hot);
      if (hot !== undefined) await open.handle.close();
      return { hot, file, open };
    } catch (error) {
      await open.handle.close();
      throw error;
    }
  }

  /** Passes on, sends the page for it, or throws. */
  #answerMissing(request: FileRequest): Promise<MiddlewareResult> | undefined {
    return this.#terms.passesOn ? undefined : this.#sendNotFoundPage(request);
  }

  async #sendNotFoundPage({ method }: FileRequest): Promise<WsgiResponse> {
    const { notFoundPage, cache, maxRanges } = this.#terms;
    const key = `/${notFoundPage}`;
    const hot = cache.findFresh(key);
    const request = plain(method);
    let response: WsgiResponse;
    if (hot !== undefined) {
      response = sendBytes(request, hot.file, hot.bytes, maxRanges);
    } else {
      const path = { segments: [notFoundPage], isFolder: false };
      const found = notFoundPage === '' ? undefined : await findMedia(this.#terms, path);
      if (found?.kind !== 'file') throw new Http404();
      response = await this.#send({ request, path, codings: [], key, withSlash: '' }, found);
    }
    response.status = 404;
    for (const name of ['ETag', 'Last-Modified', 'Accept-Ranges', 'Content-Disposition', 'Vary'])
      response.deleteHeader(name);
    return response.setHeader('Cache-Control', 'no-cache');
  }
}

type FoundFile = Extract<FoundMedia, { kind: 'file' }>;

function makeKey(codings: readonly Coding[], path: string): string {
  return codings.length === 0 ? path : `${codings.join()}${path}`;
}

/** The path of this request with a slash, and its query. */
function findLocation(environ: Environ): string {
  const { SCRIPT_NAME, QUERY_STRING } = environ;
  const script = encodeURI(SCRIPT_NAME).replaceAll(/[?#]/g, encodeURIComponent);
  const query = QUERY_STRING === '' ? '' : `?${QUERY_STRING}`;
  return `${script}${environ['vela.raw_path']}/${query}`;
}

import { hash } from 'node:crypto';
import { describeValue, refuseUnknown, requireOptions } from '../core/errors.js';
import type { ResponseMiddleware } from '../core/wsgi-handler.js';
import { WsgiResponse } from '../core/wsgi-response.js';
import { isEntityTag } from '../response/entity-tag.js';
import { noteWhole, notModifiedHeaders } from '../response/not-modified.js';
import { evaluatePreconditions, PRECONDITION_HEADERS, readPreconditions } from '../response/preconditions.js';
import { joinContent } from './join-content.js';

/** Options of {@link etag}. */
export interface EtagOptions {
  /**
   * Makes weak tags, `W/"…"`: for content that something behind this middleware changes byte by byte and not in
   * meaning. If-Match and If-Range never match a weak tag. @defaultValue false
   */
  weak?: boolean;
  /** Larger content gets no tag, as making one takes some 0.5 ms a MiB; in bytes, of text in characters. @defaultValue 1 MiB */
  limitBytes?: number;
}

const DEFAULT_LIMIT_BYTES = 1_048_576;
/** 132 bits of the digest, in base64. */
const TAG_LENGTH = 22;

/**
 * Response middleware that gives text, bytes and html`...` an ETag, and answers conditional GET and HEAD requests with 304 or 412
 * (RFC 9110 §13). It comes last, behind whatever changes content. A response that has an ETag or Last-Modified of its
 * own keeps them, and is held against the conditions as well, streams too; `no-store` gets no tag.
 * @example new WsgiHandler([app], { responseMiddleware: [etag()] })
 */
export function etag(options: EtagOptions = {}): ResponseMiddleware {
  const { weak = false, limitBytes = DEFAULT_LIMIT_BYTES, ...unknown } = requireOptions('etag', options);
  refuseUnknown('etag', unknown, ['weak', 'limitBytes']);
  if (typeof weak !== 'boolean')
    throw new TypeError(`Option "weak" must be true or false; received ${describeValue(weak)}`);
  if (!Number.isSafeInteger(limitBytes) || limitBytes < 0)
    throw new TypeError(
      `Option "limitBytes" must be a whole number of bytes; received ${describeValue(limitBytes)}`,
    );

  const etagMiddleware: ResponseMiddleware = (environ, response) => {
    const method = environ.REQUEST_METHOD;
    if (response.status !== 200 || (method !== 'GET' && method !== 'HEAD')) return undefined;
    let tag = response.getHeader('etag');
    let isLeftOut = false;
    if (tag === undefined) {
      const content = findContent(response, limitBytes);
      // A handler may leave out what HEAD does not send: that is no content to make a tag of.
      isLeftOut = method === 'HEAD' && content === '';
      if (content !== undefined && !isLeftOut) {
        tag = makeTag(content, weak);
        response.addHeader('ETag', tag);
      }
    }
    const lastModified = response.getHeader('last-modified');
    const known = tag !== undefined && isEntityTag(tag) ? tag : undefined;
    // What has no tag matches no If-Match but `*` (RFC 9110 §13.1.1); what HEAD left out may have one.
    if (isLeftOut && lastModified === undefined) return undefined;
    const status = evaluatePreconditions(readPreconditions(environ), { etag: known, lastModified });
    return status === undefined ? undefined : answerShort(status, response);
  };
  etagMiddleware.headers = PRECONDITION_HEADERS;
  etagMiddleware.runsOn = 'response';
  return etagMiddleware;
}

/** What a tag is made of; undefined where there is none to make. */
function findContent(response: WsgiResponse, limitBytes: number): string | Uint8Array | undefined {
  if (/\bno-store\b/i.test(response.getHeader('cache-control') ?? '')) return undefined;
  const content = joinContent(response.content);
  return content !== undefined && content.length <= limitBytes ? content : undefined;
}

function makeTag(content: string | Uint8Array, weak: boolean): string {
  const digest = hash('sha256', content, 'base64').slice(0, TAG_LENGTH);
  return `${weak ? 'W/' : ''}"${digest}"`;
}

/** Takes the place of the response, which is then closed. */
function answerShort(status: 304 | 412, response: WsgiResponse): WsgiResponse {
  const headers = notModifiedHeaders(response.headers);
  if (status === 304) {
    const content = joinContent(response.content);
    const bytes =
      content === undefined ? Number(response.getHeader('content-length') ?? -1) : Buffer.byteLength(content);
    return noteWhole(new WsgiResponse({ status, headers }), { headers: response.headers, bytes });
  }
  // A 412 says nothing that caches may keep.
  const kept = headers.filter(([name]) => !/^(?:cache-control|expires|last-modified)$/i.test(name));
  return new WsgiResponse({ status, content: 'Precondition Failed\n', headers: kept });
}

import Negotiator from 'negotiator';
import type { Environ } from '../core/contract.js';
import { cutList } from '../core/cut-list.js';
import { requestOf } from '../request/wsgi-request.js';
import { isInRange } from './media-types.js';
import { varyByAccept } from './vary-by-accept.js';

/** Clients send a few Accept headers, again and again, and to compare one takes microseconds. */
const REMEMBERED = 32;

/** What was chosen for an Accept header. */
export type Choices = Map<string, string | undefined>;

/** What bodies a route takes, and which types it answers with; undefined for any. */
export interface RouteMedia {
  readonly accepts: readonly string[] | undefined;
  readonly produces: readonly string[] | undefined;
  readonly choices: Choices;
}

/**
 * Undefined for a route that asks for neither.
 * @param known - the choices of routes that answer with the same types
 */
export function createMedia(
  accepts: readonly string[] | undefined,
  produces: readonly string[] | undefined,
  known: Map<string, Choices>,
): RouteMedia | undefined {
  if (accepts === undefined && produces === undefined) return undefined;
  const key = JSON.stringify(produces ?? []);
  const choices = known.get(key) ?? new Map<string, string | undefined>();
  known.set(key, choices);
  return { accepts, produces, choices };
}

/** Whether a route takes a request's body: one of its types, or none at all. */
export function takesContent({ accepts }: RouteMedia, environ: Environ): boolean {
  if (accepts === undefined || !hasContent(environ)) return true;
  // RFC 9110 §8.3: what does not say what it is may be anything.
  const type = environ.CONTENT_TYPE === '' ? 'application/octet-stream' : requestOf(environ).contentType.type;
  for (let i = 0; i < accepts.length; i++) if (isInRange(type, accepts[i] as string)) return true;
  return false;
}

/** The best of its types for the client (RFC 9110 §12.5.1), the first among equals; undefined when it takes none. */
export function chooseType({ produces = [], choices }: RouteMedia, environ: Environ): string | undefined {
  const { HTTP_ACCEPT } = environ;
  if (HTTP_ACCEPT === undefined || HTTP_ACCEPT === '') return produces[0];
  const accept = cutList(HTTP_ACCEPT);
  const known = choices.get(accept);
  if (known !== undefined || choices.has(accept)) return known;
  const type = new Negotiator({ headers: { accept } }).mediaType([...produces]);
  if (choices.size >= REMEMBERED) choices.clear();
  choices.set(accept, type);
  return type;
}

/** Whether a route takes what a request sends, and can answer what it asks for. */
export function fitsMedia(media: RouteMedia, environ: Environ): boolean {
  if (!takesContent(media, environ)) return false;
  if (media.produces === undefined) return true;
  // Also where another route answers: it does so because of this header.
  varyByAccept(environ);
  return chooseType(media, environ) !== undefined;
}

function hasContent({ CONTENT_LENGTH, HTTP_TRANSFER_ENCODING }: Environ): boolean {
  return CONTENT_LENGTH === '' ? HTTP_TRANSFER_ENCODING !== undefined : Number(CONTENT_LENGTH) !== 0;
}

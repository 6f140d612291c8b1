import type { Buffer } from 'node:buffer';
import { isInputTaken } from '../core/any-input.js';
import type { Environ, WsgiInput } from '../core/contract.js';
import { VelaError } from '../core/errors.js';

const KEY = 'vela.body';

/** What is known of a request's body, for all who ask for it. */
class BodyState {
  /** The body in memory, or on its way there. */
  bytes: Promise<Buffer> | undefined = undefined;
  /** The wsgi.input that `bytes` stand for: another one in its place is another body. */
  input: WsgiInput | undefined = undefined;
  /** A part-by-part reading of it has begun, which cannot begin twice. */
  isStreamed = false;
  /** What was made of the body, by who made it and with which options. */
  readonly parsed = new Map<string, Promise<unknown>>();
}

/** The state of a request's body. */
export function bodyStateOf(environ: Environ): BodyState {
  const known = environ[KEY];
  if (known instanceof BodyState && (known.input === undefined || known.input === environ['wsgi.input']))
    return known;
  const state = new BodyState();
  environ[KEY] = state;
  return state;
}

/** Does a piece of work once for all who ask; one that fails is done again for the next. */
export function once<T>(state: BodyState, key: string, work: () => Promise<T>): Promise<T> {
  const known = state.parsed.get(key) as Promise<T> | undefined;
  if (known !== undefined) return known;
  const promise = work();
  state.parsed.set(key, promise);
  promise.catch(() => state.parsed.delete(key));
  return promise;
}

/** @throws {VelaError} when the parts of the body are being read, or were */
export function refuseStreamed(state: BodyState): void {
  if (!state.isStreamed) return;
  throw new VelaError(
    'ERR_BODY_STREAMED',
    'The body was read part by part, and is not kept: read it once, with one of multipart(), form() and dataAndFiles()',
  );
}

/** @throws {VelaError} when some of the body was taken from `wsgi.input` itself: what is left is not the body */
export function refuseTaken(environ: Environ): void {
  if (!isInputTaken(environ['wsgi.input'])) return;
  throw new VelaError(
    'ERR_BODY_READ',
    "The body was read from environ['wsgi.input'] before, and is not kept there: read it with requestOf(environ).bytes(), which keeps it for all who ask",
  );
}

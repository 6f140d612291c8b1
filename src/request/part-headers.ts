/** The header lines of a part: names in lower case, the values of each in order, one character a byte. */
export type PartHeaders = Readonly<Record<string, readonly string[]>>;

type RawHeaders = Record<string, string[] | undefined>;

/**
 * Shows the headers of each part before busboy acts on them, and makes busboy hand every part on as a stream.
 *
 * busboy 1.6 keeps the headers to itself, skips parts that it does not understand, and gathers a field as text, cut
 * at a limit. So its header parser, `_hparser`, is met when it first appears; and a part goes on to busboy as
 * `application/octet-stream`, which it takes for a file whatever its name.
 *
 * There is no public way: no event and no option of 1.6 tells of a part's headers, or of a part that it skips, and to read them
 * before it means to find the boundaries too, which is its work. So package.json names one version, and tests hold this to it;
 * with another, a part without its headers is an error (500), never a part that is lost.
 * @param onHeaders - called before busboy's own work
 * @param onDone - called after it: by then the part's `file` event has come, unless busboy could not read its headers
 */
export function showPartHeaders(
  // No type of busboy: it would stand in the published types, and only this repository has it.
  parser: object,
  onHeaders: (headers: PartHeaders) => void,
  onDone: () => void,
): void {
  if (!('_hparser' in parser)) throw new Error('This busboy has no _hparser: install busboy 1.6');
  delete (parser as WatchedParser)._hparser;
  Object.setPrototypeOf(parser, watchedPrototype(Object.getPrototypeOf(parser) as object));
  (parser as WatchedParser)[WATCH] = { current: null, met: undefined, onHeaders, onDone };
}

/** What is known of one parser that is watched. */
interface Watch {
  current: unknown;
  met: object | undefined;
  readonly onHeaders: (headers: PartHeaders) => void;
  readonly onDone: () => void;
}

const WATCH = Symbol('watch');

interface WatchedParser {
  _hparser?: unknown;
  [WATCH]: Watch;
}

let watched: { readonly of: object; readonly prototype: object } | undefined;

/** One for all: an accessor of each parser's own would be a hidden class of its own, which only a full collection finds. */
function watchedPrototype(of: object): object {
  if (watched?.of === of) return watched.prototype;
  const prototype = Object.create(of, {
    _hparser: {
      get(this: WatchedParser) {
        return this[WATCH].current;
      },
      set(this: WatchedParser, value: unknown) {
        meet(this[WATCH], value);
      },
    },
  }) as object;
  watched = { of, prototype };
  return prototype;
}

function meet(watch: Watch, value: unknown): void {
  watch.current = value;
  if (!isHeaderParser(value) || watch.met === value) return;
  watch.met = value;
  const proceed = value.cb;
  const show = (raw: RawHeaders) => {
    watch.onHeaders(copyHeaders(raw));
    raw['content-type'] = ['application/octet-stream'];
    proceed(raw);
    watch.onDone();
  };
  value.cb = show;
}

function isHeaderParser(value: unknown): value is { cb: (headers: RawHeaders) => void } {
  return typeof value === 'object' && value !== null && 'cb' in value && typeof value.cb === 'function';
}

function copyHeaders(raw: RawHeaders): PartHeaders {
  const headers: Record<string, readonly string[]> = Object.create(null);
  for (const [name, values] of Object.entries(raw)) headers[name] = Object.freeze([...(values ?? [])]);
  return Object.freeze(headers);
}

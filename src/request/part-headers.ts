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
  let current: unknown = parser._hparser;
  const met = new Set<object>();
  Object.defineProperty(parser, '_hparser', {
    get: () => current,
    set(value: unknown) {
      current = value;
      if (!isHeaderParser(value) || met.has(value)) return;
      met.add(value);
      const proceed = value.cb;
      value.cb = (raw) => {
        onHeaders(copyHeaders(raw));
        raw['content-type'] = ['application/octet-stream'];
        proceed(raw);
        onDone();
      };
    },
  });
}

function isHeaderParser(value: unknown): value is { cb: (headers: RawHeaders) => void } {
  return typeof value === 'object' && value !== null && 'cb' in value && typeof value.cb === 'function';
}

function copyHeaders(raw: RawHeaders): PartHeaders {
  const headers: Record<string, readonly string[]> = Object.create(null);
  for (const [name, values] of Object.entries(raw)) headers[name] = Object.freeze([...(values ?? [])]);
  return Object.freeze(headers);
}

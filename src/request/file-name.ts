/** Longest name that file systems take, in bytes. */
const MAX_NAME_BYTES = 255;
/** Control characters, and those that turn the direction of text: `exe.txt` may read as `txt.exe` with them. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const HIDDEN = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/**
 * The last part of a file's name, without folders of Unix or Windows and without characters that hide what it is;
 * undefined when nothing is left. It is still the client's word: do not choose a place on disk by it.
 */
export function findBaseName(name: string): string | undefined {
  const base = name.slice(Math.max(name.lastIndexOf('/'), name.lastIndexOf('\\')) + 1);
  const shown = base.replace(HIDDEN, '').trim();
  if (shown === '' || shown === '.' || shown === '..') return undefined;
  return Buffer.byteLength(shown) <= MAX_NAME_BYTES ? shown : shorten(shown);
}

/** Cuts a name at a whole character and keeps its extension. */
function shorten(name: string): string {
  const dot = name.lastIndexOf('.');
  const extension = dot > 0 && name.length - dot <= 16 ? name.slice(dot) : '';
  let left = MAX_NAME_BYTES - Buffer.byteLength(extension);
  let stem = '';
  for (const character of name) {
    left -= Buffer.byteLength(character);
    if (left < 0) break;
    stem += character;
  }
  return stem + extension;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const COMMA = 0x2c;
const COLON = 0x3a;
const MINUS = 0x2d;
const WORDS = ['true', 'false', 'null'] as const;

/** What may come next. */
type Expected = 'value' | 'value or end' | 'key' | 'key or end' | 'colon' | 'comma or end';

/**
 * Where a text stops being JSON (RFC 8259), as a count of characters before that place; -1 when all of it is JSON.
 * `JSON.parse` does not always tell, and quotes the text when it does.
 */
export function findJsonError(text: string): number {
  const open: number[] = [];
  let expected: Expected = 'value';
  let at = 0;
  for (;;) {
    while (isSpace(text.charCodeAt(at))) at++;
    const code = text.charCodeAt(at);
    const container = open.at(-1);
    if (expected === 'comma or end' && container === undefined) return at < text.length ? at : -1;
    if (expected === 'colon') {
      if (code !== COLON) return at;
      at++;
      expected = 'value';
    } else if (expected !== 'value' && expected !== 'key' && code === container) {
      open.pop();
      at++;
      expected = 'comma or end';
    } else if (expected === 'comma or end') {
      if (code !== COMMA) return at;
      at++;
      expected = container === CLOSE_OBJECT ? 'key' : 'value';
    } else if (expected === 'key' || expected === 'key or end') {
      const end = code === QUOTE ? skipString(text, at) : -1 - at;
      if (end < 0) return -1 - end;
      at = end;
      expected = 'colon';
    } else if (code === OPEN_LIST || code === OPEN_OBJECT) {
      open.push(code === OPEN_LIST ? CLOSE_LIST : CLOSE_OBJECT);
      at++;
      expected = code === OPEN_LIST ? 'value or end' : 'key or end';
    } else {
      const end = skipScalar(text, at);
      if (end < 0) return -1 - end;
      at = end;
      expected = 'comma or end';
    }
  }
}

/** The end of a string, number or word; `-1 - place` for an error at that place. */
function skipScalar(text: string, from: number): number {
  const code = text.charCodeAt(from);
  if (code === QUOTE) return skipString(text, from);
  if (code === MINUS || isDigit(code)) return skipNumber(text, from);
  const word = WORDS.find((one) => one.charCodeAt(0) === code);
  if (word === undefined) return -1 - from;
  for (let i = 1; i < word.length; i++) {
    if (text[from + i] !== word[i]) return -1 - (from + i);
  }
  return from + word.length;
}

function skipString(text: string, from: number): number {
  for (let at = from + 1; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) return at + 1;
    if (code < 0x20) return -1 - at;
    if (code !== BACKSLASH) continue;
    at++;
    const escaped = text[at];
    if (escaped === undefined) break;
    if (!'"\\/bfnrtu'.includes(escaped)) return -1 - at;
    if (escaped !== 'u') continue;
    for (const last = at + 4; at < last; ) {
      at++;
      if (at >= text.length || !/[0-9A-Fa-f]/.test(text[at] as string)) return -1 - Math.min(at, text.length);
    }
  }
  return -1 - text.length;
}

function skipNumber(text: string, from: number): number {
  let at = text.charCodeAt(from) === MINUS ? from + 1 : from;
  if (!isDigit(text.charCodeAt(at))) return -1 - at;
  at = text[at] === '0' ? at + 1 : skipDigits(text, at);
  if (text[at] === '.') {
    if (!isDigit(text.charCodeAt(at + 1))) return -1 - (at + 1);
    at = skipDigits(text, at + 1);
  }
  if (text[at] !== 'e' && text[at] !== 'E') return at;
  at++;
  if (text[at] === '+' || text[at] === '-') at++;
  return isDigit(text.charCodeAt(at)) ? skipDigits(text, at) : -1 - at;
}

function skipDigits(text: string, from: number): number {
  let at = from;
  while (isDigit(text.charCodeAt(at))) at++;
  return at;
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}

function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09;
}

import type { FlatToken } from './path-pattern.js';

/** A segment of a pattern, as its place in a tree. */
export type Segment =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'param'; readonly name: string }
  | MixedSegment
  | { readonly kind: 'tail'; readonly name: string };

/** Text and parameters by turns, `:name.:ext`: a text before each parameter, and one at the end, each perhaps empty. */
export interface MixedSegment {
  readonly kind: 'mixed';
  readonly names: readonly string[];
  readonly texts: readonly string[];
}

/**
 * Splits what stands behind the first slash of a pattern at its slashes. Undefined for what only a regular expression can
 * hold: wildcards that do not stand for the whole rest of the path.
 */
export function splitSegments(tokens: readonly FlatToken[]): Segment[] | undefined {
  const segments: Segment[] = [];
  let names: string[] = [];
  let texts = [''];
  const close = () => {
    segments.push(toSegment(names, texts));
    names = [];
    texts = [''];
  };
  for (const [index, token] of tokens.entries()) {
    if (token.type === 'text') {
      const [head = '', ...rest] = token.value.split('/');
      texts[texts.length - 1] += head;
      for (const piece of rest) {
        close();
        texts = [piece];
      }
    } else if (token.type === 'param') {
      names.push(token.name);
      texts.push('');
    } else {
      const isWhole = names.length === 0 && texts[0] === '' && index === tokens.length - 1 && index > 0;
      if (!isWhole) return undefined;
      segments.push({ kind: 'tail', name: token.name });
      return segments.slice(1);
    }
  }
  close();
  // What stands before the first slash is nothing.
  return segments.slice(1);
}

function toSegment(names: readonly string[], texts: readonly string[]): Segment {
  const [text = ''] = texts;
  const [name] = names;
  if (name === undefined) return { kind: 'text', text };
  if (names.length === 1 && texts.every((one) => one === '')) return { kind: 'param', name };
  return { kind: 'mixed', names, texts };
}

/**
 * Finds the parameters of a segment, as path-to-regexp does: each but the last ends before the first text that follows it.
 * @param path - as it is compared
 * @param found - takes the start and the end of each parameter, from `depth` on
 */
export function matchMixed(
  { names, texts }: MixedSegment,
  path: string,
  start: number,
  end: number,
  found: number[],
  depth: number,
): boolean {
  const count = names.length;
  const first = texts[0] as string;
  const last = texts[count] as string;
  const stop = end - last.length;
  if (!path.startsWith(first, start) || !path.startsWith(last, stop)) return false;
  let at = start + first.length;
  for (let i = 1; i < count; i++) {
    const text = texts[i] as string;
    const next = path.indexOf(text, at + 1);
    if (next === -1 || next + text.length > end) return false;
    found[depth + 2 * i - 2] = at;
    found[depth + 2 * i - 1] = next;
    at = next + text.length;
  }
  if (stop <= at) return false;
  found[depth + 2 * count - 2] = at;
  found[depth + 2 * count - 1] = stop;
  return true;
}

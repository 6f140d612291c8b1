import { pathToRegexp } from 'path-to-regexp';
import { createParams, type Params } from './params.js';
import { type Entry, growNode, Node } from './path-node.js';
import { expandPattern, type FlatToken, type PathPattern, type PathPolicy } from './path-pattern.js';
import { readParams, searchTree } from './path-search.js';
import { type MixedSegment, type Segment, splitSegments } from './path-segments.js';

/** The most ways that path-to-regexp lets one pattern have. */
const MAX_WAYS = 256;

/** What was found. */
export interface PathMatch<T> {
  readonly value: T;
  /** To go on behind this match: `find(path, match.rank)`. */
  readonly rank: number;
  /** To go on behind this pattern, in whatever ways it may match. */
  readonly lastRank: number;
  readonly params: Params;
}

/** Paths without parameters. */
interface Static<T> {
  readonly entries: Entry<T>[];
  /** No pattern with parameters comes before the first entry. */
  isFirst: boolean;
}

/**
 * Patterns in the order of their declaration, and the first of them that a path matches, as path-to-regexp's `match` would
 * find it, in a time that does not grow with their number.
 */
export class PathTree<T> {
  readonly #policy: PathPolicy;
  readonly #root = new Node<T>('');
  readonly #statics = new Map<string, Static<T>>();

  constructor(policy: PathPolicy) {
    this.#policy = policy;
  }

  /** @param order - its place in the order of declaration, greater than that of those added before */
  add(pattern: PathPattern, value: T, order: number): void {
    const first = order * MAX_WAYS;
    for (const [way, tokens] of expandPattern(pattern.tokens).entries())
      this.#addWay(tokens, first + way, value);
  }

  /**
   * The first pattern that matches a path, undefined for none.
   * @param path - undecoded
   * @param after - only patterns behind this rank
   * @throws {URIError} for a bad escape in a parameter
   */
  find(path: string, after = -1): PathMatch<T> | undefined {
    const text = this.#policy.sensitive ? path : toLower(path);
    const same = this.#statics.get(text);
    const exact = same === undefined ? undefined : firstAfter(same.entries, after);
    if (exact !== undefined && after === -1 && same?.isFirst === true)
      return { value: exact.value, rank: exact.rank, lastRank: lastWay(exact.rank), params: createParams() };

    const best = searchTree(this.#root, path, text, after, exact);
    if (best === undefined) return undefined;
    if (best === exact) {
      if (after === -1 && same !== undefined) same.isFirst = true;
      return { value: best.value, rank: best.rank, lastRank: lastWay(best.rank), params: createParams() };
    }
    return {
      value: best.value,
      rank: best.rank,
      lastRank: lastWay(best.rank),
      params: readParams(best, path),
    };
  }

  #addWay(tokens: readonly FlatToken[], rank: number, value: T): void {
    const names = tokens.flatMap((token) => (token.type === 'text' ? [] : [token.name]));
    const lists = tokens.flatMap((token) => (token.type === 'text' ? [] : [token.type === 'wildcard']));
    const segments = splitSegments(tokens);
    const last = tokens.at(-1);
    const trailing = this.#policy.trailing && !(last?.type === 'text' && last.value.endsWith('/'));
    const entry = { rank, value, names, lists, trailing, regexp: undefined };
    if (segments === undefined) this.#addRegexp({ ...entry, regexp: this.#compile(tokens) }, tokens);
    else if (names.length === 0) this.#addStatic(entry, tokens);
    else this.#addBranch(entry, segments);
  }

  #compile(tokens: readonly FlatToken[]): RegExp {
    return pathToRegexp({ tokens: [...tokens] }, this.#policy).regexp;
  }

  #addStatic(entry: Entry<T>, tokens: readonly FlatToken[]): void {
    const text = this.#fold(tokens.map((token) => (token.type === 'text' ? token.value : '')).join(''));
    for (const key of entry.trailing ? [text, `${text}/`] : [text]) {
      const known = this.#statics.get(key);
      if (known === undefined) this.#statics.set(key, { entries: [entry], isFirst: false });
      else known.entries.push(entry);
    }
  }

  #addRegexp(entry: Entry<T>, tokens: readonly FlatToken[]): void {
    const [first] = tokens;
    const node = this.#descend(this.#root, first?.type === 'text' ? first.value : '', entry.rank);
    node.regexps.push(entry);
  }

  #addBranch(entry: Entry<T>, segments: readonly Segment[]): void {
    let node = this.#root;
    let text = '/';
    for (const [index, segment] of segments.entries()) {
      if (index > 0) text += '/';
      if (segment.kind === 'text') {
        text += segment.text;
        continue;
      }
      node = this.#descend(node, text, entry.rank);
      text = '';
      if (segment.kind === 'tail') {
        node.tails.push(entry);
        return;
      }
      node = this.#enter(node, segment, entry.rank);
    }
    this.#descend(node, text, entry.rank).ends.push(entry);
  }

  /** The place behind a parameter. */
  #enter(node: Node<T>, segment: MixedSegment | { readonly kind: 'param' }, rank: number): Node<T> {
    let next: Node<T> | undefined;
    if (segment.kind === 'param') {
      node.param ??= new Node<T>('');
      next = node.param;
    } else {
      const folded = { ...segment, texts: segment.texts.map((one) => this.#fold(one)) };
      next = new Node<T>('');
      node.mixed.push({ segment: folded, node: next });
    }
    next.rank = Math.min(next.rank, rank);
    return next;
  }

  /** The place that a text leads to, made where there is none. */
  #descend(from: Node<T>, text: string, rank: number): Node<T> {
    return growNode(from, this.#fold(text), rank);
  }

  #fold(text: string): string {
    return this.#policy.sensitive ? text : text.toLowerCase();
  }
}

function firstAfter<T>(entries: readonly Entry<T>[], after: number): Entry<T> | undefined {
  if (after === -1) return entries[0];
  return entries.find(({ rank }) => rank > after);
}

/** Lower case as a regular expression's `i` has it for patterns in ASCII: no other letter becomes one of these. */
function toLower(path: string): string {
  const lower = path.toLowerCase();
  if (lower === path || !/[^\0-\x7f]/.test(path)) return lower;
  return path.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

/** The last rank that the pattern of a rank has. */
function lastWay(rank: number): number {
  return rank - (rank % MAX_WAYS) + MAX_WAYS - 1;
}

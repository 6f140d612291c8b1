import { pathToRegexp } from 'path-to-regexp';
import type { Params } from './params.js';
import { type Entry, growNode, Node } from './path-node.js';
import { expandPattern, type FlatToken, type PathPattern, type PathPolicy } from './path-pattern.js';
import { readParams, searchTree } from './path-search.js';
import { type MixedSegment, type Segment, splitSegments } from './path-segments.js';

/** The most ways that path-to-regexp lets one pattern have: those of all patterns here were counted. */
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

/**
 * Patterns in the order of their declaration, and the first of them that a path matches, as path-to-regexp's `match` would
 * find it, in a time that does not grow with their number.
 */
export class PathTree<T> {
  readonly #policy: PathPolicy;
  readonly #root = new Node<T>('');

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
    const best = searchTree(this.#root, path, this.#policy.sensitive, after);
    if (best === undefined) return undefined;
    const { value, rank } = best;
    return { value, rank, lastRank: lastWay(rank), params: readParams(best, path) };
  }

  #addWay(tokens: readonly FlatToken[], rank: number, value: T): void {
    const names = tokens.flatMap((token) => (token.type === 'text' ? [] : [token.name]));
    const lists = tokens.flatMap((token) => (token.type === 'text' ? [] : [token.type === 'wildcard']));
    const segments = splitSegments(tokens);
    const last = tokens.at(-1);
    const trailing = this.#policy.trailing && !(last?.type === 'text' && last.value.endsWith('/'));
    const entry = { rank, value, names, lists, trailing, regexp: undefined, suffix: '' };
    if (segments === undefined) {
      const suffix = last?.type === 'text' ? this.#fold(last.value) : '';
      this.#addRegexp({ ...entry, regexp: this.#compile(tokens), suffix }, tokens);
    } else this.#addBranch(entry, segments);
  }

  #compile(tokens: readonly FlatToken[]): RegExp {
    return pathToRegexp({ tokens: [...tokens] }, this.#policy).regexp;
  }

  #addRegexp(entry: Entry<T>, tokens: readonly FlatToken[]): void {
    const [first] = tokens;
    const node = this.#descend(this.#root, first?.type === 'text' ? first.value : '', entry.rank);
    node.isFork = true;
    node.regexps ??= [];
    node.regexps.push(entry);
  }

  #addBranch(entry: Entry<T>, segments: readonly Segment[]): void {
    let node = this.#root;
    let text = segments.length === 0 ? '' : '/';
    for (const [index, segment] of segments.entries()) {
      if (index > 0) text += '/';
      if (segment.kind === 'text') {
        text += segment.text;
        continue;
      }
      node = this.#descend(node, text, entry.rank);
      text = '';
      if (segment.kind !== 'param') node.isFork = true;
      if (segment.kind === 'tail') {
        node.tails ??= [];
        node.tails.push(entry);
        return;
      }
      node = this.#enter(node, segment, entry.rank);
    }
    const last = this.#descend(node, text, entry.rank);
    last.ends ??= [];
    last.ends.push(entry);
  }

  /** The place behind a parameter. */
  #enter(node: Node<T>, segment: MixedSegment | { readonly kind: 'param' }, rank: number): Node<T> {
    let next: Node<T> | undefined;
    if (segment.kind === 'param') {
      node.param ??= new Node<T>('');
      next = node.param;
    } else {
      next = this.#enterMixed(node, segment);
    }
    next.rank = Math.min(next.rank, rank);
    return next;
  }

  /** Segments with the same texts lead to one place, whatever their parameters are called: entries know the names. */
  #enterMixed(node: Node<T>, segment: MixedSegment): Node<T> {
    const folded = { ...segment, texts: segment.texts.map((one) => this.#fold(one)) };
    const key = JSON.stringify(folded.texts);
    node.mixed ??= [];
    node.mixedByTexts ??= new Map();
    const known = node.mixedByTexts.get(key);
    if (known !== undefined) return known;
    const next = new Node<T>('');
    node.mixed.push({ segment: folded, node: next });
    node.mixedByTexts.set(key, next);
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

/** The last rank that the pattern of a rank has. */
function lastWay(rank: number): number {
  return rank - (rank % MAX_WAYS) + MAX_WAYS - 1;
}

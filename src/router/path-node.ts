import type { MixedSegment } from './path-segments.js';

/** One way that a pattern can match. */
export interface Entry<T> {
  /** Its place in the order of declaration, then among the ways of its pattern: the least wins. */
  readonly rank: number;
  readonly value: T;
  /** Of the parameters, in the order of the path. */
  readonly names: readonly string[];
  /** Which of them are wildcards, whose values are lists. */
  readonly lists: readonly boolean[];
  /** One slash more at the end of the path does not matter. */
  readonly trailing: boolean;
  /** For what no branch of the tree can hold. */
  readonly regexp: RegExp | undefined;
  /** How every path ends that the regular expression matches, but for one slash more; as it is compared. */
  readonly suffix: string;
}

/** Comes after every rank. Ranks are small integers, which V8 keeps in place: those beyond 2^31, and Infinity, it does not. */
export const NO_RANK = 2 ** 31 - 1;

/** A place in the tree: paths come here by a text that they have in common. What most places lack is undefined. */
export class Node<T> {
  /** What leads here from the place above. */
  text: string;
  /** Its length: most texts are one character, which need not be looked at again. */
  length: number;
  /** The least rank here and below. */
  rank: number = NO_RANK;
  /** Further text, by its first character: that of code `base` first. */
  children: (Node<T> | undefined)[] = [];
  base = 0;
  /** There is more than text and one parameter: something of the last three. */
  isFork = false;
  /** Patterns that end here, by rank. */
  ends: Entry<T>[] | undefined = undefined;
  /** Behind a segment that is a parameter. */
  param: Node<T> | undefined = undefined;
  /** Behind a segment of text and parameters. */
  mixed: MixedBranch<T>[] | undefined = undefined;
  /** The same by their texts, while the tree grows. */
  mixedByTexts: Map<string, Node<T>> | undefined = undefined;
  /** Wildcards that take the rest of the path, by rank. */
  tails: Entry<T>[] | undefined = undefined;
  /** Patterns that begin with this text, and must be tried as a whole, by rank. */
  regexps: Entry<T>[] | undefined = undefined;

  constructor(text: string) {
    this.text = text;
    this.length = text.length;
  }
}

/** A segment of text and parameters, and the place behind it. */
export interface MixedBranch<T> {
  readonly segment: MixedSegment;
  readonly node: Node<T>;
}

/** The place that a text leads to from another, made where there is none. @param rank - of what is to be added there */
export function growNode<T>(from: Node<T>, text: string, rank: number): Node<T> {
  let node = from;
  let rest = text;
  node.rank = Math.min(node.rank, rank);
  while (rest !== '') {
    const known = node.children[rest.charCodeAt(0) - node.base];
    let next: Node<T>;
    if (known === undefined) {
      next = new Node<T>(rest);
      putChild(node, next);
      rest = '';
    } else {
      const shared = countShared(known.text, rest);
      next = shared < known.text.length ? splitNode(known, shared) : known;
      putChild(node, next);
      rest = rest.slice(shared);
    }
    node = next;
    node.rank = Math.min(node.rank, rank);
  }
  return node;
}

/** Without holes: an array that has some is read more slowly. */
function putChild<T>(node: Node<T>, child: Node<T>): void {
  const code = child.text.charCodeAt(0);
  const { children } = node;
  if (children.length === 0) node.base = code;
  while (code < node.base) {
    children.unshift(undefined);
    node.base--;
  }
  while (code >= node.base + children.length) children.push(undefined);
  children[code - node.base] = child;
}

function splitNode<T>(node: Node<T>, length: number): Node<T> {
  const upper = new Node<T>(node.text.slice(0, length));
  upper.rank = node.rank;
  node.text = node.text.slice(length);
  node.length = node.text.length;
  putChild(upper, node);
  return upper;
}

function countShared(one: string, other: string): number {
  const most = Math.min(one.length, other.length);
  let count = 0;
  while (count < most && one.charCodeAt(count) === other.charCodeAt(count)) count++;
  return count;
}

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
}

/** A place in the tree: paths come here by a text that they have in common. */
export class Node<T> {
  /** What leads here from the place above. */
  text: string;
  /** The least rank here and below. */
  rank = Number.POSITIVE_INFINITY;
  /** Patterns that end here, by rank. */
  ends: Entry<T>[] = [];
  /** Further text, each with another first character. */
  children: Node<T>[] = [];
  /** Their first characters. */
  codes: number[] = [];
  /** Behind a segment that is a parameter. */
  param: Node<T> | undefined = undefined;
  /** Behind a segment of text and parameters. */
  mixed: { readonly segment: MixedSegment; readonly node: Node<T> }[] = [];
  /** Wildcards that take the rest of the path, by rank. */
  tails: Entry<T>[] = [];
  /** Patterns that begin with this text, and must be tried as a whole, by rank. */
  regexps: Entry<T>[] = [];

  constructor(text: string) {
    this.text = text;
  }
}

/** The place that a text leads to from another, made where there is none. @param rank - of what is to be added there */
export function growNode<T>(from: Node<T>, text: string, rank: number): Node<T> {
  let node = from;
  let rest = text;
  node.rank = Math.min(node.rank, rank);
  while (rest !== '') {
    const code = rest.charCodeAt(0);
    const index = node.codes.indexOf(code);
    let next = new Node<T>(rest);
    if (index === -1) {
      node.children.push(next);
      node.codes.push(code);
      rest = '';
    } else {
      next = node.children[index] as Node<T>;
      const shared = countShared(next.text, rest);
      if (shared < next.text.length) {
        next = splitNode(next, shared);
        node.children[index] = next;
      }
      rest = rest.slice(shared);
    }
    node = next;
    node.rank = Math.min(node.rank, rank);
  }
  return node;
}

function splitNode<T>(node: Node<T>, length: number): Node<T> {
  const upper = new Node<T>(node.text.slice(0, length));
  upper.rank = node.rank;
  node.text = node.text.slice(length);
  upper.children.push(node);
  upper.codes.push(node.text.charCodeAt(0));
  return upper;
}

function countShared(one: string, other: string): number {
  const most = Math.min(one.length, other.length);
  let count = 0;
  while (count < most && one.charCodeAt(count) === other.charCodeAt(count)) count++;
  return count;
}

import { createParams, type Params } from './params.js';
import type { Entry, Node } from './path-node.js';
import { matchMixed } from './path-segments.js';

const SLASH = 47;

// The search that is under way: it is synchronous, and asks nobody.
let path = '';
/** The path as it is compared. */
let text = '';
let end = 0;
let least = -1;
let best: Entry<unknown> | undefined;
let bestRank = Number.POSITIVE_INFINITY;
let bestMatch: RegExpExecArray | undefined;
/** Where the parameters on the way to the present place start and end, and those of the best entry. */
const offsets: number[] = [];
const bestOffsets: number[] = [];

/**
 * The entry with the least rank that a path matches.
 * @param after - only entries with a greater rank
 * @param known - the best so far
 */
export function searchTree<T>(
  root: Node<T>,
  wholePath: string,
  comparedPath: string,
  after: number,
  known: Entry<T> | undefined,
): Entry<T> | undefined {
  path = wholePath;
  text = comparedPath;
  end = text.length;
  least = after;
  best = known;
  bestRank = known === undefined ? Number.POSITIVE_INFINITY : known.rank;
  bestMatch = undefined;
  visit(root, 0, 0);
  return best as Entry<T> | undefined;
}

/** The parameters of the entry that was found last. @throws {URIError} for a bad escape */
export function readParams({ names, lists }: Entry<unknown>, wholePath: string): Params {
  const params = createParams();
  for (let i = 0; i < names.length; i++) {
    const value =
      bestMatch === undefined
        ? wholePath.slice(bestOffsets[2 * i], bestOffsets[2 * i + 1])
        : (bestMatch[i + 1] as string);
    params[names[i] as string] = lists[i] === true ? value.split('/').map(decode) : decode(value);
  }
  return params;
}

/** Looks at a place and below. @param at - how much of the path has led here @param depth - how many offsets there are */
function visit(node: Node<unknown>, at: number, depth: number): void {
  if (node.rank >= bestRank) return;
  if (at === end) consider(node.ends, false, depth);
  else {
    const code = text.charCodeAt(at);
    const index = node.codes.indexOf(code);
    if (index !== -1) {
      const child = node.children[index] as Node<unknown>;
      if (continues(child.text, at)) visit(child, at + child.text.length, depth);
    }
    if (code !== SLASH) visitSegment(node, at, depth);
    else if (at === end - 1) consider(node.ends, true, depth);
    if (node.tails.length > 0) {
      offsets[depth] = at;
      offsets[depth + 1] = end;
      consider(node.tails, false, depth + 2);
    }
  }
  const { regexps } = node;
  for (let i = 0; i < regexps.length; i++) tryRegexp(regexps[i] as Entry<unknown>);
}

/** Whether the path goes on with a text. For texts as short as these a loop is faster than startsWith. */
function continues(part: string, at: number): boolean {
  if (at + part.length > end) return false;
  for (let i = 1; i < part.length; i++) if (part.charCodeAt(i) !== text.charCodeAt(at + i)) return false;
  return true;
}

/** A segment that is not text alone. */
function visitSegment({ param, mixed }: Node<unknown>, at: number, depth: number): void {
  if (param === undefined && mixed.length === 0) return;
  let stop = at + 1;
  while (stop < end && text.charCodeAt(stop) !== SLASH) stop++;
  for (let i = 0; i < mixed.length; i++) {
    const { segment, node } = mixed[i] as (typeof mixed)[number];
    if (matchMixed(segment, text, at, stop, offsets, depth))
      visit(node, stop, depth + 2 * segment.names.length);
  }
  if (param === undefined) return;
  offsets[depth] = at;
  offsets[depth + 1] = stop;
  visit(param, stop, depth + 2);
}

/** Takes the first of some entries, if it comes before the best so far. */
function consider(entries: readonly Entry<unknown>[], needsTrailing: boolean, depth: number): void {
  for (let i = 0; i < entries.length; i++) {
    const entry = entries[i] as Entry<unknown>;
    if (entry.rank >= bestRank) return;
    if (entry.rank <= least || (needsTrailing && !entry.trailing)) continue;
    best = entry;
    bestRank = entry.rank;
    bestMatch = undefined;
    for (let j = 0; j < depth; j++) bestOffsets[j] = offsets[j] as number;
    return;
  }
}

function tryRegexp(entry: Entry<unknown>): void {
  if (entry.rank >= bestRank || entry.rank <= least) return;
  const match = entry.regexp?.exec(path);
  if (match === null || match === undefined) return;
  best = entry;
  bestRank = entry.rank;
  bestMatch = match;
}

function decode(value: string): string {
  return value.includes('%') ? decodeURIComponent(value) : value;
}

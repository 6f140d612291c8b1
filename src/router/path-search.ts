import { createParams, type Params } from './params.js';
import { type Entry, type MixedBranch, NO_RANK, type Node } from './path-node.js';
import { matchMixed } from './path-segments.js';

const SLASH = 47;
const PERCENT = 37;
const UPPER_A = 65;
const UPPER_Z = 90;
/** From an upper case letter of ASCII to its lower case. */
const TO_LOWER = 32;

// The search that is under way: it is synchronous, and asks nobody. The path is handed on: kept here, each would be told to the
// collector.
let isSensitive = false;
/** The path in lower case, once it is needed. */
let lowerPath: string | undefined;
/** Some parameter may have escapes. */
let isEscaped = false;
let least = -1;
let best: Entry<unknown> | undefined;
let bestRank: number = NO_RANK;
let bestMatch: RegExpExecArray | undefined;
/** Where the parameters on the way to the present place start and end, and those of the best entry. */
const offsets: number[] = [];
const bestOffsets: number[] = [];

/**
 * The entry with the least rank that a path matches.
 * @param sensitive - whether upper and lower case differ; if not, the tree is in lower case
 * @param after - only entries with a greater rank
 */
export function searchTree<T>(
  root: Node<T>,
  path: string,
  sensitive: boolean,
  after: number,
): Entry<T> | undefined {
  isSensitive = sensitive;
  lowerPath = undefined;
  isEscaped = false;
  least = after;
  best = undefined;
  bestRank = NO_RANK;
  bestMatch = undefined;
  visit(root, path, 0, 0);
  return best as Entry<T> | undefined;
}

/** The parameters of the entry that was found last. @throws {URIError} for a bad escape */
export function readParams({ names, lists }: Entry<unknown>, path: string): Params {
  const params = createParams();
  for (let i = 0; i < names.length; i++) {
    const value =
      bestMatch === undefined
        ? path.slice(bestOffsets[2 * i], bestOffsets[2 * i + 1])
        : (bestMatch[i + 1] as string);
    if (lists[i] !== true) params[names[i] as string] = isEscaped ? decode(value) : value;
    else params[names[i] as string] = isEscaped ? value.split('/').map(decode) : value.split('/');
  }
  return params;
}

/** Looks at a place and below. @param from - how much of the path has led there @param deep - how many offsets there are */
function visit(start: Node<unknown>, path: string, from: number, deep: number): void {
  const end = path.length;
  let node = start;
  let at = from;
  let depth = deep;
  // Where one way leads on, as most do, a loop saves the calls.
  while (node.rank < bestRank) {
    if (at === end) {
      if (node.ends !== undefined) consider(node.ends, false, depth);
      break;
    }
    const code = path.charCodeAt(at);
    if (code === SLASH && at === end - 1 && node.ends !== undefined) consider(node.ends, true, depth);
    const child = findChild(node, code);
    const isNext = child !== undefined && (child.length === 1 || continues(child, path, at));
    if (node.isFork) {
      if (isNext) visit(child, path, at + child.length, depth);
      if (code !== SLASH) visitSegment(node, path, at, depth);
      if (node.tails !== undefined) visitTails(node.tails, path, at, depth);
      break;
    }
    const { param } = node;
    if (param === undefined || code === SLASH) {
      if (!isNext) return;
      at += child.length;
      node = child;
    } else {
      if (isNext) visit(child, path, at + child.length, depth);
      if (param.rank >= bestRank) return;
      offsets[depth] = at;
      at = findSlash(path, at);
      offsets[depth + 1] = at;
      depth += 2;
      node = param;
    }
  }
  if (node.regexps !== undefined) for (const entry of node.regexps) tryRegexp(entry, path);
}

function findChild({ children, base }: Node<unknown>, code: number): Node<unknown> | undefined {
  const index = code - base;
  const child = index >= 0 && index < children.length ? children[index] : undefined;
  if (child !== undefined || isSensitive || code < UPPER_A || code > UPPER_Z) return child;
  const lower = index + TO_LOWER;
  return lower >= 0 && lower < children.length ? children[lower] : undefined;
}

/** Whether the path goes on with a text whose first character it has. For texts as short as these a loop is fastest. */
function continues({ text, length }: Node<unknown>, path: string, at: number): boolean {
  if (at + length > path.length) return false;
  for (let i = 1; i < length; i++) {
    const code = path.charCodeAt(at + i);
    const wanted = text.charCodeAt(i);
    if (code !== wanted && (isSensitive || code < UPPER_A || code > UPPER_Z || code + TO_LOWER !== wanted))
      return false;
  }
  return true;
}

/** Where the segment ends that begins at a place. */
function findSlash(path: string, at: number): number {
  let stop = at;
  while (stop < path.length) {
    const code = path.charCodeAt(stop);
    if (code === SLASH) break;
    if (code === PERCENT) isEscaped = true;
    stop++;
  }
  return stop;
}

/** A segment that is not text alone. */
function visitSegment({ param, mixed }: Node<unknown>, path: string, at: number, depth: number): void {
  const stop = findSlash(path, at);
  if (mixed !== undefined) visitMixed(mixed, path, at, stop, depth);
  if (param === undefined) return;
  offsets[depth] = at;
  offsets[depth + 1] = stop;
  visit(param, path, stop, depth + 2);
}

function visitMixed(
  branches: readonly MixedBranch<unknown>[],
  path: string,
  at: number,
  stop: number,
  depth: number,
): void {
  if (!isSensitive) lowerPath ??= toLower(path);
  const compared = lowerPath ?? path;
  for (const { segment, node } of branches) {
    if (node.rank < bestRank && matchMixed(segment, compared, at, stop, offsets, depth))
      visit(node, path, stop, depth + 2 * segment.names.length);
  }
}

function visitTails(tails: readonly Entry<unknown>[], path: string, at: number, depth: number): void {
  if (!isEscaped) isEscaped = path.includes('%', at);
  offsets[depth] = at;
  offsets[depth + 1] = path.length;
  consider(tails, false, depth + 2);
}

/** Takes the first of some entries, if it comes before the best so far. */
function consider(entries: readonly Entry<unknown>[], needsTrailing: boolean, depth: number): void {
  for (let i = least < 0 ? 0 : findBehind(entries, least); i < entries.length; i++) {
    const entry = entries[i] as Entry<unknown>;
    if (entry.rank >= bestRank) return;
    if (needsTrailing && !entry.trailing) continue;
    best = entry;
    bestRank = entry.rank;
    bestMatch = undefined;
    for (let j = 0; j < depth; j++) bestOffsets[j] = offsets[j] as number;
    return;
  }
}

/** Where the entries begin whose rank is greater than another. */
function findBehind(entries: readonly Entry<unknown>[], rank: number): number {
  let from = 0;
  let to = entries.length;
  while (from < to) {
    const middle = (from + to) >>> 1;
    if ((entries[middle] as Entry<unknown>).rank <= rank) from = middle + 1;
    else to = middle;
  }
  return from;
}

function tryRegexp(entry: Entry<unknown>, path: string): void {
  if (entry.rank >= bestRank || entry.rank <= least || !endsWith(entry, path)) return;
  const match = entry.regexp?.exec(path);
  if (match === null || match === undefined) return;
  isEscaped = true;
  best = entry;
  bestRank = entry.rank;
  bestMatch = match;
}

/** Whether a path ends as an entry does: most that do not match can be told by that, and quickly. */
function endsWith({ suffix, trailing }: Entry<unknown>, path: string): boolean {
  if (suffix === '') return true;
  if (!isSensitive) lowerPath ??= toLower(path);
  const compared = lowerPath ?? path;
  return (
    compared.endsWith(suffix) ||
    (trailing && compared.endsWith('/') && compared.endsWith(suffix, compared.length - 1))
  );
}

/** Lower case as a regular expression's `i` has it for patterns in ASCII: no other letter becomes one of these. */
function toLower(text: string): string {
  const lower = text.toLowerCase();
  if (lower === text || !/[^\0-\x7f]/.test(text)) return lower;
  return text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

function decode(value: string): string {
  return value.includes('%') ? decodeURIComponent(value) : value;
}

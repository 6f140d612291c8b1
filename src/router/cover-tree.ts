import { converterKey, findConverter, formatShape } from './declared-routes.js';
import type { FlatToken } from './path-pattern.js';
import { type MixedSegment, matchMixed, type Segment, splitSegments } from './path-segments.js';
import type { Route } from './route.js';
import { findFixedHost } from './route-site.js';

/** A route that may take the requests of others. */
interface Cover {
  readonly route: Route;
  /** It takes a path with one slash more, too. */
  readonly trailing: boolean;
}

/** A place behind some segments. A parameter with a converter takes fewer texts than one without, whose key is undefined. */
interface Place {
  readonly texts: Map<string, Place>;
  readonly params: Map<unknown, Place>;
  /** By their texts, all with the same segment. */
  readonly mixed: Map<string, MixedPlace[]>;
  /** By the one host that they are for. */
  readonly ends: Map<string | undefined, Cover[]>;
  readonly tails: { readonly key: unknown; readonly cover: Cover }[];
}

interface MixedPlace {
  readonly segment: MixedSegment;
  readonly keys: readonly unknown[];
  readonly place: Place;
}

/**
 * Answers which routes match every path that another one matches. For texts, parameters and wildcards at the end it finds
 * them all; where a segment has text and parameters, or a wildcard stands in the middle, those of the same form.
 */
export class CoverTree {
  readonly #isSensitive: boolean;
  readonly #root = createPlace();
  /** By shape: what is no list of segments. */
  readonly #shapes = new Map<string, Cover[]>();

  constructor(isSensitive: boolean) {
    this.#isSensitive = isSensitive;
  }

  /** @param tokens - one of the ways in which the route can match */
  add(route: Route, tokens: readonly FlatToken[]): void {
    const cover = { route, trailing: endsOpen(route, tokens) };
    const segments = this.#split(tokens);
    if (segments === undefined) {
      // What its converters leave is not known.
      if (route.converters.length > 0) return;
      const shape = this.#shape(route, tokens);
      append(this.#shapes, shape, cover);
      return;
    }
    let place = this.#root;
    for (const segment of segments) {
      if (segment.kind === 'tail') {
        place.tails.push({ key: keyOf(route, segment.name), cover });
        return;
      }
      place = enter(place, segment, route);
    }
    append(place.ends, findFixedHost(route.site), cover);
  }

  /** The routes that match whatever a way of a route matches. @param isLonger - with the slash that it may have at its end */
  find(route: Route, tokens: readonly FlatToken[], isLonger: boolean): Route[] {
    const segments = this.#split(tokens);
    const found: Cover[] = [];
    if (segments === undefined) {
      found.push(...(this.#shapes.get(this.#shape(route, tokens)) ?? []));
      this.#collectPrefixes(tokens, found);
    } else {
      const all = isLonger ? [...segments, { kind: 'text', text: '' } as const] : segments;
      collect(this.#root, all, 0, route, found);
    }
    return found.map((cover) => cover.route);
  }

  /** Wildcards that take all that begins with the first text of a pattern. */
  #collectPrefixes([first]: readonly FlatToken[], found: Cover[]): void {
    if (first?.type !== 'text') return;
    let place: Place | undefined = this.#root;
    for (const text of this.#fold(first.value).split('/').slice(1)) {
      found.push(...place.tails.filter(({ key }) => key === undefined).map(({ cover }) => cover));
      place = place.texts.get(text);
      if (place === undefined) return;
    }
  }

  #split(tokens: readonly FlatToken[]): Segment[] | undefined {
    return splitSegments(
      tokens.map((token) => (token.type === 'text' ? { ...token, value: this.#fold(token.value) } : token)),
    );
  }

  #shape({ policy }: Route, tokens: readonly FlatToken[]): string {
    return `${policy.trailing} ${formatShape(tokens, this.#isSensitive)}`;
  }

  #fold(text: string): string {
    return this.#isSensitive ? text : text.toLowerCase();
  }
}

/** Whether a path that matches may have a slash more; a wildcard at the end takes that anyway. */
export function endsOpen({ policy }: Route, tokens: readonly FlatToken[]): boolean {
  const last = tokens.at(-1);
  return policy.trailing && last?.type !== 'wildcard' && !(last?.type === 'text' && last.value.endsWith('/'));
}

function collect(place: Place, segments: readonly Segment[], at: number, route: Route, found: Cover[]): void {
  const segment = segments[at];
  if (segment === undefined) {
    found.push(...listEnds(place, route));
    return;
  }
  const isLastSlash = segment.kind === 'text' && segment.text === '' && at === segments.length - 1;
  if (isLastSlash) found.push(...listEnds(place, route).filter(({ trailing }) => trailing));
  else {
    const own = segment.kind === 'tail' ? keyOf(route, segment.name) : undefined;
    for (const { key, cover } of place.tails) if (key === undefined || key === own) found.push(cover);
  }
  for (const next of nextPlaces(place, segment, route)) collect(next, segments, at + 1, route, found);
}

/** Those that end here and may be for the host of a route. */
function listEnds({ ends }: Place, route: Route): Cover[] {
  const host = findFixedHost(route.site);
  const anywhere = ends.get(undefined) ?? [];
  return host === undefined ? anywhere : [...anywhere, ...(ends.get(host) ?? [])];
}

/** The places behind what matches every text that a segment matches. */
function nextPlaces({ texts, params, mixed }: Place, segment: Segment, route: Route): Place[] {
  const open = params.get(undefined);
  const next: (Place | undefined)[] = [];
  if (segment.kind === 'text') {
    next.push(texts.get(segment.text));
    if (segment.text === '') return next.filter((one) => one !== undefined);
    for (const places of mixed.values()) {
      const { segment: known } = places[0] as MixedPlace;
      const end = segment.text.length;
      // Looked at first, as most differ there.
      if (!segment.text.endsWith(known.texts.at(-1) as string)) continue;
      if (!matchMixed(known, segment.text, 0, end, [], 0)) continue;
      next.push(
        ...places.filter(({ keys }) => keys.every((key) => key === undefined)).map(({ place }) => place),
      );
    }
  }
  if (segment.kind === 'param') {
    const key = keyOf(route, segment.name);
    if (key !== undefined) next.push(params.get(key));
  }
  if (segment.kind === 'mixed') {
    const own = segment.names.map((name) => keyOf(route, name));
    for (const { keys, place } of mixed.get(JSON.stringify(segment.texts)) ?? [])
      if (keys.every((key, index) => key === undefined || key === own[index])) next.push(place);
  }
  if (segment.kind !== 'tail') next.push(open);
  return next.filter((one) => one !== undefined);
}

function enter(place: Place, segment: Exclude<Segment, { kind: 'tail' }>, route: Route): Place {
  const next = createPlace();
  if (segment.kind === 'mixed') {
    const keys = segment.names.map((name) => keyOf(route, name));
    const texts = JSON.stringify(segment.texts);
    const known = place.mixed.get(texts)?.find((one) => one.keys.every((key, index) => key === keys[index]));
    if (known !== undefined) return known.place;
    append(place.mixed, texts, { segment, keys, place: next });
    return next;
  }
  const [places, key]: [Map<unknown, Place>, unknown] =
    segment.kind === 'text' ? [place.texts, segment.text] : [place.params, keyOf(route, segment.name)];
  const known = places.get(key);
  if (known !== undefined) return known;
  places.set(key, next);
  return next;
}

function keyOf(route: Route, name: string): unknown {
  return converterKey(findConverter(route.params, name));
}

function createPlace(): Place {
  return { texts: new Map(), params: new Map(), mixed: new Map(), ends: new Map(), tails: [] };
}

function append<Key, Value>(lists: Map<Key, Value[]>, key: Key, value: Value): void {
  const known = lists.get(key);
  if (known === undefined) lists.set(key, [value]);
  else known.push(value);
}

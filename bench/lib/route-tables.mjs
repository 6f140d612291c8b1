import { GITHUB_ROUTES } from './github-routes.mjs';

/** Requests in a batch. */
const BATCH = 1000;
/** One request in so many finds nothing. */
const MISS_EVERY = 20;
const NOUNS = 'orders users invoices products carts events tickets projects teams files'.split(' ');

/** What no path-segment router but these few can hold: several parameters in a segment. */
const MIXED_ROUTES = [
  { method: 'GET', path: '/compare/:from-:to', isMixed: true },
  { method: 'GET', path: '/tiles/:zoom-:x-:y.:format', isMixed: true },
];

/** Paths of about 8 KiB that look for what grows faster than they do. */
export const HOSTILE_PATHS = [
  { id: 'dashes', title: "'a-' 4,096 times", path: `/compare/${'a-'.repeat(4096)}` },
  { id: 'dots', title: "'1-.' 2,730 times", path: `/tiles/${'1-.'.repeat(2730)}` },
  { id: 'slashes', title: '8,192 slashes', path: '/'.repeat(8192) },
  { id: 'segments', title: '4,000 segments', path: '/repos'.repeat(4000) },
  { id: 'wildcard', title: '4,000 in a wildcard', path: `/files${'/a'.repeat(4000)}` },
  { id: 'escapes', title: '2,730 escapes', path: `/users/${'%41'.repeat(2730)}` },
];

/**
 * The table of a row, and requests for it.
 * @param {{ table: 'github' | 'spread' | 'prefix' | 'hostile', size?: number }} row
 */
export function buildTable({ table, size }) {
  if (table === 'github') return withRequests(GITHUB_ROUTES);
  if (table === 'hostile')
    return withRequests([...GITHUB_ROUTES, { method: 'GET', path: '/files/*path' }, ...MIXED_ROUTES], GITHUB_ROUTES.length);
  return withRequests(makeRoutes(size, table === 'prefix' ? '/api/v1/' : '/'));
}

/** Five routes a resource, one of them without parameters. */
function makeRoutes(size, prefix) {
  return Array.from({ length: size / 5 }, (_, place) => {
    const noun = NOUNS[place % NOUNS.length];
    const resource = `${prefix}${place < NOUNS.length ? noun : `${noun}-${Math.floor(place / NOUNS.length)}`}`;
    return [
      { method: 'GET', path: resource },
      { method: 'GET', path: `${resource}/:id` },
      { method: 'PUT', path: `${resource}/:id` },
      { method: 'GET', path: `${resource}/:id/notes` },
      { method: 'GET', path: `${resource}/:id/notes/:note` },
    ];
  }).flat();
}

/** @param {number} asked how many of the routes requests are made for */
function withRequests(routes, asked = routes.length) {
  const random = createRandom(1);
  const shapes = Array.from({ length: BATCH }, (_, place) => {
    // In order first, so that a walk has every route of a small table.
    const index = place < asked ? place : Math.floor(random() * asked);
    const shape = { index, method: routes[index].method, texts: routes[index].path.split(/:\w+/), names: findNames(routes[index].path) };
    if (place % MISS_EVERY > 0) return shape;
    return place % (2 * MISS_EVERY) > 0 ? { ...shape, index: -1, method: 'PATCH' } : missPath(shape);
  });
  let count = 0;
  return {
    routes,
    /** Requests that no one has looked at: their texts are new, so that no hash of them is known, as from a socket. */
    nextBatch() {
      const order = shuffle(shapes, random);
      const values = order.map(({ names }) => names.map((name) => `${name.slice(0, 3)}${(count++ * 7919) % 1_000_000}`));
      const texts = order.map((shape, place) => fill(shape.texts, values[place]));
      return { methods: order.map(({ method }) => method), paths: copyTexts(texts), shapes: order, values };
    },
  };
}

function missPath(shape) {
  const texts = [...shape.texts];
  texts[texts.length - 1] += '/there/is/none';
  return { ...shape, index: -1, texts };
}

function findNames(path) {
  return [...path.matchAll(/:(\w+)/g)].map(([, name]) => name);
}

function fill(texts, values) {
  let path = texts[0];
  for (let i = 0; i < values.length; i++) path += values[i] + texts[i + 1];
  return path;
}

/** The same texts, as flat strings of their own. */
function copyTexts(texts) {
  const bytes = Buffer.from(texts.join(''), 'latin1');
  let at = 0;
  return texts.map((text) => bytes.latin1Slice(at, (at += text.length)));
}

function shuffle(list, random) {
  const order = [...list];
  for (let last = order.length - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1));
    [order[last], order[other]] = [order[other], order[last]];
  }
  return order;
}

/** Numbers from 0 to 1, the same in each process: a linear congruential generator (Numerical Recipes). */
function createRandom(seed) {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

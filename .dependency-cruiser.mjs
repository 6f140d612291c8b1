/** The import rules of src: layers, cycles, and who may import what. Run by `npm run check:layers`. */

/** Lowest first. A folder may import its own layer and those below. */
const LAYERS = [
  ['core'],
  ['request', 'response'],
  [
    'middleware',
    'static',
    'opentelemetry',
    'prometheus',
    'router',
    'openapi',
    'executor',
    'gateway',
    'websocket',
  ],
  ['actors', 'channels'],
  ['admin'],
  ['app'],
  ['server', 'adapters', 'http', 'rpc', 'tasks', 'sockets'],
  ['shell', 'testing'],
  ['cli'],
];

const INDEX = ['^src/index\\.ts$', '^src/.+/index\\.ts$'];
const folders = (layers) => `^src/(${layers.flat().join('|')})/`;

/** One rule a layer: nothing in it imports from a layer above. */
const layerRules = LAYERS.slice(0, -1).map((layer, depth) => ({
  name: `layer-${layer[0]}`,
  comment: `${layer.join(', ')} may import only: ${LAYERS.slice(0, depth + 1)
    .flat()
    .join(', ')}`,
  severity: 'error',
  from: { path: folders([layer]) },
  to: { path: folders(LAYERS.slice(depth + 1)) },
}));

export default {
  forbidden: [
    ...layerRules,
    {
      name: 'known-folders',
      comment: 'A new folder in src needs a layer: add it to LAYERS in .dependency-cruiser.mjs',
      severity: 'error',
      from: {},
      to: { path: '^src/[^/]+/', pathNot: folders(LAYERS) },
    },
    {
      name: 'no-cycles',
      comment: 'Move what both need into a third file',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'no-folder-cycles',
      comment: 'Folders of one layer may import each other one way only',
      severity: 'error',
      scope: 'folder',
      from: { path: '^src/[^/]+$' },
      to: { circular: true, path: '^src/[^/]+$' },
    },
    {
      name: 'no-index-inside-src',
      comment: 'Import the file that has the thing; only public entry points list exports',
      severity: 'error',
      from: { path: '^src/', pathNot: INDEX },
      to: { path: INDEX },
    },
    {
      name: 'uws-in-one-file',
      comment: 'Only src/gateway/uws-binding.ts imports uWebSockets.js; take it from there',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/gateway/uws-binding\\.ts$' },
      to: { path: '(^|/)uWebSockets\\.js(/|$)' },
    },
    {
      name: 'opentelemetry-in-one-folder',
      comment: 'Vela works without @opentelemetry/api: only src/opentelemetry knows it',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/opentelemetry/' },
      to: { path: '@opentelemetry/' },
    },
    {
      name: 'opentelemetry-api-loads-once',
      comment: 'Take its values from src/opentelemetry/api.ts, and only types from the package',
      severity: 'error',
      from: { path: '^src/opentelemetry/', pathNot: '^src/opentelemetry/api\\.ts$' },
      to: { path: '@opentelemetry/', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'prom-client-loads-once',
      comment:
        'Vela works without prom-client: only src/prometheus/client.ts imports it; others there take types',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/prometheus/client\\.ts$' },
      to: { path: '(^|/)prom-client(/|$)', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'prom-client-in-one-folder',
      comment: 'Vela works without prom-client, its types included: only src/prometheus knows it',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/prometheus/' },
      to: { path: '(^|/)prom-client(/|$)' },
    },
    {
      name: 'ioredis-loads-once',
      comment:
        'Vela works without ioredis: only src/channels/redis-client.ts imports it; others there take types',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/channels/redis-client\\.ts$' },
      to: { path: '(^|/)ioredis(/|$)', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'ioredis-in-one-folder',
      comment: 'Vela works without ioredis, its types included: only src/channels knows it',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/channels/' },
      to: { path: '(^|/)ioredis(/|$)' },
    },
    {
      name: 'piscina-loads-once',
      comment:
        'Only src/executor/start-thread.ts imports piscina, when a thread is needed; others take types',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/executor/start-thread\\.ts$' },
      to: { path: '(^|/)piscina(/|$)', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'src-stands-alone',
      comment: 'src imports no test, example, script, bench or built file',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '^(test|examples|scripts|bench|dist)/' },
    },
    {
      name: 'no-dev-dependency-in-src',
      comment: 'What src imports at run time stands under "dependencies"',
      severity: 'error',
      from: { path: '^src/' },
      to: {
        dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'],
        pathNot: 'node_modules/(@types|@opentelemetry/api|ioredis|prom-client)/',
      },
    },
    {
      name: 'tests-use-entry-points',
      comment: 'Tests import what users import: ../src/index.js, ../src/testing/index.js, ...',
      severity: 'error',
      from: { path: '^test/' },
      to: { path: '^src/', pathNot: INDEX },
    },
    {
      name: 'resolvable',
      comment: 'The import leads nowhere',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: ['node_modules', '^dist/'] },
    // Types count: a type-only import still ties two layers.
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'types', 'node', 'default'],
      extensions: ['.ts', '.js', '.mjs', '.d.ts'],
    },
  },
};

/**
 * Lets Node run the examples' TypeScript, as `node --import ./scripts/tsx.mjs`.
 *
 * The editor's tsconfig.json maps `vela` to src, and tsx would follow it. Examples shall run what users run: dist.
 */
import { register } from 'node:module';
import { fileURLToPath } from 'node:url';

process.env.TSX_TSCONFIG_PATH ??= fileURLToPath(new URL('../tsconfig.build.json', import.meta.url));
await import('tsx');
register('./built-hooks.mjs', import.meta.url);

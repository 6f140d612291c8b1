import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { VelaError } from '../core/errors.js';
import { loadUws } from '../gateway/uws-binding.js';
import type { Finding } from './finding.js';

/** The sha256 of builds that were looked at, by platform, processor and Node's ABI; README says the same. */
const KNOWN: Readonly<Record<string, string>> = {
  'linux-x64-115': '4d482084b665c225892917ee0e9b9572d89eaa6f3dc200ff5e536293d3456c89',
};
/** Any limit: no server is started. */
const HEAD_BYTES = 16_384;

/** Whether uWebSockets.js loads, and whether it is the build that Vela was tested with. */
export function checkUwsBuild(): Finding {
  try {
    loadUws(HEAD_BYTES);
  } catch (error) {
    if (!(error instanceof VelaError)) throw error;
    return {
      state: 'error',
      found: error.message,
      remedy: 'npm ci without --omit=optional; or serve on node:http, with --gateway node or auto',
    };
  }
  // A native module is listed like any other one.
  const file = Object.keys(createRequire(import.meta.url).cache).find((path) =>
    /uws[^/\\]*\.node$/.test(path),
  );
  if (file === undefined)
    return { state: 'warning', found: 'it loads, from no file that can be found', remedy: 'npm ci' };
  const sum = createHash('sha256').update(readFileSync(file)).digest('hex');
  const known = KNOWN[`${process.platform}-${process.arch}-${process.versions.modules}`];
  if (known === undefined)
    return {
      state: 'ok',
      found: `${file}, sha256 ${sum}; which it should have is not known for this platform`,
    };
  return sum === known
    ? { state: 'ok', found: `${file}, sha256 as it should be` }
    : {
        state: 'warning',
        found: `${file}, sha256 ${sum}, which is not that of the tested build`,
        remedy: 'npm ci installs the tested one; with an override in package.json compare it with its source',
      };
}

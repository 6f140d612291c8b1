import { askNearest, describeValue, VelaError } from '../core/errors.js';
import type { Application } from './application.js';
import { findApplications } from './program.js';

/**
 * The application of a name, in the main process and in all workers of the script that has made it.
 * @throws {VelaError} `ERR_APP_NONE` when there is none @throws {TypeError} for what is no name
 */
export function getApplication(name: string): Application {
  if (typeof name !== 'string')
    throw new TypeError(`getApplication takes the name of an application; received ${describeValue(name)}`);
  const { found, names } = findApplications(name);
  const one = found.find(({ isStarted }) => isStarted) ?? found.at(-1);
  if (one !== undefined) return one.application as Application;
  const there =
    names.length === 0 ? 'it has made none' : `it has made ${names.map((each) => `"${each}"`).join(', ')}`;
  throw new VelaError(
    'ERR_APP_NONE',
    `This process has made no application "${name}"${askNearest(name, names)}; ${there}`,
  );
}

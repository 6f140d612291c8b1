const EXTENSION = import.meta.url.endsWith('.ts') ? 'ts' : 'js';

/**
 * Where a file is that a process or thread of its own begins with. The build reads calls of this: each names one of dist's
 * entry points. This file lies one folder deep, in src as in the chunks of dist.
 * @param path - below src, without its extension
 */
export function bootFile(path: string): URL {
  return new URL(`../${path}.${EXTENSION}`, import.meta.url);
}

import type * as Iron from 'iron-webcrypto';

let loading: Promise<typeof Iron> | undefined;

/** Loads iron-webcrypto when something is sealed for the first time; this file alone imports it. */
export function loadIron(): Promise<typeof Iron> {
  loading ??= import('iron-webcrypto');
  return loading;
}

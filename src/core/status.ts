import { STATUS_CODES } from 'node:http';

/** The usual reason phrase of a status code. */
export function findReason(code: number): string {
  return STATUS_CODES[code] ?? 'Unknown';
}

/** Made once: the same text each time is quickly told from others. */
const STATUSES: readonly string[] = Array.from({ length: 600 }, (_, code) => `${code} ${findReason(code)}`);

/** A status as `startResponse` takes it: `404 Not Found`. */
export function formatStatus(code: number): string {
  return STATUSES[code] ?? `${code} ${findReason(code)}`;
}

import { STATUS_CODES } from 'node:http';

/** The usual reason phrase of a status code. */
export function findReason(code: number): string {
  return STATUS_CODES[code] ?? 'Unknown';
}

/** A status as `startResponse` takes it: `404 Not Found`. */
export function formatStatus(code: number): string {
  return `${code} ${findReason(code)}`;
}

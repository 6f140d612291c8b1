/** Tells the ids of one process from those of another. */
const PROCESS_PREFIX = Math.random().toString(36).slice(2, 8).padEnd(6, '0');
let count = 0;

/** A short id for log lines: unique in this process, and very likely among processes. No secret. */
export function nextRequestId(): string {
  count++;
  return `${PROCESS_PREFIX}-${count.toString(36)}`;
}

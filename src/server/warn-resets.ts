import { readFileSync } from 'node:fs';
import type { Logger } from '../core/logger.js';

const SETTING = '/proc/sys/net/ipv4/tcp_migrate_req';

/** Says that the kernel resets connections that wait at a worker which stops, where it does. */
export function warnResets(logger: Logger): void {
  let value = '';
  try {
    value = readFileSync(SETTING, 'utf8').trim();
  } catch {
    // Not Linux, or one that does not know it: there is nothing to be set.
  }
  if (value === '0')
    logger.warn(
      {},
      'net.ipv4.tcp_migrate_req is 0: connections that wait for a worker are reset when it is replaced; sysctl -w net.ipv4.tcp_migrate_req=1',
    );
}

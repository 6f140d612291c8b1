import { scryptSync } from 'node:crypto';
import { HASH } from '../../lib/executor-answers.mjs';

/** What runs in the threads of piscina. */

export function noop() {}

export const hash = () => ({ hash: scryptSync(HASH.password, HASH.salt, HASH.bytes, HASH.cost).toString('hex') });
export default hash;

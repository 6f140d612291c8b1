import { VelaError } from './errors.js';

export const ANSWERED = 'the request was answered already, in one go; read it while the handler is called';
export const UNDECLARED = 'the handler declares the headers that it reads later, and not this one; add it';

/** An error for who reads what is gone. */
export function expired(what: string, why: string): VelaError {
  return new VelaError('ERR_ENVIRON_EXPIRED', `${what} cannot be read any more: ${why}`);
}

import { describeValue, ImproperlyConfigured } from '../core/errors.js';

const LARGEST_ID = 2 ** 32 - 2;
const LARGEST_UMASK = 0o777;

/** A user or group, by name or number; whether there is one is asked when it is needed. @throws {ImproperlyConfigured} */
export function checkUser(name: string, value: unknown): string | number {
  const given = typeof value === 'string' && /^\d{1,10}$/.test(value) ? Number(value) : value;
  const isId = Number.isInteger(given) && (given as number) >= 0 && (given as number) <= LARGEST_ID;
  // As useradd takes them, and those of directories: dots, capitals, a domain behind @.
  if (isId || (typeof given === 'string' && /^[A-Za-z_][\w.@-]*\$?$/.test(given)))
    return given as string | number;
  throw new ImproperlyConfigured(`${name} must be a name or a number; received ${describeValue(value)}`);
}

/** A umask as octal text. @throws {ImproperlyConfigured} */
export function checkUmask(name: string, value: unknown): string {
  const given = typeof value === 'string' && /^(?:0o)?[0-7]{1,4}$/.test(value) ? parseUmask(value) : value;
  if (Number.isInteger(given) && (given as number) >= 0 && (given as number) <= LARGEST_UMASK)
    return formatUmask(given as number);
  throw new ImproperlyConfigured(
    `${name} must be an octal text, such as "022", or a number to 0o777; received ${describeValue(value)}`,
  );
}

/** @param text - octal digits */
export function parseUmask(text: string): number {
  return Number.parseInt(text.replace('0o', ''), 8);
}

function formatUmask(mask: number): string {
  return mask.toString(8).padStart(4, '0');
}

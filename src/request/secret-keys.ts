import { describeValue } from '../core/errors.js';

/** HMAC-SHA256 and AES-256 gain nothing from more, and lose with less. */
const MIN_SECRET_BYTES = 32;
const REMEDY = `make one with node -p "crypto.randomBytes(32).toString('base64url')"`;

/** A secret: text or bytes, 32 bytes or longer. */
export type Secret = string | Uint8Array;

/**
 * Secrets as bytes, the current one first.
 * @throws {TypeError} for none, for one that is shorter than 32 bytes, and for one that is given twice
 */
export function requireSecrets(option: string, secrets: readonly Secret[]): Buffer[] {
  if (!Array.isArray(secrets) || secrets.length === 0) {
    throw new TypeError(
      `Option "${option}" must be an array of secrets, the current one first; received ${describeSecrets(secrets)}`,
    );
  }
  const checked = (secrets as readonly unknown[]).map((secret) => requireSecret(option, secret));
  checked.forEach((secret, index) => {
    if (checked.findIndex((other) => other.equals(secret)) !== index)
      throw new TypeError(`Option "${option}" has the same secret twice`);
  });
  return checked;
}

/** Never tells a secret. */
function requireSecret(option: string, secret: unknown): Buffer {
  if (typeof secret !== 'string' && !(secret instanceof Uint8Array)) {
    throw new TypeError(
      `Option "${option}" takes secrets as text or bytes; received ${describeSecret(secret)}`,
    );
  }
  const bytes = Buffer.from(secret as Uint8Array);
  if (bytes.length < MIN_SECRET_BYTES) {
    throw new TypeError(
      `Option "${option}" takes secrets of ${MIN_SECRET_BYTES} bytes or more; received one of ${bytes.length}: ${REMEDY}`,
    );
  }
  return bytes;
}

/** What is no secret; undefined is most often a variable that is not set. */
function describeSecret(secret: unknown): string {
  if (secret === undefined) return 'undefined: is the environment variable set?';
  return typeof secret === 'number' || typeof secret === 'bigint'
    ? `a ${typeof secret}`
    : describeValue(secret);
}

function describeSecrets(secrets: unknown): string {
  return typeof secrets === 'string' ? 'a text: put it into an array' : describeValue(secrets);
}

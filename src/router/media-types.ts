import { describeValue } from '../core/errors.js';

/** A type, and a range of types (RFC 9110 §8.3.1, §12.5.1), in lower case. */
const TOKEN = "[!#$%&'*+.^_`|~0-9a-z-]+";
const TYPE = new RegExp(`^(?!.*\\*)${TOKEN}/${TOKEN}(?:; *${TOKEN}=(?:${TOKEN}|"[^"\\\\]*"))*$`, 'i');
const RANGE = new RegExp(
  `^(?:\\*/\\*|(?!\\*)(?:(?!\\*)${TOKEN})/(?:\\*|\\*\\+(?!.*\\*)${TOKEN}|(?!.*\\*)${TOKEN}))$`,
);

/** `accepts` of a route: types of bodies, or ranges of them. @throws {TypeError} */
export function resolveAccepts(owner: string, accepts: unknown): readonly string[] | undefined {
  const types = requireTexts(owner, 'accepts', accepts);
  const wrong = types?.find((one) => !RANGE.test(one));
  if (wrong === undefined) return types;
  throw mediaError(
    owner,
    'accepts',
    "media types in lower case and without parameters, 'application/json', 'image/*', 'application/*+json'",
    wrong,
  );
}

/** `produces` of a route: types of responses. @throws {TypeError} */
export function resolveProduces(owner: string, produces: unknown): readonly string[] | undefined {
  const types = requireTexts(owner, 'produces', produces);
  const wrong = types?.find((one) => !TYPE.test(one));
  if (wrong === undefined) return types;
  throw mediaError(owner, 'produces', "media types, 'application/json'", wrong);
}

/** Whether a type is one of those that a range stands for. @param type - in lower case, without parameters */
export function isInRange(type: string, range: string): boolean {
  if (range === type || range === '*/*') return true;
  const star = range.indexOf('*');
  if (star === -1) return false;
  const suffix = range.slice(star + 1);
  return type.length > range.length - 1 && type.startsWith(range.slice(0, star)) && type.endsWith(suffix);
}

function requireTexts(owner: string, option: string, value: unknown): readonly string[] | undefined {
  if (value === undefined) return undefined;
  const isList = Array.isArray(value) && value.length > 0 && value.every((one) => typeof one === 'string');
  if (!isList) throw mediaError(owner, option, "a list of media types, ['application/json']", value);
  return Object.freeze([...(value as string[])]);
}

function mediaError(owner: string, option: string, expected: string, received: unknown): TypeError {
  return new TypeError(
    `Option "${option}" of ${owner} must be ${expected}; received ${describeValue(received)}`,
  );
}

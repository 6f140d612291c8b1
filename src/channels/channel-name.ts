import { describeValue } from '../core/errors.js';

/** Longest name of a channel or pattern, in UTF-16 units. */
const LONGEST_CHANNEL = 256;
/** Whoever takes patterns. */
const PATTERNED = ['subscribe', 'events'];

/** Whether a name stands for all channels that match it. */
export function isPattern(name: string): boolean {
  return name.includes('*');
}

/** @throws {TypeError} for what is no name of one channel */
export function requireChannel(owner: string, name: unknown): string {
  return requireTarget(owner, name, false);
}

/**
 * @param mayBePattern - whoever names it has said so: a name that comes from a client must not stand for the channels of others
 * @throws {TypeError} for what is no name of a channel, and no pattern
 */
export function requireTarget(owner: string, name: unknown, mayBePattern: boolean): string {
  // Half a surrogate pair would be U+FFFD elsewhere, as any other one.
  if (
    typeof name !== 'string' ||
    name === '' ||
    name.length > LONGEST_CHANNEL ||
    /[\p{Cc}\p{Cs}]/u.test(name)
  )
    throw new TypeError(
      `${owner}() takes the name of a channel, 1 to ${LONGEST_CHANNEL} characters and none of them a control character or half of one, such as 'room:7'; received ${describeValue(name)}`,
    );
  if (isPattern(name) && !mayBePattern) {
    const remedy = PATTERNED.includes(owner) ? ': where that is wanted, say { isPattern: true }' : '';
    throw new TypeError(
      `${owner}() takes the name of one channel, and "*" stands for several${remedy}; received ${describeValue(name)}`,
    );
  }
  return name;
}

/** A pattern as a test of channels: each `*` stands for any characters, or none. It takes linear time. */
export function compilePattern(pattern: string): (channel: string) => boolean {
  const parts = pattern.split('*');
  const first = parts[0] as string;
  const last = parts.at(-1) as string;
  const between = parts.slice(1, -1).filter((part) => part !== '');
  return (channel) => {
    const end = channel.length - last.length;
    if (end < first.length || !channel.startsWith(first) || !channel.endsWith(last)) return false;
    let at = first.length;
    for (const part of between) {
      const found = channel.indexOf(part, at);
      if (found === -1 || found + part.length > end) return false;
      at = found + part.length;
    }
    return true;
  };
}

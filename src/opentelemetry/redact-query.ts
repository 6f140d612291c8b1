/** Parameters that carry credentials of signed URLs: those of the semantic conventions, and those of AWS' signature 4. */
const SENSITIVE_PARAMETERS = [
  'AWSAccessKeyId',
  'Signature',
  'sig',
  'X-Goog-Signature',
  'X-Amz-Credential',
  'X-Amz-Security-Token',
  'X-Amz-Signature',
];

/**
 * Makes a function that hides the values of some parameters: `q=1&sig=REDACTED`. Names are compared decoded, in any case.
 * @param further - names beside the usual ones
 */
export function createRedactor(further: readonly string[]): (query: string) => string {
  const names = new Set([...SENSITIVE_PARAMETERS, ...further].map((name) => name.toLowerCase()));
  const isSensitive = (name: string) => names.has(decodeName(name).toLowerCase());
  return (query) => {
    let redacted = '';
    let copied = 0;
    for (let at = 0; at < query.length; ) {
      const mark = query.indexOf('&', at);
      const end = mark === -1 ? query.length : mark;
      const equals = query.indexOf('=', at);
      // Without a value further on there is nothing to hide.
      if (equals === -1) break;
      if (equals < end && isSensitive(query.slice(at, equals))) {
        redacted += `${query.slice(copied, equals)}=REDACTED`;
        copied = end;
      }
      at = end + 1;
    }
    return copied === 0 ? query : redacted + query.slice(copied);
  };
}

function decodeName(name: string): string {
  if (!name.includes('%') && !name.includes('+')) return name;
  try {
    return decodeURIComponent(name.replaceAll('+', ' '));
  } catch {
    return name;
  }
}

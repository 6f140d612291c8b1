/** A whole segment in braces, a parameter elsewhere: here an optional text, which nobody means. */
export const PLACEHOLDER = /\/\{([A-Za-z_]\w*)\}(?=\/|$)/;

/** Ways to write a path that path-to-regexp has no more, and what to write instead. */
const HINTS: readonly (readonly [RegExp, (...groups: string[]) => string])[] = [
  [
    /:(\w+)\((?:[^()]|\([^()]*\))*\)/,
    (name) =>
      `regular expressions in paths are no more: write ":${name}" and give "params: { ${name}: ... }" a converter such as 'int' or a function`,
  ],
  [/\/:(\w+)\?/, (name) => `"/:${name}?" is now "{/:${name}}"`],
  [/:(\w+)\?/, (name) => `":${name}?" is now "{:${name}}"`],
  [/\/:(\w+)\+/, (name) => `"/:${name}+" is now "/*${name}"`],
  [/\/:(\w+)\*/, (name) => `"/:${name}*" is now "{/*${name}}"`],
  [/\/\*\*|\/\(\.\*\)/, () => `write "/*path": a wildcard has a name`],
  [/\*(?=$|\/|\.)/, () => `"*" is now "*path": a wildcard has a name`],
  [/<(?:[\w]+(?:\([^)]*\))?:)?(\w+)>/, (name) => `"<${name}>" is ":${name}" here`],
  [PLACEHOLDER, (name) => `"{${name}}" is ":${name}" here`],
  [/\[(\w+)\]/, (name) => `"[${name}]" is ":${name}" here`],
  [/^[^/{]/, () => 'it must begin with a slash'],
];

/** What to write instead of a path in the style of another library; undefined when nothing is known. */
export function hintPattern(source: string): string | undefined {
  for (const [form, hint] of HINTS) {
    const match = form.exec(source);
    if (match !== null) return hint(...match.slice(1));
  }
  return undefined;
}

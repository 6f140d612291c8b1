import { expandPattern, type FlatToken, parsePattern } from '../router/path-pattern.js';

/** A path as OpenAPI writes it: `/users/{id}`. */
export interface PathTemplate {
  readonly template: string;
  readonly params: readonly TemplateParam[];
}

/** A parameter of a path. */
export interface TemplateParam {
  /** As the document names it. */
  readonly name: string;
  /** As the route names it. */
  readonly source: string;
  readonly isWildcard: boolean;
}

/**
 * All that a route's path stands for, with and without its optional groups; the longest first. Two templates that differ
 * only in names are one path for OpenAPI, so the names of the one that came first are taken.
 * @param known - templates by their form, to which new ones are added
 */
export function listTemplates(path: string, known: Map<string, PathTemplate>): PathTemplate[] {
  const templates = expandPattern(parsePattern(path).tokens).map((tokens) => {
    const made = makeTemplate(tokens, (name) => name.replaceAll(/[{}/?#]/g, '_'));
    const form = made.template.replaceAll(/\{[^}]*\}/g, '{}');
    const first = known.get(form);
    if (first === undefined) {
      known.set(form, made);
      return made;
    }
    const names = first.params.map(({ name }) => name);
    return makeTemplate(tokens, (_name, index) => names[index] as string);
  });
  return [...new Map(templates.map((one) => [one.template, one])).values()];
}

function makeTemplate(
  tokens: readonly FlatToken[],
  rename: (name: string, index: number) => string,
): PathTemplate {
  const params: TemplateParam[] = [];
  let template = '';
  for (const token of tokens) {
    if (token.type === 'text') {
      template += token.value.replaceAll('{', '%7B').replaceAll('}', '%7D');
      continue;
    }
    const name = rename(token.name, params.length);
    params.push({ name, source: token.name, isWildcard: token.type === 'wildcard' });
    template += `{${name}}`;
  }
  return { template: template === '' ? '/' : template, params };
}

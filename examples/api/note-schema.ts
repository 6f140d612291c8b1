import type { SchemaIssue, StandardSchemaV1 } from 'vela';

/** What a client says of a note. */
export interface NoteFields {
  readonly title: string;
  readonly text: string;
  readonly tags: readonly string[];
}

/** A schema written by hand, to show what `request.json()` asks of one: zod, valibot and arktype make them too. */
export const noteSchema: StandardSchemaV1<unknown, NoteFields> = {
  '~standard': { version: 1, vendor: 'example', validate },
};

const KNOWN = ['title', 'text', 'tags'];

function validate(value: unknown) {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return { issues: [{ message: 'must be an object' }] };
  const { title, text = '', tags = [] } = value as Record<string, unknown>;
  const issues: SchemaIssue[] = Object.keys(value)
    .filter((key) => !KNOWN.includes(key))
    .map((key) => ({ path: [key], message: `is not known; a note has ${KNOWN.join(', ')}` }));
  if (!isText(title, 200) || title.trim() === '')
    issues.push({ path: ['title'], message: 'must be text of 1 to 200 characters' });
  if (!isText(text, 10_000))
    issues.push({ path: ['text'], message: 'must be text of up to 10,000 characters' });
  if (!Array.isArray(tags) || tags.length > 20)
    issues.push({ path: ['tags'], message: 'must be a list of up to 20 tags' });
  else
    for (const [index, tag] of tags.entries())
      if (!isText(tag, 50) || tag === '')
        issues.push({ path: ['tags', index], message: 'must be text of 1 to 50 characters' });
  return issues.length > 0 ? { issues } : { value: { title, text, tags } as NoteFields };
}

function isText(value: unknown, limit: number): value is string {
  return typeof value === 'string' && value.length <= limit;
}

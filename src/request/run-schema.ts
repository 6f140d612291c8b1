import { describeValue, isThenable, VelaError } from '../core/errors.js';
import type { HttpErrorDetail } from '../core/http-error.js';
import { own } from '../core/own.js';
import type { SchemaIssue, SchemaResult, StandardSchemaV1 } from './standard-schema.js';

/** As many issues are told: a list of 100,000 wrong items is no larger an answer. */
const MAX_ISSUES = 100;
/** As many characters of a place and of a message: keys come from the client, and stand in every issue below them. */
const MAX_TEXT = 500;

/** What a schema makes of a value: at once, unless the schema itself is asynchronous. */
export type SchemaOutcome = SchemaResult<unknown> | Promise<SchemaResult<unknown>>;

/** @throws {TypeError} for something that is no Standard Schema */
export function checkSchema(schema: unknown, option = 'schema'): void {
  if (isSchema(schema)) return;
  throw new TypeError(
    `Option "${option}" must be a Standard Schema, with '~standard'.validate, as zod, valibot and arktype make them; received ${describeValue(schema)}`,
  );
}

/** True for a Standard Schema; those of arktype are functions. */
export function isSchema(value: unknown): value is StandardSchemaV1 {
  const isHolder = (typeof value === 'object' && value !== null) || typeof value === 'function';
  const standard: unknown = isHolder && '~standard' in value ? value['~standard'] : undefined;
  return (
    typeof standard === 'object' &&
    standard !== null &&
    'validate' in standard &&
    typeof standard.validate === 'function'
  );
}

/**
 * Asks a schema. What it throws, or rejects with, goes on as it is.
 * @throws {VelaError} `ERR_SCHEMA_RESULT` for an answer that Standard Schema does not know
 */
export function runSchema(schema: StandardSchemaV1, value: unknown): SchemaOutcome {
  const result: unknown = schema['~standard'].validate(value);
  return isThenable(result) ? own(Promise.resolve(result).then(checkResult)) : checkResult(result);
}

/**
 * Issues as they are told: the first hundred, each with its place as a JSON pointer (RFC 6901) below a prefix. Texts of more
 * than 500 characters are cut.
 */
export function describeIssues(issues: readonly SchemaIssue[], prefix = ''): HttpErrorDetail[] {
  return issues
    .slice(0, MAX_ISSUES)
    .map((issue) => ({ path: cut(prefix + formatPointer(issue)), message: cut(issue.message) }));
}

function checkResult(result: unknown): SchemaResult<unknown> {
  if (typeof result === 'object' && result !== null) {
    const { issues } = result as { issues?: unknown };
    if (issues === undefined && 'value' in result) return result as SchemaResult<unknown>;
    if (Array.isArray(issues) && issues.every(isIssue)) return { issues };
  }
  throw new VelaError(
    'ERR_SCHEMA_RESULT',
    `A schema must answer with { value } or { issues: [{ message, path? }] }, as Standard Schema has it; it gave ${describeValue(result)}`,
  );
}

function isIssue(issue: unknown): issue is SchemaIssue {
  if (typeof issue !== 'object' || issue === null) return false;
  const { message, path } = issue as { message?: unknown; path?: unknown };
  return (
    typeof message === 'string' && (path === undefined || (Array.isArray(path) && path.every(isSegment)))
  );
}

function isSegment(segment: unknown): boolean {
  if (typeof segment === 'object') return segment !== null && 'key' in segment && isKey(segment.key);
  return isKey(segment);
}

function isKey(key: unknown): boolean {
  return typeof key === 'string' || typeof key === 'number' || typeof key === 'symbol';
}

function formatPointer({ path = [] }: SchemaIssue): string {
  return (
    path
      .map((segment) => String(typeof segment === 'object' ? segment.key : segment))
      // Cut before a copy is made of it.
      .map(cut)
      .map((key) => `/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`)
      .join('')
  );
}

function cut(text: string): string {
  return text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}…` : text;
}

import type { Part, StartResponse } from '../core/contract.js';
import { isThenable } from '../core/errors.js';
import { type HttpErrorDetail, UnprocessableEntity } from '../core/http-error.js';
import { carryPart } from '../core/parts.js';
import { describeIssues, runSchema, type SchemaOutcome } from '../request/run-schema.js';
import type { SchemaResult, StandardSchemaV1 } from '../request/standard-schema.js';
import type { WsgiRequest } from '../request/wsgi-request.js';
import { checkResult } from './check-result.js';
import { bodyReader, listHeaders, onceAsked, toValues } from './request-values.js';
import type { RouteContract } from './route-contract.js';
import type { AnyHandler } from './route-request.js';

/** A part of the request that is there with its head: its name in `request.valid`, its schema, and how it is read. */
type HeadPart = readonly [name: string, schema: StandardSchemaV1, read: (request: WsgiRequest) => unknown];

/** What the schemas have made, by the part of the request. */
type ValidValues = Record<string, unknown>;

type Valid = ValidValues | Promise<ValidValues>;

/** A handler, whatever its types; it gets `startResponse` when it has a parameter for it. */
type Call = (request: WsgiRequest, startResponse?: StartResponse) => unknown;

/**
 * A route's handler behind the schemas of its route: it is called with what they let through as `request.valid`, and what
 * it returns is held against those of its responses. Synchronous schemas add no promise but the wait for the body.
 * @returns the handler itself for a route without schemas
 * @throws {TypeError} for a handler that starts responses itself, where there are schemas for them
 */
export function keepContract(handler: AnyHandler, contract: RouteContract, where: () => string): AnyHandler {
  const { responses } = contract;
  const isStarter = handler.length > 1;
  if (responses !== undefined && isStarter)
    throw new TypeError(
      `The route ${where()} has "response", so its handler returns its value, and cannot take startResponse`,
    );
  const checkRequest = requestChecker(contract);
  if (checkRequest === undefined && responses === undefined) return handler;
  const call = handler as Call;
  const answer: Call =
    responses === undefined
      ? call
      : (request, start) => follow(call(request, start), checkResult(request, responses, contract, where));
  const kept: Call =
    checkRequest === undefined
      ? answer
      : (request, start) =>
          follow(checkRequest(request), (valid) => {
            request.environ['vela.valid'] = valid;
            return answer(request, start);
          });
  const inOrder: Call = isStarter ? (request, start) => kept(request, start) : (request) => kept(request);
  const named = Object.defineProperty(inOrder, 'name', { value: handler.name }) as AnyHandler;
  return carryPart(handler as Part, named);
}

/** What makes `request.valid`; undefined for a route without schemas for requests. */
function requestChecker(contract: RouteContract): ((request: WsgiRequest) => Valid) | undefined {
  const { body } = contract;
  const parts = listHeadParts(contract);
  const names = parts.map(([name]) => name);
  const checkHead = (request: WsgiRequest) => takeHead(parts, names, request);
  if (body === undefined) return parts.length === 0 ? undefined : checkHead;
  const read = bodyReader(body, contract);
  return async (request) => {
    const valid = await checkHead(request);
    const result = await runSchema(body, await read(request.environ));
    return { ...valid, ...takeValues(['body'], [result]) };
  };
}

function listHeadParts({ params, query, headers }: RouteContract): HeadPart[] {
  const parts: HeadPart[] = [];
  if (params !== undefined) parts.push(['params', params, (request) => request.params]);
  if (query !== undefined) {
    const lists = onceAsked(query);
    parts.push(['query', query, (request) => toValues(request.query, lists(), 'The query')]);
  }
  if (headers !== undefined) parts.push(['headers', headers, ({ environ }) => listHeaders(environ)]);
  return parts;
}

/** What is wrong in all parts of the head is told at once, and before the body is read. */
function takeHead(parts: readonly HeadPart[], names: readonly string[], request: WsgiRequest): Valid {
  const outcomes: SchemaOutcome[] = [];
  for (let i = 0; i < parts.length; i++) {
    const [, schema, read] = parts[i] as HeadPart;
    outcomes.push(runSchema(schema, read(request)));
  }
  return outcomes.some(isThenable)
    ? Promise.all(outcomes).then((results) => takeValues(names, results))
    : takeValues(names, outcomes as SchemaResult<unknown>[]);
}

/** @throws {UnprocessableEntity} with the issues of all parts, up to a hundred each */
function takeValues(names: readonly string[], results: readonly SchemaResult<unknown>[]): ValidValues {
  const values: ValidValues = {};
  const details: HttpErrorDetail[] = [];
  for (let i = 0; i < names.length; i++) {
    const result = results[i] as SchemaResult<unknown>;
    const name = names[i] as string;
    if (result.issues === undefined) values[name] = result.value;
    else details.push(...describeIssues(result.issues, `/${name}`));
  }
  if (details.length > 0)
    throw new UnprocessableEntity('The request does not fit what is expected', { details });
  return values;
}

/** Goes on with a value, or with what a promise gives. */
function follow<T>(value: T | PromiseLike<T>, next: (value: T) => unknown): unknown {
  return isThenable(value) ? (value as PromiseLike<T>).then(next) : next(value as T);
}

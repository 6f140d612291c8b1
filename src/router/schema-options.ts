import type { TAKEN } from '../core/contract.js';
import type { WsgiResponse } from '../core/wsgi-response.js';
import type { SchemaInput, SchemaOutput, StandardSchemaV1 } from '../request/standard-schema.js';
import type { HandlerResult } from './handler-result.js';
import type { OperationOptions } from './operation-options.js';
import type { Reply } from './reply.js';

/** What bodies are read as: JSON, or the fields of a form, urlencoded or multipart, without files. */
export type BodyType = 'json' | 'form';

/** Schemas of responses by their status; null for a status without content. */
export type ResponseMap = Readonly<Record<number, StandardSchemaV1 | null>>;

/** The schema of a route's response with status 200, or schemas by status. */
export type ResponseOption = StandardSchemaV1 | ResponseMap;

/** Schemas of a route, of zod, valibot, arktype or another library of standardschema.dev; what they make is `request.valid`. */
export interface SchemaOptions<
  B extends StandardSchemaV1 | undefined = StandardSchemaV1 | undefined,
  Q extends StandardSchemaV1 | undefined = StandardSchemaV1 | undefined,
  H extends StandardSchemaV1 | undefined = StandardSchemaV1 | undefined,
  R extends ResponseOption | undefined = ResponseOption | undefined,
> {
  /** Of the body; see `bodyTypes`. */
  body?: B;
  /** Of the query, as an object of texts; lists of them where the schema says so, and where a name comes again. */
  query?: Q;
  /** Of the request's headers, as an object of texts with names in lower case. */
  headers?: H;
  /** Of what the handler returns. */
  response?: R;
  /** How a body may come. A form is for a schema of an object. @defaultValue `['json']` */
  bodyTypes?: readonly BodyType[];
  /** Largest body, in bytes; a larger one is 413. @defaultValue 1 MiB */
  limitBytes?: number;
  /**
   * What becomes of a response that does not fit: `refuse` makes it 500 and logs what is wrong; `log` sends it as the
   * handler gave it, and logs the same. @defaultValue `refuse`
   */
  responseMismatch?: 'refuse' | 'log';
  /** For OpenAPI documents: laid over what is made of the route; false leaves the route out. */
  openapi?: OperationOptions | false;
}

/** What a route's schemas have made of the request: only of what has a schema. */
export type Valid<P, Q, H, B> = Flat<Of<'params', P> & Of<'query', Q> & Of<'headers', H> & Of<'body', B>>;

/** What a handler may return, where its route has schemas for it; another status than that of a bare value by `reply()`. */
export type CheckedResult<R> = R extends StandardSchemaV1
  ? Unchecked | SchemaInput<R> | Reply<200, SchemaInput<R>>
  : R extends ResponseMap
    ? Sent | PassedOn<R> | BareValue<R> | Replies<R>
    : HandlerResult;

/** What is sent as it is, or passes the request on. */
type Unchecked = Sent | undefined | null | void;

type Sent = WsgiResponse | typeof TAKEN;

/** Where success has no content, a handler that ends without a value most likely means success: it says which it is. */
type PassedOn<R extends ResponseMap> =
  LowestStatus<R> extends infer Status extends keyof R
    ? R[Status] extends null
      ? null
      : undefined | null | void
    : undefined | null | void;

type Replies<R extends ResponseMap> = {
  [Status in keyof R & number]: Reply<
    Status,
    R[Status] extends StandardSchemaV1 ? SchemaInput<R[Status]> : undefined
  >;
}[keyof R & number];

/** A bare value goes with the lowest status of success. */
type BareValue<R extends ResponseMap> =
  LowestStatus<R> extends infer Status extends keyof R
    ? R[Status] extends StandardSchemaV1
      ? SchemaInput<R[Status]>
      : never
    : never;

type LowestStatus<R> = FirstKey<R, [200, 201, 202, 203, 204, 205, 206, 207, 208, 226]>;

type FirstKey<R, Statuses extends readonly number[]> = Statuses extends readonly [
  infer First extends number,
  ...infer Rest extends readonly number[],
]
  ? First extends keyof R
    ? First
    : FirstKey<R, Rest>
  : never;

type Of<Name extends string, S> = S extends StandardSchemaV1
  ? { readonly [Key in Name]: SchemaOutput<S> }
  : unknown;

/** One object type in place of several. */
type Flat<T> = { [Key in keyof T]: T[Key] };

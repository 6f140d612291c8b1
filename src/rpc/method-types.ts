import type { SchemaInput, SchemaOutput, StandardSchemaV1 } from '../request/standard-schema.js';
import type { JsonKindName, JsonKinds } from './json-kind.js';

/**
 * A parameter: its name, or its name with a kind or a schema. After a name that begins with `...` come as many values as the
 * client gives.
 */
export type JsonRpcParam = string | readonly [name: string, type: JsonKindName | StandardSchemaV1];

/** The parameters of a method in order, which clients give by position or by name; or one schema for `params` as a whole. */
export type JsonRpcParams = readonly JsonRpcParam[] | StandardSchemaV1;

/** What a client's compiler knows of a method. */
export interface JsonRpcMethodType {
  /** The parameters by position; `never` where they are given by name alone. */
  readonly args: readonly unknown[];
  /** The parameters by name; `never` where they are given by position alone. */
  readonly named: unknown;
  /** What comes back, after JSON. */
  readonly result: unknown;
}

/** Methods by their whole names. */
export type JsonRpcMethods = Readonly<Record<string, JsonRpcMethodType>>;

/** The type of a method for its client. */
export interface MethodType<P extends JsonRpcParams, R, Result> {
  readonly args: ClientArgs<P>;
  readonly named: ClientNamed<P>;
  readonly result: JsonOf<R extends StandardSchemaV1 ? SchemaOutput<R> : Awaited<Result>>;
}

/** The methods of a handler below a prefix. */
export type Prefixed<Prefix extends string, M> = {
  readonly [Name in keyof M & string as `${Prefix}.${Name}`]: M[Name];
};

/** What a handler is called with, after the call itself. */
export type HandlerArgs<P extends JsonRpcParams> = P extends readonly JsonRpcParam[]
  ? Positions<P, 'output'>
  : P extends StandardSchemaV1
    ? [params: SchemaOutput<P>]
    : never;

/** What a handler may return. */
export type HandlerResult<R, Result> = R extends StandardSchemaV1
  ? SchemaInput<R> | PromiseLike<SchemaInput<R>>
  : Result;

/** A value after JSON: what has `toJSON` is what that gives, functions are gone, nothing is null. */
export type JsonOf<T> = unknown extends T
  ? T
  : T extends { toJSON(...args: never[]): infer J }
    ? JsonOf<J>
    : T extends string | number | boolean | null
      ? T
      : T extends undefined | void
        ? null
        : T extends bigint | symbol | ((...args: never[]) => unknown)
          ? never
          : T extends readonly unknown[]
            ? { [Key in keyof T]: JsonOf<T[Key]> }
            : {
                [Key in keyof T as T[Key] extends symbol | ((...args: never[]) => unknown)
                  ? never
                  : Key]: undefined extends T[Key]
                  ? JsonOf<Exclude<T[Key], undefined>> | undefined
                  : JsonOf<T[Key]>;
              };

type ClientArgs<P extends JsonRpcParams> = P extends readonly JsonRpcParam[]
  ? Positions<P, 'input'>
  : P extends StandardSchemaV1
    ? Extract<SchemaInput<P>, readonly unknown[]>
    : never;

type ClientNamed<P extends JsonRpcParams> = P extends readonly JsonRpcParam[]
  ? Flat<
      { readonly [One in RequiredOf<P[number]> as NameOf<One>]: TypeOf<One, 'input'> } & {
        readonly [One in OptionalOf<P[number]> as NameOf<One>]?: TypeOf<One, 'input'>;
      }
    >
  : P extends StandardSchemaV1
    ? Exclude<SchemaInput<P>, readonly unknown[]>
    : never;

/** Which side of a schema: what clients give, or what handlers get. */
type Side = 'input' | 'output';

type Positions<P extends readonly unknown[], S extends Side> = P extends readonly [infer One, ...infer Rest]
  ? IsRest<One> extends true
    ? TypeOf<One, S>
    : S extends 'output'
      ? [TypeOf<One, S>, ...Positions<Rest, S>]
      : IsOptional<One> extends true
        ? [TypeOf<One, S>?, ...Positions<Rest, S>]
        : [TypeOf<One, S>, ...Positions<Rest, S>]
  : [];

type TypeOf<One, S extends Side> = IsRest<One> extends true ? SingleType<One, S>[] : SingleType<One, S>;

type SingleType<One, S extends Side> = One extends readonly [string, infer Type]
  ? Type extends StandardSchemaV1
    ? S extends 'input'
      ? SchemaInput<Type>
      : SchemaOutput<Type>
    : Type extends keyof JsonKinds
      ? JsonKinds[Type]
      : Type extends `${infer Kind extends keyof JsonKinds}?`
        ? JsonKinds[Kind] | undefined
        : never
  : unknown;

type FullName<One> = One extends readonly [infer Name extends string, unknown] ? Name : One;

/** Of none, a mapped type asks too. */
type NameOf<One> = [One] extends [never]
  ? never
  : FullName<One> extends `...${infer Name}`
    ? Name
    : FullName<One> extends string
      ? FullName<One>
      : never;

type IsRest<One> = FullName<One> extends `...${string}` ? true : false;

type IsOptional<One> =
  IsRest<One> extends true
    ? true
    : One extends readonly [string, infer Type]
      ? Type extends `${string}?`
        ? true
        : Type extends StandardSchemaV1
          ? undefined extends SchemaInput<Type>
            ? true
            : false
          : false
      : false;

type OptionalOf<One> = One extends unknown ? (IsOptional<One> extends true ? One : never) : never;
type RequiredOf<One> = One extends unknown ? (IsOptional<One> extends true ? never : One) : never;

/** One object type in place of several. */
type Flat<T> = { [Key in keyof T]: T[Key] };

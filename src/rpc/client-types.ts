import type { JsonRpcHandler } from './json-rpc-handler.js';
import type { JsonRpcMethods, JsonRpcMethodType } from './method-types.js';

/** The methods of a handler's type, or of a type that lists them. */
export type MethodsOf<H> =
  H extends JsonRpcHandler<infer M> ? M : H extends JsonRpcMethods ? H : Record<string, AnyMethod>;

/** A method of which nothing is known. */
interface AnyMethod extends JsonRpcMethodType {
  readonly args: readonly unknown[];
  readonly named: Readonly<Record<string, unknown>> | undefined;
  readonly result: never;
}

/** How one call is made. */
export interface JsonRpcCallOptions {
  /** Ends the wait for the answer. The server may go on. */
  signal?: AbortSignal;
  /** How long the answer is waited for, in ms. @defaultValue that of the client */
  timeoutMs?: number;
  /** It may be sent again when the connection breaks. @defaultValue whether the client's `idempotent` has the method */
  isIdempotent?: boolean;
}

/** What may be given as `params`: by position or by name. */
export type ParamsOf<M, Name extends keyof M> = M[Name] extends JsonRpcMethodType
  ? [M[Name]['args']] extends [never]
    ? M[Name]['named']
    : [M[Name]['named']] extends [never]
      ? M[Name]['args']
      : M[Name]['args'] | M[Name]['named']
  : never;

/** Parameters as they follow the name of a method: where there need be none, they may be left out. */
export type GivenParams<M, Name extends keyof M, Options> = M[Name] extends JsonRpcMethodType
  ? [] extends M[Name]['args']
    ? [params?: ParamsOf<M, Name> | undefined, options?: Options]
    : [params: ParamsOf<M, Name>, options?: Options]
  : never;

/** The result of a method; unknown methods give unknown values. */
export type ResultOf<M, Name extends keyof M> = M[Name] extends AnyMethod
  ? [M[Name]['result']] extends [never]
    ? unknown
    : M[Name]['result']
  : M[Name] extends JsonRpcMethodType
    ? M[Name]['result']
    : never;

/** Methods as properties, by the segments of their names: `calc.add(1, 2)`. @param Kind - what a call gives */
export type CallTree<M, Kind extends 'promise' | 'entry', Own> = string extends keyof M
  ? LooseTree<Kind>
  : {
      readonly [Segment in Exclude<FirstOf<keyof M & string>, Own>]: (Segment extends keyof M
        ? ByPosition<M, Segment, Kind>
        : unknown) &
        CallTree<Below<M, Segment>, Kind, never>;
    };

/** A call of a batch, until its answer is there. */
export interface BatchEntry<Result> {
  /** Never there at run time. */
  readonly '~result'?: Result;
}

/** What a compiler names where a method is called by position whose parameters have names alone, as those of an object schema. */
export interface TakesNamesByCall {
  /** Never there at run time. */
  readonly '~use'?: "client.call('name', { ... })";
}

type ByPosition<M, Name extends keyof M, Kind> = M[Name] extends JsonRpcMethodType
  ? [M[Name]['args']] extends [never]
    ? TakesNamesByCall
    : (...args: M[Name]['args']) => Given<ResultOf<M, Name>, Kind>
  : unknown;

type Given<Result, Kind> = Kind extends 'promise' ? Promise<Result> : BatchEntry<Result>;

type FirstOf<Name extends string> = Name extends `${infer First}.${string}` ? First : Name;

type Below<M, Segment extends string> = {
  readonly [Name in keyof M & string as Name extends `${Segment}.${infer Rest}` ? Rest : never]: M[Name];
};

interface LooseTree<Kind> {
  (...args: readonly unknown[]): Given<unknown, Kind>;
  readonly [segment: string]: LooseTree<Kind>;
}

import { stringifyJson } from '../response/json.js';
import type { JsonRpcId } from './json-rpc-call.js';
import { JSON_RPC_CODES, type JsonRpcError } from './json-rpc-error.js';

/** What goes back for a message. */
export interface Answer {
  /** Undefined for nothing: there were only notifications. */
  readonly text: string | undefined;
  /** Of an answer that is one error. */
  readonly errorCode: number | undefined;
}

export const NO_ANSWER: Answer = Object.freeze({ text: undefined, errorCode: undefined });

/** @throws {TypeError} for a result that JSON has no form for */
export function resultAnswer(id: JsonRpcId, result: unknown): Answer {
  const text = result === undefined ? 'null' : stringifyJson(result, 'The result of a method');
  return { text: `{"jsonrpc":"2.0","result":${text},"id":${formatId(id)}}`, errorCode: undefined };
}

/** @throws {TypeError} for data that JSON has no form for */
export function errorAnswer(id: JsonRpcId, error: Pick<JsonRpcError, 'code' | 'message' | 'data'>): Answer {
  const { code, message } = error;
  const data =
    error.data === undefined ? '' : `,"data":${stringifyJson(error.data, 'The data of a JsonRpcError')}`;
  const text = `{"jsonrpc":"2.0","error":{"code":${code},"message":${JSON.stringify(message)}${data}},"id":${formatId(id)}}`;
  return { text, errorCode: code };
}

/** The answers to a batch, in the order of its calls. */
export function joinAnswers(answers: readonly Answer[]): Answer {
  const texts: string[] = [];
  for (const { text } of answers) if (text !== undefined) texts.push(text);
  return texts.length === 0 ? NO_ANSWER : { text: `[${texts.join(',')}]`, errorCode: undefined };
}

export const INTERNAL_ERROR = {
  code: JSON_RPC_CODES.internalError,
  message: 'Internal error',
  data: undefined,
};

function formatId(id: JsonRpcId): string {
  return typeof id === 'string' ? JSON.stringify(id) : String(id);
}

import { describeValue } from '../core/errors.js';
import { answerError } from './client-errors.js';
import { JsonRpcError } from './json-rpc-error.js';

/** What became of one call. */
export type Outcome = PromiseSettledResult<unknown>;

/** An answer of a server as an outcome (JSON-RPC 2.0 §5). */
export function readAnswer(method: string, answer: unknown): Outcome {
  const what = `A call of "${method}"`;
  if (!isObject(answer) || answer.jsonrpc !== '2.0')
    return rejected(answerError(what, `received ${describeValue(answer)}`));
  const { error } = answer;
  if (error !== undefined) return rejected(readError(what, error));
  if ('result' in answer) return { status: 'fulfilled', value: answer.result };
  return rejected(answerError(what, 'it has neither a result nor an error'));
}

/** The answer to each id; what has none stands for all: the server refused the message as a whole. */
export function sortAnswers(value: unknown): { byId: ReadonlyMap<unknown, unknown>; whole: unknown } {
  const answers = Array.isArray(value) ? value : [value];
  const byId = new Map<unknown, unknown>();
  let whole: unknown;
  for (const answer of answers) {
    const id = isObject(answer) ? answer.id : undefined;
    if (typeof id === 'number') byId.set(id, answer);
    else whole ??= answer;
  }
  return { byId, whole };
}

export function rejected(reason: unknown): Outcome {
  return { status: 'rejected', reason };
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function readError(what: string, error: unknown): Error {
  if (!isObject(error) || !Number.isSafeInteger(error.code) || typeof error.message !== 'string')
    return answerError(what, 'its error has no code and message');
  const made = new JsonRpcError(error.code as number, error.message, error.data);
  return Object.assign(made, { isRemote: true });
}

import { isThenable } from '../core/errors.js';
import { type Answer, errorAnswer, INTERNAL_ERROR, joinAnswers, NO_ANSWER, resultAnswer } from './answer.js';
import { CallGate } from './call-gate.js';
import { describeFailure, isDebug, isOver } from './failed-call.js';
import { JsonRpcCall, type JsonRpcContext, type JsonRpcId } from './json-rpc-call.js';
import { JSON_RPC_CODES, JsonRpcError } from './json-rpc-error.js';
import type { MethodTable, ReadyMethod } from './method-table.js';
import { PendingCall } from './pending-call.js';
import { parseMessage, Refusal, readCall, standardError } from './read-message.js';

/** What a dispatcher keeps to. */
export interface DispatchLimits {
  readonly maxDepth: number;
  readonly maxBatchCalls: number;
  readonly maxConcurrentCalls: number;
}

/** Messages in, answers out, over whatever they travel: parses, calls, and puts together. It never throws or rejects. */
export class Dispatcher {
  readonly #limits: DispatchLimits;
  readonly #findTable: () => MethodTable;

  constructor(limits: DispatchLimits, findTable: () => MethodTable) {
    this.#limits = limits;
    this.#findTable = findTable;
  }

  /**
   * Answers a message: at once, where its methods do.
   * @param gate - what calls have to pass, where those of several messages share one
   */
  dispatch(
    message: string | Uint8Array,
    context: JsonRpcContext,
    gate?: CallGate<Answer>,
  ): Answer | Promise<Answer> {
    const value = parseMessage(message, isDebug(context));
    if (value instanceof Refusal) return refuse(value);
    if (Array.isArray(value)) return this.#batch(value, context, gate);
    return gate === undefined ? this.#call(value, context) : this.#callWithin(gate, value, context);
  }

  #batch(
    values: readonly unknown[],
    context: JsonRpcContext,
    gate: CallGate<Answer> | undefined,
  ): Answer | Promise<Answer> {
    const { maxBatchCalls, maxConcurrentCalls } = this.#limits;
    if (values.length === 0)
      return errorAnswer(
        null,
        standardError('invalidRequest', 'Invalid Request', isDebug(context), 'A batch must have a call'),
      );
    if (values.length > maxBatchCalls)
      return errorAnswer(
        null,
        new JsonRpcError(
          JSON_RPC_CODES.invalidRequest,
          `Invalid Request: a batch may have ${maxBatchCalls} calls; received ${values.length}`,
        ),
      );
    const shared = gate ?? new CallGate<Answer>(maxConcurrentCalls, maxBatchCalls);
    const answers = values.map((value) => this.#callWithin(shared, value, context));
    return answers.some(isThenable)
      ? Promise.all(answers).then(joinAnswers)
      : joinAnswers(answers as readonly Answer[]);
  }

  #callWithin(gate: CallGate<Answer>, value: unknown, context: JsonRpcContext): Answer | Promise<Answer> {
    let hasWaited = false;
    const answer = gate.run(
      () => (hasWaited && isOver(context) ? NO_ANSWER : this.#call(value, context)),
      () => this.#refuseBusy(value, context),
    );
    hasWaited = true;
    return answer;
  }

  /** Answers one call. */
  #call(value: unknown, context: JsonRpcContext): Answer | Promise<Answer> {
    const message = readCall(value, this.#limits.maxDepth, isDebug(context));
    if (message instanceof Refusal) return refuse(message);
    const table = this.#findTable();
    const method = table.methods.get(message.method);
    if (method === undefined) return unknownMethod(message.id, context);
    return run(method, new JsonRpcCall(message, context, table), context);
  }

  #refuseBusy(value: unknown, context: JsonRpcContext): Answer {
    const message = readCall(value, this.#limits.maxDepth, isDebug(context));
    if (message instanceof Refusal) return refuse(message);
    if (message.id === undefined) return NO_ANSWER;
    return errorAnswer(
      message.id,
      new JsonRpcError(JSON_RPC_CODES.busy, 'Busy: too many calls wait on this connection'),
    );
  }
}

function refuse({ id, error }: Refusal): Answer {
  return id === undefined ? NO_ANSWER : errorAnswer(id, error);
}

function unknownMethod(id: JsonRpcId | undefined, context: JsonRpcContext): Answer {
  if (id === undefined) return NO_ANSWER;
  const reason = 'There is no such method here';
  return errorAnswer(id, standardError('methodNotFound', 'Method not found', isDebug(context), reason));
}

function run(method: ReadyMethod, call: JsonRpcCall, context: JsonRpcContext): Answer | Promise<Answer> {
  try {
    const result = method.run(call);
    if (!isThenable(result)) {
      const answer = succeed(call, result);
      JsonRpcCall.end(call);
      return answer;
    }
    return new PendingCall(
      call,
      result,
      method.waits,
      (value) => succeedOrFail(call, value, context),
      (error) => fail(call, error, context),
    ).answer;
  } catch (error) {
    JsonRpcCall.end(call);
    return fail(call, error, context);
  }
}

/** @throws {TypeError} for a result that JSON has no form for */
function succeed({ id }: JsonRpcCall, result: unknown): Answer {
  return id === undefined ? NO_ANSWER : resultAnswer(id, result);
}

function succeedOrFail(call: JsonRpcCall, result: unknown, context: JsonRpcContext): Answer {
  try {
    return succeed(call, result);
  } catch (error) {
    return fail(call, error, context);
  }
}

function fail(call: JsonRpcCall, thrown: unknown, context: JsonRpcContext): Answer {
  const { id } = call;
  const described = describeFailure(thrown, call, context);
  if (id === undefined) return NO_ANSWER;
  try {
    return errorAnswer(id, described);
  } catch (error) {
    // Its data cannot be told.
    describeFailure(error, call, context);
    return errorAnswer(id, INTERNAL_ERROR);
  }
}

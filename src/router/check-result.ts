import { type Environ, TAKEN } from '../core/contract.js';
import { isThenable, VelaError } from '../core/errors.js';
import { WsgiResponse } from '../core/wsgi-response.js';
import { describeIssues, runSchema } from '../request/run-schema.js';
import type { SchemaIssue, SchemaResult, StandardSchemaV1 } from '../request/standard-schema.js';
import type { WsgiRequest } from '../request/wsgi-request.js';
import { json } from '../response/json.js';
import { Reply, toResponse } from './reply.js';
import type { RouteContract } from './route-contract.js';

/** As many issues stand in the log line. */
const SHOWN_ISSUES = 5;

/**
 * Holds what a handler returns against the schema of its status, and sends what the schema makes of it: keys that it leaves
 * out do not go out. A WsgiResponse goes as it is.
 */
export function checkResult(
  { environ }: WsgiRequest,
  responses: ReadonlyMap<number, StandardSchemaV1 | null>,
  { bareStatus, sendsMismatch }: RouteContract,
  where: () => string,
): (result: unknown) => unknown {
  return (result) => {
    if (result === undefined || result === null || result === TAKEN || result instanceof WsgiResponse)
      return result;
    const given = result instanceof Reply ? result : new Reply(bareStatus ?? 200, result, []);
    const { status, value, headers } = given;
    const fail = (issues: readonly SchemaIssue[]) => {
      const error = mismatchError(where(), status, issues);
      if (!sendsMismatch) throw error;
      logMismatch(environ, error);
      return toResponse(given);
    };
    const conclude = (outcome: SchemaResult<unknown>) =>
      outcome.issues === undefined ? json(outcome.value, { status, headers }) : fail(outcome.issues);
    const schema = responses.get(status);
    if (schema === undefined)
      return fail([
        { message: `there is no schema for this status, but for ${[...responses.keys()].join(', ')}` },
      ]);
    if (schema === null)
      return value === undefined ? toResponse(given) : fail([{ message: 'this status has no content' }]);
    const outcome = runSchema(schema, value);
    return isThenable(outcome)
      ? (outcome as Promise<SchemaResult<unknown>>).then(conclude)
      : conclude(outcome as SchemaResult<unknown>);
  };
}

function mismatchError(where: string, status: number, issues: readonly SchemaIssue[]): VelaError {
  const shown = describeIssues(issues.slice(0, SHOWN_ISSUES)).map(
    ({ path, message }) => `${path === '' ? '' : `${path}: `}${message}`,
  );
  return new VelaError(
    'ERR_RESPONSE_MISMATCH',
    `The response of ${where} with status ${status} does not fit "response": ${shown.join('; ')}`,
  );
}

function logMismatch(environ: Environ, error: VelaError): void {
  const details = { requestId: environ['vela.request_id'], uri: environ.RAW_URI, err: error };
  environ['vela.logger'].error(details, error.message);
}

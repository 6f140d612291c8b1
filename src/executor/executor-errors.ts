import { VelaError } from '../core/errors.js';

export function closedError(name: string): VelaError {
  return new VelaError('ERR_EXECUTOR_CLOSED', `The executor "${name}" is closed`);
}

export function loadError(url: string, cause: Error | undefined): VelaError {
  return new VelaError('ERR_EXECUTOR_LOAD', `The thread ended while it loaded ${url}${because(cause)}`, {
    cause,
  });
}

export function threadError(cause: Error | undefined): VelaError {
  const message = `The thread ended before it had answered${because(cause)}`;
  return new VelaError('ERR_EXECUTOR_THREAD', message, { cause });
}

export function unsendableError(cause: unknown): VelaError {
  return new VelaError(
    'ERR_EXECUTOR_ARGUMENTS',
    'What is called in a thread cannot be sent there with these arguments: give plain data',
    { cause },
  );
}

export function unreadableError(): VelaError {
  return new VelaError(
    'ERR_EXECUTOR_RESULT',
    'What the function gave cannot be read here: give plain data, without errors whose causes stand in a circle',
  );
}

function because(cause: Error | undefined): string {
  return cause === undefined ? '' : `: ${cause.message}`;
}

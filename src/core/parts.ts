import type { Part, PartDescription, StartContext } from './contract.js';
import { describeValue } from './errors.js';
import { TOKEN } from './http-syntax.js';
import { type DeclaredFields, declareFields } from './request-fields.js';

type Call<F> = F | (Part & { handle: F });

/**
 * The function of an application or middleware, told apart once.
 * @throws {TypeError} for something that is neither a function nor has `handle`
 */
export function resolveCallable<F extends (...args: never[]) => unknown>(one: Call<F>, what: string): F {
  if (typeof one === 'function') {
    const { name, runsOn } = one as { name: string; runsOn?: unknown };
    if (runsOn !== 'response') return one;
    throw new TypeError(
      `${what}${name === '' ? '' : ` (${name})`} is response middleware, which runs on a response: new WsgiHandler([app], { responseMiddleware: [it] })`,
    );
  }
  if (one !== null && typeof one === 'object' && typeof one.handle === 'function') {
    return one.handle.bind(one) as F;
  }
  throw new TypeError(
    `${what} must be a function (environ, startResponse) or an object with handle(environ, startResponse); received ${describeValue(one)}`,
  );
}

/** Gives a function what another one carries as a part of its server, be it only called within it. */
export function carryPart<F extends object>({ start, stop, describe, headers }: Part, to: F): F & Part {
  const part: Part = {};
  if (start !== undefined) part.start = start;
  if (stop !== undefined) part.stop = stop;
  if (describe !== undefined) part.describe = describe;
  if (headers !== undefined) part.headers = headers;
  return Object.assign(to, part);
}

/** Starts parts in order. When one fails, those that had started are stopped again. */
export async function startParts(parts: readonly Part[], context: StartContext): Promise<void> {
  const started: Part[] = [];
  try {
    for (const part of parts) {
      await part.start?.(context);
      started.push(part);
    }
  } catch (error) {
    await stopParts(started).catch(() => undefined);
    throw error;
  }
}

/** Stops parts in reverse order, all of them even when some fail. @throws {AggregateError} of what failed */
export async function stopParts(parts: readonly Part[]): Promise<void> {
  const errors: unknown[] = [];
  for (const part of [...parts].reverse()) {
    try {
      await part.stop?.();
    } catch (error) {
      errors.push(error);
    }
  }
  if (errors.length > 0) throw new AggregateError(errors, 'some parts did not stop');
}

/** What each part says of itself; its name where it says nothing. */
export function describeParts(parts: readonly (Part & { name?: unknown })[]): PartDescription[] {
  return parts.map(
    (part) =>
      part.describe?.() ?? {
        name: typeof part.name === 'string' && part.name !== '' ? part.name : 'anonymous',
      },
  );
}

/** The headers that parts read after going async: known only when every part declares its own. */
export function mergeDeclaredHeaders(parts: readonly Part[]): readonly string[] | undefined {
  const names = new Set<string>();
  for (const part of parts) {
    if (part.headers === undefined) return undefined;
    requireNames(part.headers);
    for (const name of part.headers) names.add(resolveHeaderName(name));
  }
  return [...names];
}

/** What a part declares of its headers; undefined when nothing. @throws {TypeError} */
export function resolveDeclaredHeaders(headers: readonly string[] | undefined): DeclaredFields | undefined {
  if (headers === undefined) return undefined;
  requireNames(headers);
  return declareFields(headers.map(resolveHeaderName));
}

/** True for the name of a header in HTTP spelling. */
export function isDeclarable(name: unknown): name is string {
  return typeof name === 'string' && TOKEN.test(name) && !name.startsWith('HTTP_');
}

function requireNames(headers: unknown): void {
  if (Array.isArray(headers)) return;
  throw new TypeError(
    `An application declares its headers as an array, app.headers = ['user-agent']; received ${describeValue(headers)}`,
  );
}

function resolveHeaderName(name: unknown): string {
  if (!isDeclarable(name)) {
    throw new TypeError(
      `A declared header is given in HTTP spelling, such as 'user-agent'; received ${describeValue(name)}`,
    );
  }
  return name.toLowerCase();
}

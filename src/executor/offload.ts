import type { Part } from '../core/contract.js';
import { carryPart } from '../core/parts.js';
import type { HandlerResult } from '../router/handler-result.js';
import type { RouteHandler } from '../router/route-request.js';
import { type OffloadOptions, offloadTo } from './middleware-in-executor.js';

/**
 * A route's handler that runs in a thread: the export is called there with the request, as a handler here would be, and
 * what it returns becomes the response.
 * @param module - the URL of its module
 * @throws {TypeError} at once for what `middlewareInExecutor` refuses
 * @example router.get('/reports/:id', offload(new URL('./report.js', import.meta.url), { name: 'makeReport' }));
 */
export function offload(module: URL | string, options: OffloadOptions = {}): RouteHandler & Part {
  const call = offloadTo('offload', module, options, 'handler');
  const handler: RouteHandler = (request, startResponse) =>
    call(request.environ, startResponse) as HandlerResult | PromiseLike<HandlerResult>;
  return carryPart(call, handler);
}

export { requestSpan } from './request-span.js';
export { traceHeaders } from './trace-headers.js';
export type { TraceRequestsOptions } from './trace-options.js';
export { traceRequests } from './trace-requests.js';

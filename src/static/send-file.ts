import type { HeaderPair } from '../core/contract.js';
import { WsgiResponse } from '../core/wsgi-response.js';
import type { DescribedFile } from './described-file.js';
import { FileBody } from './file-body.js';
import type { FileRequest } from './file-request.js';
import type { OpenFile } from './open-file.js';
import { planResponse, type ResponsePlan } from './plan-response.js';

/** How files are sent. */
export interface SendLimits {
  readonly blockBytes: number;
  readonly maxRanges: number;
}

/** Sends a file that is in memory, without a wait. @throws {HttpError} 412, 416 */
export function sendBytes(
  request: FileRequest,
  file: DescribedFile,
  bytes: Buffer,
  maxRanges: number,
): WsgiResponse {
  const { status, headers, pieces } = planResponse(request, file, maxRanges);
  let content: Buffer | Buffer[] | string = bytes;
  if (pieces !== undefined) {
    const chunks = pieces.map((piece) =>
      piece instanceof Uint8Array ? piece : bytes.subarray(piece.start, piece.end + 1),
    );
    content = chunks.length === 0 ? '' : Buffer.concat(chunks);
  }
  return new WsgiResponse({ status, content, headers: copyHeaders(headers) });
}

/** Sends an open file, and closes it on every path. @throws {HttpError} 412, 416 */
export async function sendOpen(
  request: FileRequest,
  file: DescribedFile,
  open: OpenFile,
  { blockBytes, maxRanges }: SendLimits,
): Promise<WsgiResponse> {
  let plan: ResponsePlan;
  try {
    plan = planResponse(request, file, maxRanges);
  } catch (error) {
    await open.handle.close();
    throw error;
  }
  const { status, pieces = [{ start: 0, end: file.size - 1 }], length } = plan;
  const headers = copyHeaders(plan.headers);
  if (status !== 304) headers.push(['Content-Length', String(length)]);
  if (length === 0 || request.method === 'HEAD') {
    await open.handle.close();
    return new WsgiResponse({ status, headers });
  }
  return new WsgiResponse({ status, content: new FileBody(open.handle, pieces, blockBytes), headers });
}

/** Pairs of its own, as whoever handles the response may change them. */
function copyHeaders(headers: readonly HeaderPair[]): HeaderPair[] {
  return headers.map(([name, value]) => [name, value]);
}

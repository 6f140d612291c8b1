import type { HeaderPair } from '../core/contract.js';
import { WsgiResponse } from '../core/wsgi-response.js';
import { noteWhole } from '../response/not-modified.js';
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
  // What most ask for, with nothing to plan.
  if (request.conditions === undefined && request.range === undefined) {
    return build(200, bytes, file.headers);
  }
  const { status, headers, pieces } = planResponse(request, file, maxRanges);
  let content: Buffer | string = bytes;
  if (pieces !== undefined) {
    const chunks = pieces.map((piece) =>
      piece instanceof Uint8Array ? piece : bytes.subarray(piece.start, piece.end + 1),
    );
    content = chunks.length === 0 ? '' : Buffer.concat(chunks);
  }
  const response = build(status, content, headers);
  return status === 200 ? response : noteWhole(response, { headers: file.headers, bytes: file.size });
}

function build(status: number, content: string | Buffer, headers: readonly HeaderPair[]): WsgiResponse {
  const response = new WsgiResponse({ status, content });
  response.headers = copyHeaders(headers);
  return response;
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
  const isEmpty = length === 0 || request.method === 'HEAD';
  if (isEmpty) await open.handle.close();
  const content = isEmpty ? '' : new FileBody(open.handle, pieces, blockBytes);
  const response = new WsgiResponse({ status, content, headers });
  return status === 200 ? response : noteWhole(response, { headers: file.headers, bytes: file.size });
}

/** Pairs of its own, as whoever handles the response may change them. */
function copyHeaders(headers: readonly HeaderPair[]): HeaderPair[] {
  const copy = new Array<HeaderPair>(headers.length);
  for (let i = 0; i < copy.length; i++) {
    const pair = headers[i] as HeaderPair;
    copy[i] = [pair[0], pair[1]];
  }
  return copy;
}

import { request } from 'node:http';
import { isDeepStrictEqual } from 'node:util';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { withTimeout } from './processes.mjs';

const TIMEOUT_MS = 20_000;

/**
 * Sends a row's request twice and compares status, headers and every byte of the body, decoded, with what the row asks for.
 * @returns {Promise<number>} bytes of the answer's head, to see that servers send about the same
 * @throws when the answer differs
 */
export async function verify({ url, server, request: wantedRequest }, row) {
  const wanted = row.findAnswer?.(server) ?? row.answer;
  let headBytes = 0;
  for (let turn = 0; turn < 2; turn++) {
    const answer = await send(url + wantedRequest.path, wantedRequest);
    const problems = findProblems(answer, wanted);
    if (problems.length > 0) throw new Error(`${server.title} answers row "${row.id}" wrongly: ${problems.join('; ')}`);
    headBytes = answer.headBytes;
  }
  return headBytes;
}

function findProblems({ status, headers, body }, wanted) {
  const problems = [];
  if (status !== wanted.status) problems.push(`status ${status}, wanted ${wanted.status}`);
  for (const [name, value] of Object.entries(wanted.headers)) {
    const got = headers[name];
    const isRight = value instanceof RegExp ? value.test(got ?? '') : got === value;
    if (!isRight) problems.push(`${name}: ${got}, wanted ${value}`);
  }
  if (wanted.parse !== undefined) {
    if (!isDeepStrictEqual(wanted.parse(body), wanted.parse(wanted.body))) problems.push('another body');
  } else if (body.length !== wanted.body.length) problems.push(`${body.length} bytes of body, wanted ${wanted.body.length}`);
  else if (!body.equals(wanted.body)) problems.push('other bytes in the body');
  return problems;
}

function decode(body, coding) {
  if (coding === 'br') return brotliDecompressSync(body);
  return coding === 'gzip' ? gunzipSync(body) : body;
}

function send(url, { method, headers, bodyBytes, body = 'x'.repeat(bodyBytes) }) {
  const sent = request(url, { method, headers: { ...headers, 'Content-Length': bodyBytes }, agent: false });
  if (bodyBytes === 0) sent.removeHeader('Content-Length');
  const answer = new Promise((resolve, reject) => {
    sent.once('error', reject);
    sent.once('response', async (response) => {
      try {
        const parts = [];
        for await (const part of response) parts.push(part);
        const { statusCode: status, statusMessage, rawHeaders } = response;
        const headBytes = `HTTP/1.1 ${status} ${statusMessage}\r\n\r\n`.length + rawHeaders.join('').length + rawHeaders.length * 2;
        const received = decode(Buffer.concat(parts), response.headers['content-encoding']);
        resolve({ status, headers: response.headers, body: received, headBytes });
      } catch (error) {
        reject(error);
      }
    });
  });
  sent.end(body);
  return withTimeout(answer, TIMEOUT_MS, () => {
    sent.destroy();
    return new Error(`No answer from ${url} in ${TIMEOUT_MS} ms`);
  });
}

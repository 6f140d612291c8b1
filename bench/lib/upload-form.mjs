import { createHash } from 'node:crypto';
import { makeBytes } from './static-files.mjs';

/** The file is this block, over and over: 4 MiB that no one guesses, as images and archives look. */
export const BLOCK = makeBytes(4 << 20);
/** As a browser makes it: searching for a longer one takes less time. */
export const BOUNDARY = '----WebKitFormBoundary7MA4YWxkTrZu0gW1';
export const FORM_BEGIN = Buffer.from(
  `--${BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="bench.bin"\r\nContent-Type: application/octet-stream\r\n\r\n`,
);
export const FORM_END = Buffer.from(`\r\n--${BOUNDARY}--\r\n`);

/** SHA-256 of a file of so many blocks. */
export function hashBlocks(blocks) {
  const hash = createHash('sha256');
  for (let block = 0; block < blocks; block++) hash.update(BLOCK);
  return hash.digest('hex');
}

import type { WsgiInput } from './contract.js';

/** Reads lines until the end, or until they are `hintBytes` together; all of them when that is negative. */
export async function collectLines(input: WsgiInput, hintBytes: number): Promise<Buffer[]> {
  const lines: Buffer[] = [];
  let total = 0;
  for (let line = await input.readline(); line.length > 0; line = await input.readline()) {
    lines.push(line);
    total += line.length;
    if (hintBytes >= 0 && total >= hintBytes) break;
  }
  return lines;
}

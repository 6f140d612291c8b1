/** Runs a Python script of facts: see facts.py. */
import type { Test } from 'tap';
import { needsClient, run } from './run-client.js';

/** Whether Debian's python3-requests is there; else its tests are skipped. */
export function needsRequests(t: Test): boolean {
  return needsClient(t, 'python3-requests', '/usr/bin/python3', '-c', 'import requests');
}

/** Wants every fact of a script to hold. @returns how many there are */
export async function runFacts(t: Test, script: string, url: string, gateway: string): Promise<number> {
  const path = new URL(script, import.meta.url).pathname;
  const { text, stderr } = await run('/usr/bin/python3', [path, url, gateway]);
  const lines = text.split('\n').filter((line) => line !== '');
  const facts = lines.map(
    (line) => JSON.parse(line) as { fact?: string; ok?: boolean; why?: string; facts?: number },
  );
  const last = facts.pop();
  t.equal(last?.facts, facts.length, `the script came to its end ${stderr}`);
  for (const { fact, ok, why } of facts) t.ok(ok, `${fact} ${why ?? ''}`);
  return facts.length;
}

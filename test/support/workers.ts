/** What tests of worker processes have in common. */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type Agent, get, type IncomingMessage } from 'node:http';
import type { Test } from 'tap';
import { type Served, startProgram } from './run-example.js';

export const PROGRAM = 'test/support/served.mjs';

export function startServed(
  t: Test,
  flags: readonly string[] = [],
  env: NodeJS.ProcessEnv = {},
): Promise<Served> {
  return startProgram(t, [PROGRAM, ...flags], env);
}

/** The processes that a process has made and that are there. */
export function childrenOf(pid: number): number[] {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
  return text === '' ? [] : text.split(' ').map(Number).sort();
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** A request on a connection of its own. */
export async function ask(
  url: string,
  path = '/',
  agent: Agent | false = false,
): Promise<{ text: string; response: IncomingMessage }> {
  const { hostname, port } = url.startsWith('unix:') ? { hostname: '', port: '' } : new URL(url);
  const target = hostname === '' ? { socketPath: url.slice('unix:'.length) } : { hostname, port };
  const request = get({ ...target, path, agent, headers: { Host: 'test' } });
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  let text = '';
  for await (const chunk of response) text += String(chunk);
  return { text, response };
}

/** The process ids that answer, of so many requests. */
export async function pidsOf(url: string, count = 20): Promise<number[]> {
  const pids = new Set<number>();
  for (let i = 0; i < count; i++) pids.add(Number((await ask(url)).text));
  return [...pids].sort();
}

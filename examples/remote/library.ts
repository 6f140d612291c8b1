import type { Actor } from 'vela/actors';

/** Functions that are called in another actor, by this module and their names. The actor comes first. */

/** Deliberately slow: some 100 ms for 30. It holds up only the actor that runs it. */
export function fibonacci(actor: Actor, n: number): { value: number; actor: string; pid: number } {
  const compute = (k: number): number => (k < 2 ? k : compute(k - 1) + compute(k - 2));
  return { value: compute(n), actor: actor.name, pid: process.pid };
}

const counters = new Map<string, number>();

/** What a module keeps is kept by the process that runs it. */
export function increment(_actor: Actor, name: string): number {
  const next = (counters.get(name) ?? 0) + 1;
  counters.set(name, next);
  return next;
}

export function divide(_actor: Actor, a: number, b: number): number {
  if (b === 0) throw new RangeError('nobody divides by zero');
  return a / b;
}

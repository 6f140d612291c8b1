/** What a program has beside actors of its own: applications. */
export interface MainProgram {
  /** Starts them: the arbiter is up. */
  start(): Promise<void>;
  /** In the process of a worker: does its work, and never resolves. Elsewhere it resolves at once. */
  work(): Promise<void>;
}

let current: MainProgram | undefined;

export function findProgram(): MainProgram | undefined {
  return current;
}

export function setProgram(program: MainProgram): void {
  current = program;
}

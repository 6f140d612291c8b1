import { own } from './own.js';

/** A promise and what settles it. Nobody has to await it. */
export interface Gate {
  readonly promise: Promise<void>;
  resolve(): void;
  reject(error: Error): void;
}

export function createGate(): Gate {
  let resolve: () => void = () => {};
  let reject: (error: Error) => void = () => {};
  const promise = own(
    new Promise<void>((done, failed) => {
      resolve = done;
      reject = failed;
    }),
  );
  return { promise, resolve, reject };
}

/**
 * Marks a promise that a user is given as handled: one that nobody awaits any more, because the handler has thrown or the
 * client has left, must not end the process. Whoever awaits it still gets its error.
 */
export function own<T>(promise: Promise<T>): Promise<T> {
  promise.then(undefined, ignore);
  return promise;
}

/** The same for the steps of a generator. */
export function ownSteps<T>(steps: AsyncGenerator<T, void, undefined>): AsyncGenerator<T, void, undefined> {
  const next = steps.next.bind(steps);
  // Not written where it is assigned: see CONTRIBUTING.md.
  const owned = () => own(next());
  steps.next = owned;
  return steps;
}

function ignore(): void {}

const SIGNALS = ['SIGTERM', 'SIGINT', 'SIGQUIT'] as const;

/**
 * Calls a function for signals that ask a process to end.
 * @param stop - told whether it is not the first one
 * @returns what ends it
 */
export function watchSignals(stop: (isHurry: boolean) => Promise<void>): () => void {
  let count = 0;
  const onSignal = () => void stop(count++ > 0);
  for (const signal of SIGNALS) process.on(signal, onSignal);
  return () => {
    for (const signal of SIGNALS) process.off(signal, onSignal);
  };
}

type Listener = (error: Error) => void;

/** A stream that may fail. */
interface FailingStream {
  on(event: 'error', listener: Listener): unknown;
  off(event: 'error', listener: Listener): unknown;
}

interface Watch {
  readonly listeners: Set<Listener>;
  readonly tell: Listener;
}

const watches = new WeakMap<FailingStream, Watch>();

/** Listens for a stream's errors. All who do share one listener: Node warns of more than ten on one stream. */
export function watchErrors(stream: FailingStream, listener: Listener): void {
  const known = watches.get(stream);
  if (known !== undefined) {
    known.listeners.add(listener);
    return;
  }
  const listeners = new Set([listener]);
  const tell = (error: Error) => {
    for (const one of listeners) one(error);
  };
  watches.set(stream, { listeners, tell });
  stream.on('error', tell);
}

/** Listens no more. */
export function unwatchErrors(stream: FailingStream, listener: Listener): void {
  const known = watches.get(stream);
  if (known?.listeners.delete(listener) !== true || known.listeners.size > 0) return;
  watches.delete(stream);
  stream.off('error', known.tell);
}

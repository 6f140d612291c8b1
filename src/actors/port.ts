import type { MessagePort, Worker } from 'node:worker_threads';
import type { Frame } from './wire.js';

type Transferable = MessagePort;

/** One end of a channel to another process or thread: in order, whole, at most once. */
export interface Port {
  /**
   * @param transfer - ports among the frame, between threads
   * @throws {DataCloneError} for what cannot be copied
   */
  post(frame: Frame, transfer?: readonly Transferable[]): void;
  /** A frame that JSON text gives back as it was, and that has nothing to transfer. */
  postPlain(frame: Frame): void;
  /** Begins to read. */
  listen(events: PortEvents): void;
  /** Resolves when all that was posted has left. */
  flush(): Promise<void>;
}

export interface PortEvents {
  received(frame: Frame): void;
  /** Nothing more comes. */
  closed(): void;
}

/** The channel to a thread that was made here. */
export function workerPort(worker: Worker): Port {
  return {
    post: (frame, transfer = []) => worker.postMessage(frame, [...transfer]),
    postPlain: (frame) => worker.postMessage(frame),
    listen: ({ received, closed }) => {
      worker.on('message', received);
      worker.once('exit', closed);
    },
    flush: () => Promise.resolve(),
  };
}

/** @param isDirect - between two actors: it keeps neither of them up */
export function messagePort(port: MessagePort, isDirect: boolean): Port {
  return {
    post: (frame, transfer = []) => port.postMessage(frame, [...transfer]),
    postPlain: (frame) => port.postMessage(frame),
    listen: ({ received, closed }) => {
      port.on('message', received);
      port.once('close', closed);
      if (isDirect) port.unref();
    },
    flush: () => Promise.resolve(),
  };
}

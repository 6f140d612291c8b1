import type { ChildProcess } from 'node:child_process';
import type { MessagePort, Worker } from 'node:worker_threads';
import { isFrame } from './is-frame.js';
import type { Frame } from './wire.js';

type Transferable = MessagePort;

/** One end of a channel to another process or thread: in order, whole, at most once. */
export interface Port {
  /**
   * @param transfer - ports among the frame, between threads
   * @throws {DataCloneError} for what cannot be copied
   */
  post(frame: Frame, transfer?: readonly Transferable[]): void;
  /** Begins to read. */
  listen(events: PortEvents): void;
  /** Resolves when all that was posted has left. */
  flush(): Promise<void>;
  close(): void;
}

export interface PortEvents {
  received(frame: Frame): void;
  /** Nothing more comes. */
  closed(): void;
}

/** The channel to a child process, or, in one, to its parent. */
export function processPort(peer: ChildProcess | NodeJS.Process): Port {
  let flushed: Promise<void> = Promise.resolve();
  return {
    post: (frame) => {
      if (!peer.connected) return;
      let left = () => {};
      const sent = new Promise<void>((resolve) => {
        left = resolve;
      });
      // A channel that breaks tells so by 'disconnect'.
      peer.send?.(frame, undefined, undefined, () => left());
      flushed = sent;
    },
    listen: ({ received, closed }) => {
      peer.on('message', (message) => {
        if (isFrame(message)) received(message);
      });
      peer.once('disconnect', closed);
    },
    flush: () => flushed,
    close: () => {
      if (peer.connected) peer.disconnect?.();
    },
  };
}

/** The channel to a thread that was made here. */
export function workerPort(worker: Worker): Port {
  return {
    post: (frame, transfer = []) => worker.postMessage(frame, [...transfer]),
    listen: ({ received, closed }) => {
      worker.on('message', received);
      worker.once('exit', closed);
    },
    flush: () => Promise.resolve(),
    close: () => {},
  };
}

/** @param isDirect - between two actors: it keeps neither of them up */
export function messagePort(port: MessagePort, isDirect: boolean): Port {
  return {
    post: (frame, transfer = []) => port.postMessage(frame, [...transfer]),
    listen: ({ received, closed }) => {
      port.on('message', received);
      port.once('close', closed);
      if (isDirect) port.unref();
    },
    flush: () => Promise.resolve(),
    close: () => port.close(),
  };
}

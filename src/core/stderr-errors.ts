import type { WsgiErrors } from './contract.js';

/** `wsgi.errors` as standard error. */
export const stderrErrors: WsgiErrors = {
  write: (text) => void process.stderr.write(text),
  writelines: (lines) => {
    for (const line of lines) process.stderr.write(line);
  },
  flush: () => {},
};

// Generated from the declarations in src/app/settings: node scripts/generate-settings.mjs
import type { SniCertificate } from '../gateway/gateway.js';
import type { LogLevelRule } from './log-levels.js';

/** Settings of a server. All have defaults or may be absent; a wrong or unknown one is refused at once. */
export interface ServerOptions {
  /**
   * Where to listen: host:port, :port (0.0.0.0), a port (127.0.0.1), [v6]:port or unix:/path. Port 0 picks a
   * free one. For several addresses give a list; on the command line repeat the flag, or put commas between
   * them.
   * @defaultValue `127.0.0.1:8060` @since 0.1.0
   */
  bind?: string | number | readonly (string | number)[];
  /**
   * Serve on uWebSockets.js, on node:http, or on whichever is there and can do what is asked. `uws` is the
   * fast one, `node` the one with the widest reach; `auto` takes uws where it can.
   * @defaultValue `uws` @since 0.1.0
   */
  gateway?: 'uws' | 'node' | 'auto';
  /**
   * Let the application take raw connections over, for CONNECT and Upgrade (node gateway). Such requests
   * have `environ['vela.tunnel']`.
   * @defaultValue `false` @since 0.1.0
   */
  allowTunnels?: boolean;
  /**
   * How many processes do the work, under one that looks after them; `auto` is one for each processor, and 0
   * does it in the only process. With 0 nothing is restarted, reloaded or recycled. `auto` counts the
   * processors that the process may use. Where nothing gives the number to a server, the variable
   * `WEB_CONCURRENCY` does, as with gunicorn and puma.
   * @defaultValue 1 @since 0.1.0
   */
  workers?: number | 'auto';
  /**
   * A worker whose loop is held for so long is killed and replaced, and the log says by what it was held; 0
   * is never.
   * @defaultValue 30,000 @since 0.1.0
   */
  workerTimeoutMs?: number;
  /**
   * A thread in each worker tells by what its loop is held, and ends it when the main process is gone. It
   * costs 8 MB a worker. Without it a worker whose loop is held is killed after `workerTimeoutMs` all the
   * same, but the log does not say by what; and one whose loop is held when the main process is killed ends
   * only when its loop is free.
   * @defaultValue `true` @since 0.1.0
   */
  watchdog?: boolean;
  /** How long a worker may take until it is ready. @defaultValue 60,000 @since 0.1.0 */
  workerStartTimeoutMs?: number;
  /** How long what stops waits for requests under way. @defaultValue 30,000 @since 0.1.0 */
  gracefulTimeoutMs?: number;
  /**
   * After so many requests a worker is replaced; 0 is never. The new one serves before the old one stops. It
   * helps against memory that leaks.
   * @defaultValue 0 @since 0.1.0
   */
  maxRequests?: number;
  /**
   * Most requests that are added to `maxRequests` by chance, so that workers are not replaced all at once.
   * @defaultValue 0 @since 0.1.0
   */
  maxRequestsJitter?: number;
  /** A worker that is resident with more is replaced; 0 is no limit. @defaultValue 0 @since 0.1.0 */
  maxWorkerMemoryBytes?: number;
  /**
   * A worker that is older is replaced, give or take a tenth by chance; 0 is never.
   * @defaultValue 0 @since 0.1.0
   */
  maxWorkerAgeMs?: number;
  /**
   * Longest wait for the application to begin its response; then 504. From the complete request head to
   * `startResponse`; it stands still while body bytes arrive.
   * @defaultValue 30,000 @since 0.1.0
   */
  requestTimeoutMs?: number;
  /**
   * Longest time without progress of a response under way; then it is cut.
   * @defaultValue 120,000 @since 0.1.0
   */
  stallTimeoutMs?: number;
  /**
   * How long the node gateway keeps an idle connection (uws: about 10 s, fixed).
   * @defaultValue 10,000 @since 0.1.0
   */
  keepAliveTimeoutMs?: number;
  /**
   * Longest request line; more is 414 (uws: its query counts when it is read).
   * @defaultValue 8,192 @since 0.1.0
   */
  maxRequestLineBytes?: number;
  /**
   * Largest request head, line and headers together; more is 431. One value for all uws servers of a
   * process.
   * @defaultValue 16,384 @since 0.1.0
   */
  maxHeadBytes?: number;
  /** Most request headers; more is 431 (uws: 98 at the most). @defaultValue 100 @since 0.1.0 */
  maxHeaderFields?: number;
  /** Largest request body; more is 413. @defaultValue 16,777,216 @since 0.1.0 */
  maxBodyBytes?: number;
  /**
   * Least important log lines that are written, of all or of a namespace: warn vela.access:info. One level
   * for all, and others for namespaces: docs/logs.md.
   * @defaultValue `info` @since 0.1.0
   */
  logLevel?: LogLevelRule | readonly LogLevelRule[];
  /**
   * Log lines for people, or one JSON object a line; auto is text on a terminal, else JSON.
   * @defaultValue `auto` @since 0.1.0
   */
  logFormat?: 'auto' | 'text' | 'json';
  /** File that the log is appended to, in place of standard error. Its folder must be there. @since 0.1.0 */
  logFile?: string;
  /**
   * JSON or JS file with more options of the log, such as redact and transport. docs/logs.md lists them.
   * @since 0.1.0
   */
  logConfig?: string;
  /**
   * File that a line for each request is appended to; - is standard output. The application needs no
   * `accessLog()` for it.
   * @since 0.1.0
   */
  accessLog?: string;
  /**
   * Common, combined, json, or a format of gunicorn's. Of `accessLog`; those of the middleware have their
   * own.
   * @defaultValue `combined` @since 0.1.0
   */
  accessLogFormat?: string;
  /** File for the process id; a second server with the same file is refused. @since 0.1.0 */
  pidFile?: string;
  /**
   * Where the main process shows what workers and threads do, as a page; without it nowhere. As `bind`, one
   * address. Whoever reaches it may read it: [the admin page](applications.md#the-admin-page).
   * @since 0.1.0
   */
  adminBind?: string | number;
  /** What ps shows in front of each process's part. @defaultValue `vela` @since 0.1.0 */
  processName?: string;
  /**
   * User to serve as, by name or number; only root may change it. What follows from it:
   * docs/operations/privileges.md.
   * @since 0.1.0
   */
  user?: string | number;
  /** Group to serve as, by name or number; by default the first one of the user. @since 0.1.0 */
  group?: string | number;
  /** Permissions that files and unix sockets are made without, octal: 027. @since 0.1.0 */
  umask?: string | number;
  /**
   * Working directory to change to before the application is loaded. Paths in settings are those of the
   * folder where the program was started.
   * @since 0.1.0
   */
  chdir?: string;
  /**
   * Most threads for handlers that block, made as they are needed. They belong to the pool that
   * `middlewareInExecutor` and `offload` share: docs/executor.md.
   * @defaultValue 5 @since 0.1.0
   */
  threadWorkers?: number;
  /**
   * Redis or Valkey by which channels reach other machines:
   * redis://user:password@host:6379/0?namespace=shop. It needs the package ioredis: docs/channels.md.
   * `rediss:` is with TLS. A password in a flag can be read by all users of the machine, one in the variable
   * cannot.
   * @since 0.1.0
   */
  dataStore?: string;
  /** TLS certificate chain, a PEM file; goes with the key. @since 0.1.0 */
  certFile?: string;
  /** TLS private key, a PEM file; goes with the certificate. @since 0.1.0 */
  keyFile?: string;
  /** Of the private key. @since 0.1.0 */
  passphrase?: string;
  /** Further certificates, chosen by the host name that the client asks for. @since 0.1.0 */
  sni?: readonly SniCertificate[];
  /**
   * Show stacks and causes in error pages, and load modules of threads anew when they are saved.
   * @defaultValue `false` @since 0.1.0
   */
  debug?: boolean;
  /** Start anew when a source file has changed. @defaultValue `false` @since 0.1.0 */
  reload?: boolean;
  /** Folders that are watched for it, with those below; by default the working directory. @since 0.1.0 */
  reloadPath?: string | readonly string[];
}

/** The same once checked: what has a default is there. */
export interface FilledOptions {
  readonly bind: string | number | readonly (string | number)[];
  readonly gateway: 'uws' | 'node' | 'auto';
  readonly allowTunnels: boolean;
  readonly workers: number;
  readonly workerTimeoutMs: number;
  readonly watchdog: boolean;
  readonly workerStartTimeoutMs: number;
  readonly gracefulTimeoutMs: number;
  readonly maxRequests: number;
  readonly maxRequestsJitter: number;
  readonly maxWorkerMemoryBytes: number;
  readonly maxWorkerAgeMs: number;
  readonly requestTimeoutMs: number;
  readonly stallTimeoutMs: number;
  readonly keepAliveTimeoutMs: number;
  readonly maxRequestLineBytes: number;
  readonly maxHeadBytes: number;
  readonly maxHeaderFields: number;
  readonly maxBodyBytes: number;
  readonly logLevel: LogLevelRule | readonly LogLevelRule[];
  readonly logFormat: 'auto' | 'text' | 'json';
  readonly logFile?: string;
  readonly logConfig?: string;
  readonly accessLog?: string;
  readonly accessLogFormat: string;
  readonly pidFile?: string;
  readonly adminBind?: string | number;
  readonly processName: string;
  readonly user?: string | number;
  readonly group?: string | number;
  readonly umask?: string | number;
  readonly chdir?: string;
  readonly threadWorkers: number;
  readonly dataStore?: string;
  readonly certFile?: string;
  readonly keyFile?: string;
  readonly passphrase?: string;
  readonly sni?: readonly SniCertificate[];
  readonly debug: boolean;
  readonly reload: boolean;
  readonly reloadPath?: string | readonly string[];
}

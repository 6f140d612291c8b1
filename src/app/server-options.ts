import type { SniCertificate } from '../gateway/gateway.js';
import type { LogFormat, LogLevel } from './text-logger.js';

/** Settings of a server. All have defaults; a wrong or unknown one is refused at once. */
export interface ServerOptions {
  /** Where to listen: `host:port`, `:port` (0.0.0.0, all IPv4 interfaces), a port (loopback), `[v6]:port`, `unix:/path`. Port 0 picks one. @defaultValue `127.0.0.1:8060` */
  bind?: string | number;
  /** `uws` is the fast one, `node` the one with the widest reach; `auto` takes uws where it can. @defaultValue `uws` */
  gateway?: 'uws' | 'node' | 'auto';
  /** Error pages show stacks and causes. @defaultValue false */
  debug?: boolean;
  /** @defaultValue `info` */
  logLevel?: LogLevel;
  /** `text` for people, `json` for machines. @defaultValue `text` */
  logFormat?: LogFormat;
  /** Longest wait, in ms, from the complete request head to `startResponse`; it stands still while body bytes arrive. Then 504. @defaultValue 30,000 */
  requestTimeoutMs?: number;
  /** Longest time without progress, in ms, once a response has begun. Then it is cut. @defaultValue 120,000 */
  stallTimeoutMs?: number;
  /** How long `close` waits, in ms, for requests under way. @defaultValue 30,000 */
  gracefulTimeoutMs?: number;
  /** How long the node gateway keeps an idle connection, in ms; uWebSockets.js has about 10 s, fixed. @defaultValue 10,000 */
  keepAliveTimeoutMs?: number;
  /** Longest request line, in bytes; more is 414. @defaultValue 8,192 */
  maxRequestLineBytes?: number;
  /** Largest request head, line and headers together, in bytes; more is 431. One value for all uws servers of a process. @defaultValue 16,384 */
  maxHeadBytes?: number;
  /** Most request headers; more is 431. On uws never more than 98. @defaultValue 100 */
  maxHeaderFields?: number;
  /** Largest request body, in bytes; more is 413. @defaultValue 16 MiB */
  maxBodyBytes?: number;
  /** Most threads of the pool that `middlewareInExecutor` and `offload` share, made as they are needed. @defaultValue 5 */
  threadWorkers?: number;
  /** On the node gateway, CONNECT and Upgrade requests have `environ['vela.tunnel']`. @defaultValue false */
  allowTunnels?: boolean;
  /** TLS certificate chain, a PEM file; goes with `keyFile`. */
  certFile?: string;
  /** TLS private key, a PEM file. */
  keyFile?: string;
  /** Of the private key. */
  passphrase?: string;
  /** Further certificates, chosen by the host name that the client asks for. */
  sni?: readonly SniCertificate[];
}

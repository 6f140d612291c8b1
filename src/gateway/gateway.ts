import type { ServerConfig } from '../core/contract.js';
import type { Service } from '../core/service.js';
import type { WebSocketLimits } from '../core/websocket-limits.js';

/** Where a gateway listens. */
export type ListenAddress = { readonly host: string; readonly port: number } | { readonly path: string };

/** TLS as a server needs it; every file is PEM. */
export interface TlsOptions {
  readonly certFile: string;
  readonly keyFile: string;
  readonly passphrase: string | undefined;
  /** Further certificates, chosen by the name that the client asks for. */
  readonly sni: readonly SniCertificate[];
}

/** A certificate for one host name, or for `*.example.org`. */
export interface SniCertificate {
  readonly hostname: string;
  readonly certFile: string;
  readonly keyFile: string;
}

/** Settings of a gateway, checked. */
export interface GatewayConfig extends ServerConfig {
  /** Largest head, request line and headers together; more is 431. */
  readonly maxHeadBytes: number;
  /** Most header lines; more is 431. */
  readonly maxHeaderFields: number;
  /** How long an idle connection is kept. uWebSockets.js has its own, about 10 s. */
  readonly keepAliveTimeoutMs: number;
  /** CONNECT and Upgrade requests may take the raw connection over; node gateway only. */
  readonly allowTunnels: boolean;
  readonly tls: TlsOptions | undefined;
}

/** What a gateway listens with: the service without the transport, which is the gateway's own. */
export interface GatewayService extends Omit<Service<never>, 'transport'> {
  /** The largest that its WebSockets may have. */
  readonly webSockets: WebSocketLimits;
}

/** How a listener shares its address with those of other processes. */
export interface Sharing {
  /** A descriptor that is bound to the address; without one each process binds it by itself, side by side. */
  readonly descriptor: number | undefined;
}

/** A gateway that listens. */
export interface Listener {
  /** The concrete address: the port that was picked when 0 was asked for. */
  readonly address: ListenAddress;
  /** Stops accepting; connections are told to close with their next response. */
  stopAccepting(): void;
  /** Open connections, idle ones included. */
  readonly connections: number;
  /** Ends all connections. */
  destroy(): Promise<void>;
}

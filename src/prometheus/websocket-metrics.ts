import { webSocketCounts } from '../core/websocket-counts.js';
import { Counter, Gauge } from './client.js';
import type { MetricsRegister } from './metrics-options.js';

/** The metrics of the WebSockets of this process, read when they are asked for. */
export function addWebSocketMetrics(register: MetricsRegister): void {
  const registers = [register];
  new Gauge({
    ...{ name: 'vela_websocket_connections', help: 'WebSockets that are open.', registers },
    collect() {
      this.set(webSocketCounts.open);
    },
  });
  for (const key of ['received', 'sent'] as const)
    new Counter({
      ...{
        name: `vela_websocket_messages_${key}_total`,
        help: `Messages that WebSockets have ${key}.`,
        registers,
      },
      collect() {
        this.reset();
        this.inc(webSocketCounts[key]);
      },
    });
  new Counter({
    ...{ name: 'vela_websocket_closes_total', help: 'WebSockets that were closed, by code.', registers },
    labelNames: ['code'],
    collect() {
      this.reset();
      for (const [code, count] of webSocketCounts.closed) this.inc({ code }, count);
    },
  });
}

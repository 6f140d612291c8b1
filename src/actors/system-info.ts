import { cpus, freemem, loadavg, totalmem } from 'node:os';
import { performance } from 'node:perf_hooks';

/** What a process, and the loop of one of its threads, are at. */
export interface SystemInfo {
  /** CPU time of the process since it began, in ms; `percent` of one core since the last look. */
  readonly cpu: { readonly userMs: number; readonly systemMs: number; readonly percent: number };
  readonly memory: {
    readonly rssBytes: number;
    readonly heapUsedBytes: number;
    readonly heapTotalBytes: number;
    readonly externalBytes: number;
  };
  /** How late timers come: the last time and the worst so far; and the share of time that the loop was busy, 0 to 1. */
  readonly eventLoop: {
    readonly lagMs: number;
    readonly worstLagMs: number;
    readonly utilization: number;
  };
  /** Of the process. */
  readonly uptimeSeconds: number;
  readonly machine: {
    readonly cores: number;
    readonly loadAverage: number;
    readonly freeBytes: number;
    readonly totalBytes: number;
  };
}

/** Looks at the process, and keeps what it saw for the next look. */
export class SystemProbe {
  #cpu = process.cpuUsage();
  #atMs = performance.now();
  #loop = performance.eventLoopUtilization();
  #percent = 0;
  #utilization = 0;
  lagMs = 0;
  #worstLagMs = 0;

  /** A timer came so much later than it should have. */
  noteLag(lagMs: number): void {
    this.lagMs = Math.max(0, lagMs);
    this.#worstLagMs = Math.max(this.#worstLagMs, this.lagMs);
  }

  look(): SystemInfo {
    const nowMs = performance.now();
    const sinceMs = nowMs - this.#atMs;
    if (sinceMs >= SHORTEST_SPAN_MS) {
      const spent = process.cpuUsage(this.#cpu);
      const loop = performance.eventLoopUtilization();
      this.#percent = round((spent.user + spent.system) / 10 / sinceMs);
      this.#utilization = round(performance.eventLoopUtilization(loop, this.#loop).utilization);
      this.#cpu = process.cpuUsage();
      this.#loop = loop;
      this.#atMs = nowMs;
    }
    const { user, system } = process.cpuUsage();
    const { rss, heapUsed, heapTotal, external } = process.memoryUsage();
    return {
      cpu: { userMs: user / 1000, systemMs: system / 1000, percent: this.#percent },
      memory: {
        rssBytes: rss,
        heapUsedBytes: heapUsed,
        heapTotalBytes: heapTotal,
        externalBytes: external,
      },
      eventLoop: {
        lagMs: round(this.lagMs),
        worstLagMs: round(this.#worstLagMs),
        utilization: this.#utilization,
      },
      uptimeSeconds: process.uptime(),
      machine: {
        cores: cpus().length,
        loadAverage: loadavg()[0] as number,
        freeBytes: freemem(),
        totalBytes: totalmem(),
      },
    };
  }
}

/** Over less than this, shares are chance. */
const SHORTEST_SPAN_MS = 100;

function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}

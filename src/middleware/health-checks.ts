import { toError } from '../core/errors.js';
import type { Logger } from '../core/logger.js';

/** Something that must work; passes unless it throws or rejects. @param signal - aborts when it takes too long */
export type HealthCheck = (signal: AbortSignal) => unknown;

/** How a check went. */
export interface HealthCheckResult {
  readonly status: 'ok' | 'failed' | 'timeout';
  readonly durationMs: number;
}

/** How all checks went. */
export interface HealthReport {
  readonly status: 'ok' | 'failed';
  readonly checks: Readonly<Record<string, HealthCheckResult>>;
}

/** Runs checks side by side; who asks meanwhile, or shortly after, gets the same report. */
export class HealthChecks {
  readonly #checks: readonly (readonly [string, HealthCheck])[];
  readonly #timeoutMs: number;
  readonly #cacheMs: number;
  /** Checks that have not settled, even if their time is over: these are not begun again. */
  readonly #pending = new Set<string>();
  /** Ends each check under way. */
  readonly #enders = new Set<() => void>();
  #isStopped = false;
  #report: Promise<HealthReport> | undefined;
  #isRunning = false;
  #settledMs = 0;

  constructor(checks: Readonly<Record<string, HealthCheck>>, timeoutMs: number, cacheMs: number) {
    this.#checks = Object.entries(checks);
    this.#timeoutMs = timeoutMs;
    this.#cacheMs = cacheMs;
  }

  get isStopped(): boolean {
    return this.#isStopped;
  }

  start(): void {
    this.#isStopped = false;
  }

  /** Ends the checks under way. */
  stop(): void {
    this.#isStopped = true;
    for (const end of this.#enders) end();
  }

  /** Never rejects. @param logger - is told what failed */
  run(logger: Logger): Promise<HealthReport> {
    const isFresh = this.#isRunning || performance.now() - this.#settledMs < this.#cacheMs;
    if (this.#report === undefined || !isFresh) {
      this.#isRunning = true;
      this.#report = this.#runAll(logger);
    }
    return this.#report;
  }

  async #runAll(logger: Logger): Promise<HealthReport> {
    const results = await Promise.all(this.#checks.map(([name, check]) => this.#runOne(name, check, logger)));
    this.#isRunning = false;
    this.#settledMs = performance.now();
    const checks = Object.fromEntries(
      this.#checks.map(([name], i) => [name, results[i] as HealthCheckResult]),
    );
    return { status: results.every(({ status }) => status === 'ok') ? 'ok' : 'failed', checks };
  }

  async #runOne(name: string, check: HealthCheck, logger: Logger): Promise<HealthCheckResult> {
    if (this.#pending.has(name)) return { status: 'timeout', durationMs: this.#timeoutMs };
    const beganMs = performance.now();
    const aborter = new AbortController();
    const end = (status: HealthCheckResult['status']): HealthCheckResult => ({
      status,
      durationMs: Math.round(performance.now() - beganMs),
    });
    let timer: NodeJS.Timeout | undefined;
    let onLate = () => {};
    const late = new Promise<HealthCheckResult>((resolve) => {
      onLate = () => {
        resolve(end('timeout'));
        aborter.abort();
      };
      timer = setTimeout(onLate, this.#timeoutMs);
      this.#enders.add(onLate);
    });
    this.#pending.add(name);
    const work = this.#call(name, check, aborter.signal).then(
      () => end('ok'),
      (error: unknown) => {
        logger.warn({ check: name, err: toError(error) }, `the health check "${name}" failed`);
        return end('failed');
      },
    );
    const result = await Promise.race([work, late]);
    clearTimeout(timer);
    this.#enders.delete(onLate);
    return result;
  }

  async #call(name: string, check: HealthCheck, signal: AbortSignal): Promise<void> {
    try {
      await check(signal);
    } finally {
      this.#pending.delete(name);
    }
  }
}

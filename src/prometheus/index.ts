export type { MetricsRegister, PrometheusMetricsOptions } from './metrics-options.js';
export { prometheusMetrics } from './prometheus-metrics.js';

/** A register of metrics, as prom-client has it. */
export interface MetricsSource {
  /** What it has, as plain data. */
  getMetricsAsJSON(): Promise<unknown[]>;
}

/** Of this process, with how many servers use each. */
const sources = new Map<MetricsSource, number>();

/** Makes a register one of this process, for whoever adds up those of several. @returns takes it back */
export function addMetricsSource(source: MetricsSource): () => void {
  sources.set(source, (sources.get(source) ?? 0) + 1);
  return () => {
    const left = (sources.get(source) ?? 1) - 1;
    if (left === 0) sources.delete(source);
    else sources.set(source, left);
  };
}

/** What all registers of this process have. */
export async function readMetrics(): Promise<unknown[]> {
  const all = await Promise.all([...sources.keys()].map((source) => source.getMetricsAsJSON()));
  return all.flat();
}

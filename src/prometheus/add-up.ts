import { AggregatorRegistry } from './client.js';

/** Metrics of several processes as one text, and its content type. @param each - what each process's registers have */
export async function addUp(each: readonly unknown[][]): Promise<{ text: string; type: string }> {
  const sum = AggregatorRegistry.aggregate([...each] as object[]);
  return { text: await sum.metrics(), type: sum.contentType };
}

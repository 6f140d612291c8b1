/** `1 worker`, `2 workers`. */
export function countWorkers(count: number): string {
  return `${count} worker${count === 1 ? '' : 's'}`;
}

/** Server side of the benchmark: picks the row's app, tells the parent the port, and answers its questions. */

/**
 * @param {Record<string, (listen: unknown) => unknown>} apps one entry a row
 * @param {(app: unknown) => number | Promise<number>} listen starts the server on 127.0.0.1, any port, and gives the port
 */
export async function runRow(apps, listen) {
  const row = process.argv[2];
  const app = apps[row];
  if (app === undefined) throw new Error(`No app for row "${row}"; there are ${Object.keys(apps).join(', ')}`);
  await runApp(() => listen(app));
}

/** @param {() => number | Promise<number>} listen starts the server on 127.0.0.1, any port, and gives the port */
export async function runApp(listen) {
  process.on('message', answerUsage);
  process.on('disconnect', () => process.exit(0));
  process.send({ port: await listen() });
}

function answerUsage() {
  process.send(readUsage());
}

/** The CPU time of all threads of this process, user and system, and its peak memory. */
export function readUsage() {
  const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
  return { cpuUs: userCPUTime + systemCPUTime, peakMemoryKib: maxRSS };
}

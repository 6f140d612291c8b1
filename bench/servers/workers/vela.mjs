/** One worker under the arbiter, which runs this file again. */
import { command } from '../../../dist/actors/index.js';
import { WsgiServer } from '../../../dist/index.js';
import { readUsage } from '../../lib/child.mjs';
import { apps } from '../../lib/vela-apps.mjs';

command('usage', readUsage);

const server = await new WsgiServer(apps[process.argv[2]], { bind: '127.0.0.1:0', gateway: 'uws' }).start([]);
const { actor, workers } = server.monitor;
process.on('message', async () => {
  const [own, worker] = [readUsage(), await actor.send(workers[0], 'usage')];
  process.send({ cpuUs: own.cpuUs + worker.cpuUs, peakMemoryKib: worker.peakMemoryKib });
});
process.on('disconnect', () => process.exit(0));
process.send({ port: server.addresses[0].port });

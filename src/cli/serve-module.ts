import { parseCommandLine } from '../app/command-line.js';
import { ImproperlyConfigured } from '../core/errors.js';
import { WsgiServer } from '../server/wsgi-server.js';
import { INTERFACES, type Interface } from './adapt-foreign.js';
import { loadApp } from './load-app.js';

const PROGRAM = {
  name: 'vela serve',
  argument: [
    '<module>',
    'path of a module, with :export behind it where that is neither "default" nor "app"',
  ],
  choice: {
    name: 'interface',
    values: INTERFACES,
    text: 'what a function of the module is, if not (environ, startResponse)',
  },
} as const;
const EXAMPLE = 'as in vela serve ./server.js:app --bind :8060';

/**
 * Serves an application of a module, as a script does that ends in `.start()`.
 * @param args - the module and flags
 * @throws {ImproperlyConfigured} for a module that cannot be served; what the module throws
 */
export async function serveModule(args: readonly string[]): Promise<void> {
  const line = parseCommandLine(args, PROGRAM);
  if (line.print !== undefined) {
    process.stdout.write(line.print);
    return;
  }
  const [module, ...surplus] = line.operands;
  const problems = [...(line.source.problems ?? [])];
  if (module === undefined && problems.length === 0)
    problems.push(`vela serve takes a module, ${EXAMPLE}; none came`);
  if (surplus.length > 0)
    problems.push(`vela serve takes one module, ${EXAMPLE}; received ${surplus.join(' ')} too`);
  if (module === undefined || problems.length > 0) throw new ImproperlyConfigured(problems.join('\n'));
  const { app } = await loadApp(module, line.choice as Interface | undefined);
  await new WsgiServer(app).startBy(line);
}

import { Command, CommanderError } from 'commander';
import { formatError, ImproperlyConfigured, toError, VelaError } from '../core/errors.js';
import { VERSION } from '../core/version.js';

const MODULE = [
  '<module>',
  'path of a module, with :export behind it where that is neither "default" nor "app"',
] as const;
const INTERFACE = ['--interface <wsgi|node|fetch>', 'what a function of the module is'] as const;
const USAGE = '<module> [flags]';
/** What a command came to: it is done, it found something wrong, it was told something wrong. */
const EXIT_FAILED = 1;
const EXIT_USAGE = 2;

/**
 * The command `vela`. Ends the process, unless it serves.
 * @param args - without node and the script
 */
export async function runCli(args: readonly string[]): Promise<void> {
  try {
    await createCli().parseAsync(args.length === 0 ? ['--help'] : [...args], { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError) {
      if (error.exitCode === 0) process.exit(0);
      process.stderr.write(`vela: ${explain(error)}\n`);
      process.exit(EXIT_USAGE);
    }
    if (error instanceof ImproperlyConfigured) {
      for (const line of error.message.split('\n')) process.stderr.write(`vela: ${line}\n`);
      process.exit(EXIT_USAGE);
    }
    process.stderr.write(
      `vela: ${error instanceof VelaError ? error.message : formatError(toError(error))}\n`,
    );
    process.exit(EXIT_FAILED);
  }
}

function createCli(): Command {
  const cli = new Command('vela')
    .description('Serves WSGI applications of Vela.')
    .version(`vela ${VERSION}`, '-V, --version', "print Vela's version")
    .helpOption('-h, --help', 'print this')
    .helpCommand(false)
    .enablePositionalOptions()
    .configureHelp({ subcommandTerm: (command) => `${command.name()} ${command.usage()}`.trim() })
    .exitOverride()
    .configureOutput({ writeErr: () => {} });
  cli
    .command('serve')
    .description('serve an application of a module; all settings are flags of it: vela serve --help')
    .usage(USAGE)
    .helpOption(false)
    .allowUnknownOption()
    .argument('[args...]', 'a module and flags')
    .action(async (_args: string[], _options: object, command: Command) => {
      const { serveModule } = await import('./serve-module.js');
      await serveModule(command.args);
    });
  cli
    .command('check')
    .description('load and start an application, send it a request under lint, stop it')
    .usage(USAGE)
    .argument(...MODULE)
    .option(...INTERFACE)
    .option('--path <path>', 'what is asked for', '/')
    .option('--timeout-ms <ms>', 'how long all of it may take', '60000')
    .action(async (module: string, options: { path: string; timeoutMs: string; interface?: string }) => {
      const { checkModule } = await import('./check-module.js');
      process.exit((await checkModule(module, options)) ? 0 : EXIT_FAILED);
    });
  cli
    .command('routes')
    .description('list the routes of an application, without starting it')
    .usage(USAGE)
    .argument(...MODULE)
    .action(async (module: string) => {
      const { printRoutes } = await import('./print-routes.js');
      process.exit((await printRoutes(module)) ? 0 : EXIT_FAILED);
    });
  cli
    .command('doctor')
    .description('look whether this machine is fit to serve')
    .usage('[flags]')
    .action(async () => {
      const { doctor } = await import('./doctor.js');
      process.exit((await doctor()) ? 0 : EXIT_FAILED);
    });
  return cli;
}

/** What commander found, in one line. */
function explain({ message }: CommanderError): string {
  const text = message.replace(/^error: /, '').replace(/\s*\n\s*/g, ' ');
  return `${text[0]?.toUpperCase()}${text.slice(1)}; vela --help lists the commands, and vela COMMAND --help its flags`;
}

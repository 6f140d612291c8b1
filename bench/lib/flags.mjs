import { parseArgs } from 'node:util';
import { suites } from '../suites/index.mjs';

const suiteIds = suites.map((suite) => suite.id);

export const usage = `Usage: npm run bench -- [flags]

  --suite NAME     what to measure: ${suiteIds.join(', ')} (default core)
  --rows LIST      rows to run (default all of the suite)
  --servers LIST   servers to run (default all of the suite)
  --rounds N       rounds a row; each measures every server once, in a new order
  --seconds S      measured window of a server in a round; multipart has uploads instead
  --warm-up S      load before each window
  --connections N  connections of the load generator (default 64; rows with large answers use fewer)
  --pipeline N     requests a connection sends at once, which takes the kernel out of the comparison (default 1);
                   runs only the rows of core that are answered at once
  --no-pin         do not give the load generator a core of its own (Linux, taskset)
  --quick          few rounds, to see that all is well
  --write-docs     write the suite's section of docs/benchmarks.md
  --help           this text

${suites.map(formatSuite).join('\n')}`;

/** Reads the command line into a plan. @throws {UsageError} when a flag is unknown or its value is not possible */
export function parseFlags(args) {
  const values = readValues(args);
  if (values.help) return { help: true };
  const [suite] = pick(suites, 'suite', values.suite ?? 'core');
  const defaults = values.quick ? suite.quick : suite.full;
  const pipeline = parseNumber(values, 'pipeline', 1, { minimum: 1, maximum: 64, integer: true });
  const plan = {
    suite,
    rounds: parseNumber(values, 'rounds', defaults.rounds, { minimum: 1, maximum: 100, integer: true }),
    seconds: parseNumber(values, 'seconds', defaults.seconds, { minimum: 0.2, maximum: 60 }),
    warmUpSeconds: parseNumber(values, 'warm-up', defaults.warmUpSeconds, { minimum: 0.1, maximum: 60 }),
    connections: parseNumber(values, 'connections', 64, { minimum: 1, maximum: 1000, integer: true }),
    pipeline,
    pinsCores: values['no-pin'] !== true,
    writesDocs: values['write-docs'] === true,
    rows: pick(suite.rows, 'rows', values.rows),
    servers: pick(suite.servers, 'servers', values.servers),
  };
  if (pipeline > 1) plan.rows = plan.rows.filter((row) => row.pipelined);
  plan.rows = plan.rows.filter((row) => plan.servers.some((server) => server.rows?.includes(row.id) ?? true));
  if (plan.rows.length === 0) throw new UsageError('The chosen --servers have none of the chosen --rows; see --help');
  return plan;
}

export class UsageError extends Error {}

function formatSuite({ id, rows, servers }) {
  const list = (items) => items.map((item) => item.id).join(',');
  return `${id}\n  rows     ${list(rows)}\n  servers  ${list(servers)}\n`;
}

function readValues(args) {
  const text = { type: 'string' };
  const flag = { type: 'boolean' };
  try {
    return parseArgs({
      args,
      options: {
        suite: text,
        rows: text,
        servers: text,
        rounds: text,
        seconds: text,
        'warm-up': text,
        connections: text,
        pipeline: text,
        'no-pin': flag,
        quick: flag,
        'write-docs': flag,
        help: flag,
      },
    }).values;
  } catch (error) {
    throw new UsageError(error.message);
  }
}

function parseNumber(values, name, defaultValue, { minimum, maximum, integer = false }) {
  if (values[name] === undefined) return defaultValue;
  const number = Number(values[name]);
  if (number >= minimum && number <= maximum && (!integer || Number.isInteger(number))) return number;
  const kind = integer ? 'an integer' : 'a number';
  throw new UsageError(`--${name} must be ${kind} from ${minimum} to ${maximum}; received ${values[name]}`);
}

function pick(all, name, list) {
  if (list === undefined) return all;
  const ids = list.split(',').map((id) => id.trim());
  for (const id of ids) {
    if (all.some((one) => one.id === id)) continue;
    throw new UsageError(`--${name}: there is no "${id}"; there are ${all.map((one) => one.id).join(', ')}`);
  }
  return all.filter((one) => ids.includes(one.id));
}

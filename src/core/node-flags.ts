/** Flags of node that say what the main program runs: a thread or process that inherits them does not come up. */
const OF_SCRIPT = /^(-e|--eval|-p|--print|-pe|--input-type)(=|$)/s;
/** Those that say how modules are loaded. */
const OF_LOADING = /^(-r|--require|--import|--loader|--experimental-loader|-C|--conditions)(=|$)/s;
/** Those of which two processes cannot have the same, or that are for the main program alone. */
const OF_ONE = /^--(inspect|inspect-brk|inspect-port|inspect-wait|watch|watch-path|test)(=|$)/s;

/** Those of the inspector, in NODE_OPTIONS. */
const INSPECTOR =
  /(?<=^|\s)--(?:(?:inspect|inspect-brk|inspect-wait)(?:=\S*)?|inspect-port(?:=|\s+)\S+)(?=\s|$)/g;

/** NODE_OPTIONS for a child process: without the inspector, as two processes cannot have one port. */
export function keepNodeOptions(options: string): string {
  return options.replace(INSPECTOR, '').trim();
}

/**
 * The flags of a thread: undefined for those of the process, all of them. Given one by one, those of V8, such as
 * `--max-old-space-size`, would be refused.
 */
export function keepThreadFlags(flags: readonly string[]): string[] | undefined {
  if (!flags.some((flag) => OF_SCRIPT.test(flag))) return undefined;
  const isKept = (flag: string | undefined) => flag !== undefined && OF_LOADING.test(flag);
  const isValue = (at: number) => isKept(flags[at - 1]) && !flags[at - 1]?.includes('=');
  return flags.filter((flag, at) => isKept(flag) || isValue(at));
}

/** The flags of a child process that runs another program. */
export function keepProcessFlags(flags: readonly string[]): string[] {
  const isLeft = (flag: string | undefined) =>
    flag !== undefined && (OF_SCRIPT.test(flag) || OF_ONE.test(flag));
  const isValue = (at: number) => OF_SCRIPT.test(flags[at - 1] ?? '') && !flags[at - 1]?.includes('=');
  return flags.filter((flag, at) => !isLeft(flag) && !isValue(at));
}

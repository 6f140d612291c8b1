/** How this program was started, whatever it does to this afterwards: workers run it again. */
export const PROGRAM_START = {
  /** Undefined for what is no file, such as `node -e`. */
  script: process.argv[1],
  args: process.argv.slice(2),
  cwd: process.cwd(),
} as const;

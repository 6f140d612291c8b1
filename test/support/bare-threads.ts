/**
 * Threads and processes of a test that imports this come up as users' do, with tsx alone: with what tap adds, which their code
 * needs for nothing, they take half as long again.
 */
for (const name of Object.keys(process.env))
  if (name === 'NODE_OPTIONS' || /^_?TAP/.test(name)) delete process.env[name];
// Threads inherit the flags that the process was started with, unless one of them says what the main program runs.
process.execArgv = ['--import=tsx', '--input-type=module'];

/**
 * Threads and processes of a test that imports this come up as users' do: with what tests and tap add, which their code
 * needs for nothing, they take several times as long.
 */
for (const name of Object.keys(process.env))
  if (name === 'NODE_OPTIONS' || /^_?TAP/.test(name)) delete process.env[name];
// Threads inherit the flags that the process was started with, unless one of them says what the main program runs.
process.execArgv = ['--input-type=module'];

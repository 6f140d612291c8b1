/** What the servers of the executor suite do. */

export const STREAM = { bytes: 1024 ** 3, chunkBytes: 65_536 };

/** How long a handler that blocks does so. */
export const HOLD_MS = 50;

/** The same in Node's scrypt and Python's. */
export const HASH = { password: 'correct horse', salt: 'battery staple', bytes: 32, cost: { N: 4096, r: 8, p: 1 } };
export const HASHED = 'f9b3bfbd1cfd43ae41ddbc636740534946140914f0a31198cc99c3aefc219ba9';
/** Threads of every server in the row. */
export const HASH_THREADS = 2;

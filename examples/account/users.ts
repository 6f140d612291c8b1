/** Who may log in. A site of your own keeps them in a database; what is kept of a password is the same. */
import { randomBytes, type ScryptOptions, scrypt, timingSafeEqual } from 'node:crypto';

export interface User {
  readonly name: string;
  readonly isAdmin: boolean;
  note: string;
  isLocked: boolean;
}

interface Record {
  readonly user: User;
  readonly salt: Buffer;
  readonly hash: Buffer;
}

const HASH_BYTES = 32;
/** 32 MiB and some 0.2 s for a guess (OWASP's Password Storage Cheat Sheet). */
const COST: ScryptOptions = { N: 2 ** 15, r: 8, p: 3, maxmem: 64 * 1024 * 1024 };

const records = new Map<string, Record>();
/** What the password of somebody unknown is compared with, so that time does not tell who is known. */
const NOBODY = { salt: randomBytes(16), hash: randomBytes(HASH_BYTES) };

export async function addUser(name: string, password: string, isAdmin: boolean): Promise<void> {
  const salt = randomBytes(16);
  const user: User = { name, isAdmin, note: '', isLocked: false };
  records.set(name, { user, salt, hash: await derive(password, salt) });
}

/** The user, when the password is right and nobody has locked them out. */
export async function checkPassword(name: string, password: string): Promise<User | undefined> {
  const record = records.get(name);
  const { salt, hash } = record ?? NOBODY;
  const isRight = timingSafeEqual(await derive(password, salt), hash);
  return isRight && record?.user.isLocked === false ? record.user : undefined;
}

/** The user of a session or token: who was locked since is nobody any more. */
export function findUser(name: unknown): User | undefined {
  const user = records.get(String(name))?.user;
  return user?.isLocked === false ? user : undefined;
}

export function listUsers(): User[] {
  return [...records.values()].map(({ user }) => user);
}

/** The asynchronous scrypt works in a thread, so others are served meanwhile. */
function derive(password: string, salt: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    scrypt(password.normalize('NFKC'), salt, HASH_BYTES, COST, (error, key) => {
      if (error === null) resolve(key);
      else reject(error);
    });
  });
}

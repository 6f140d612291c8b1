import { stat } from 'node:fs/promises';
import Negotiator from 'negotiator';
import { cutList } from '../core/cut-list.js';
import { type OpenFile, openFile } from './open-file.js';
import type { RootFolder } from './root-folder.js';

/** Content codings and the suffixes of their files, the smallest first. */
const SUFFIXES = { br: '.br', gzip: '.gz' } as const;

/** A content coding that a file may lie there in. */
export type Coding = keyof typeof SUFFIXES;

/** The file that is sent for another, and how. */
export interface CodedFile {
  readonly open: OpenFile;
  readonly coding: Coding | '';
  /** There are codings of it. */
  readonly varies: boolean;
}

/** What negotiator 1 can, and its types of 0.6 do not tell. */
interface RankingNegotiator {
  encodings(available: string[], options: { preferred: readonly string[] }): string[];
}

const CODINGS = Object.keys(SUFFIXES) as Coding[];
/** How many spellings of Accept-Encoding are remembered. */
const REMEMBERED = 100;
const REMEMBERED_LENGTH = 200;
const remembered = new Map<string, readonly Coding[]>();

/** What a client takes rather than the file as it is, the best first (RFC 9110 §12.5.3). */
export function acceptedCodings(header: string | undefined): readonly Coding[] {
  if (header === undefined) return [];
  const known = remembered.get(header);
  if (known !== undefined) return known;
  const negotiator: RankingNegotiator = new Negotiator({ headers: { 'accept-encoding': cutList(header) } });
  const ranked = negotiator.encodings([...CODINGS, 'identity'], { preferred: CODINGS });
  const identity = ranked.indexOf('identity');
  const codings = (identity === -1 ? ranked : ranked.slice(0, identity)) as Coding[];
  // Whoever sends junk must not end the remembering for all others.
  if (remembered.size >= REMEMBERED) remembered.clear();
  if (header.length < REMEMBERED_LENGTH) remembered.set(header, codings);
  return codings;
}

/** Takes `app.js.br` for `app.js` where the client does. The file that is not sent is closed. */
export async function chooseCoded(
  open: OpenFile,
  accepted: readonly Coding[],
  root: RootFolder | undefined,
): Promise<CodedFile> {
  try {
    for (const coding of accepted) {
      const sibling = await openFile(open.path + SUFFIXES[coding], root);
      if (sibling === undefined || sibling === 'folder') continue;
      await open.handle.close();
      return { open: sibling, coding, varies: true };
    }
    const others = CODINGS.filter((coding) => !accepted.includes(coding));
    const found = await Promise.all(others.map((coding) => isFile(open.path + SUFFIXES[coding])));
    return { open, coding: '', varies: found.includes(true) };
  } catch (error) {
    await open.handle.close();
    throw error;
  }
}

async function isFile(path: string): Promise<boolean> {
  const stats = await stat(path).catch(() => undefined);
  return stats?.isFile() === true;
}

import { join } from 'node:path';
import type { MediaTerms } from './media-options.js';
import type { MediaPath } from './media-path.js';
import { type OpenFile, openFile } from './open-file.js';

/** What a path leads to. */
export type FoundMedia =
  | { readonly kind: 'file'; readonly open: OpenFile; readonly path: string }
  | { readonly kind: 'folder'; readonly place: string }
  /** A folder that was asked for as a file: its slash is missing. */
  | { readonly kind: 'redirect' };

/** Looks up a path: the file itself, the file with the default suffix, or what there is to show of a folder. */
export async function findMedia(
  terms: MediaTerms,
  { segments, isFolder }: MediaPath,
): Promise<FoundMedia | undefined> {
  if (isFolder) return findFolder(terms, segments);
  const opened = await openBelow(terms, segments);
  if (opened === 'folder') {
    const folder = await findFolder(terms, segments);
    if (folder?.kind === 'file') await folder.open.handle.close();
    if (folder !== undefined) return { kind: 'redirect' };
  } else if (opened !== undefined) {
    return opened;
  }
  if (terms.defaultSuffix === '' || segments.length === 0) return undefined;
  const withSuffix = [...segments.slice(0, -1), `${segments.at(-1)}${terms.defaultSuffix}`];
  const other = await openBelow(terms, withSuffix);
  return other === 'folder' ? undefined : other;
}

async function findFolder(terms: MediaTerms, segments: readonly string[]): Promise<FoundMedia | undefined> {
  for (const name of terms.index) {
    const opened = await openBelow(terms, [...segments, name]);
    if (opened !== undefined && opened !== 'folder') return opened;
  }
  if (!terms.listing) return undefined;
  const opened = await openBelow(terms, segments);
  if (opened === 'folder') return { kind: 'folder', place: join(terms.root.path, ...segments) };
  await opened?.open.handle.close();
  return undefined;
}

async function openBelow(
  terms: MediaTerms,
  segments: readonly string[],
): Promise<Extract<FoundMedia, { kind: 'file' }> | 'folder' | undefined> {
  const open = await openFile(join(terms.root.path, ...segments), terms.root);
  if (open === undefined || open === 'folder') return open;
  const path = `/${segments.join('/')}`;
  if (terms.isServed(path)) return { kind: 'file', open, path };
  await open.handle.close();
  return undefined;
}

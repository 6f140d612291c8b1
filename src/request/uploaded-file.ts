import { Buffer } from 'node:buffer';
import { constants, createReadStream } from 'node:fs';
import { chmod, copyFile, link, readFile, rm } from 'node:fs/promises';
import { own, ownSteps } from '../core/own.js';
import { decodeText } from './decode-text.js';
import type { FormPart } from './form-part.js';
import { writeNewFile } from './save-file.js';

/** A file that came with a form: a small one in memory, another one in a temporary file until the request ends. */
export class UploadedFile {
  /** Of the form's field. */
  readonly name: string;
  /** The base name of the client's file; undefined when nothing is left of it. */
  readonly filename: string | undefined;
  /** As it was sent. Never part of a path. */
  readonly originalFilename: string | undefined;
  /** In lower case. The client's word. */
  readonly contentType: string;
  readonly charset: string | undefined;
  /** How many bytes it has. */
  readonly size: number;
  /** The temporary file; undefined for one in memory. */
  readonly path: string | undefined;
  readonly #bytes: Buffer | undefined;

  /** Files come from `request.dataAndFiles()`. */
  constructor(part: FormPart, content: Buffer | { readonly path: string; readonly bytes: number }) {
    this.name = part.name;
    this.filename = part.filename;
    this.originalFilename = part.originalFilename;
    this.contentType = part.contentType;
    this.charset = part.charset;
    const isHeld = Buffer.isBuffer(content);
    this.size = isHeld ? content.length : content.bytes;
    this.path = isHeld ? undefined : content.path;
    this.#bytes = isHeld ? content : undefined;
  }

  /** Its bytes, in pieces. */
  stream(): AsyncIterable<Buffer> {
    return ownSteps(this.path === undefined ? onePiece(this.#bytes) : readPieces(this.path));
  }

  bytes(): Promise<Buffer> {
    return own(this.path === undefined ? Promise.resolve(this.#bytes as Buffer) : readFile(this.path));
  }

  /** All of it as text, in its charset, else UTF-8. @throws {HttpError} 400 for wrong bytes, 415 for an unknown charset */
  text(): Promise<string> {
    return own(this.bytes().then((bytes) => decodeText(bytes, this.charset, 'A file')));
  }

  /**
   * Keeps it: makes it a file at a path of your choice, for this user only (0600).
   * @param path - nothing may be there
   */
  saveTo(path: string): Promise<void> {
    return own(this.#saveTo(path));
  }

  /** Removes its temporary file. */
  discard(): Promise<void> {
    return own(this.path === undefined ? Promise.resolve() : rm(this.path, { force: true }));
  }

  async #saveTo(path: string): Promise<void> {
    if (this.path === undefined) {
      await writeNewFile(path, onePiece(this.#bytes), Number.POSITIVE_INFINITY);
      return;
    }
    try {
      // The temporary name goes with the request; this one stays.
      await link(this.path, path);
    } catch (error) {
      const isElsewhere =
        error instanceof Error &&
        'code' in error &&
        ['EXDEV', 'EPERM', 'ENOTSUP'].includes(String(error.code));
      if (!isElsewhere) throw error;
      await copyFile(this.path, path, constants.COPYFILE_EXCL);
      await chmod(path, 0o600);
    }
  }
}

/** Opened when it is read: a stream that nobody reads, of a file that is gone, would end the process. */
async function* readPieces(path: string): AsyncGenerator<Buffer, void, undefined> {
  yield* createReadStream(path);
}

async function* onePiece(bytes: Buffer | undefined): AsyncGenerator<Buffer, void, undefined> {
  if (bytes !== undefined && bytes.length > 0) yield bytes;
}

import { Buffer } from 'node:buffer';
import type { Readable } from 'node:stream';
import { VelaError } from '../core/errors.js';
import { PayloadTooLarge } from '../core/http-error.js';
import { own, ownSteps } from '../core/own.js';
import { decodeText } from './decode-text.js';
import { findBaseName } from './file-name.js';
import { findCharset, parseMediaType } from './media-type.js';
import { parseJson } from './parse-json.js';
import type { PartHeaders } from './part-headers.js';
import { writeNewFile } from './save-file.js';

/** Where a part gets more bytes from. */
export interface PartSource {
  /** Brings the body on by a chunk; rejects when no more can come. */
  advance(): Promise<void>;
}

/** What a part is, before its bytes. */
export interface PartHead {
  readonly name: string;
  /** As it was sent. */
  readonly filename: string | undefined;
  readonly headers: PartHeaders;
  readonly isFile: boolean;
  readonly limitBytes: number;
}

const MAX_JSON_DEPTH = 64;
const WHAT = 'A part of the body';

/**
 * One part of a multipart/form-data body (RFC 7578). It is read once, by one of its methods or as an async iterable of
 * Buffers, and before the next part is asked for. Reading more bytes than its limit rejects with 413.
 */
export class FormPart implements AsyncIterable<Buffer> {
  readonly name: string;
  /** The base name of the client's file; undefined for a field, and for a name of which nothing is left. */
  readonly filename: string | undefined;
  /** The file's name as it was sent. Never part of a path. */
  readonly originalFilename: string | undefined;
  /** In lower case; `text/plain` when the part says nothing. The client's word. */
  readonly contentType: string;
  /** In lower case, of the part's Content-Type; undefined when it says none. */
  readonly charset: string | undefined;
  /** Names in lower case, all values of each; no prototype. */
  readonly headers: PartHeaders;
  /** It has a filename, be it empty, or says that it is `application/octet-stream`. */
  readonly isFile: boolean;

  readonly #stream: Readable;
  readonly #source: PartSource;
  readonly #limitBytes: number;
  #readBytes = 0;
  #isEnded = false;
  #isTaken = false;
  #error: unknown = undefined;

  /** Parts come from `request.multipart()`. */
  constructor(head: PartHead, stream: Readable, source: PartSource) {
    const { headers, filename } = head;
    const media = parseMediaType(headers['content-type']?.[0] ?? '');
    this.name = head.name;
    this.originalFilename = filename;
    this.filename = filename === undefined ? undefined : findBaseName(filename);
    this.contentType = media.type === '' ? 'text/plain' : media.type;
    this.charset = findCharset(media);
    this.headers = headers;
    this.isFile = head.isFile;
    this.#limitBytes = head.limitBytes;
    this.#stream = stream;
    this.#source = source;
    stream.once('end', () => {
      this.#isEnded = true;
    });
  }

  /** The bytes as they come. @throws {VelaError} `ERR_PART_READ` when it was read before */
  [Symbol.asyncIterator](): AsyncGenerator<Buffer, void, undefined> {
    return ownSteps(this.#chunks());
  }

  async *#chunks(): AsyncGenerator<Buffer, void, undefined> {
    this.#take();
    for (let chunk = await this.#next(); chunk !== undefined; chunk = await this.#next()) yield chunk;
  }

  /** All bytes. */
  bytes(): Promise<Buffer> {
    return own(this.#bytes());
  }

  /** All of it as text, in its charset, else UTF-8. @throws {HttpError} 400 for wrong bytes, 415 for an unknown charset */
  text(): Promise<string> {
    return own(this.bytes().then((bytes) => decodeText(bytes, this.charset, WHAT)));
  }

  /** Its value as JSON, under the rules of `request.json()`, whatever its Content-Type. @throws {BadRequest} */
  json(): Promise<unknown> {
    const parse = (bytes: Buffer) => parseJson(decodeText(bytes, undefined, WHAT), MAX_JSON_DEPTH, WHAT);
    return own(this.bytes().then(parse));
  }

  /**
   * Writes it to a new file, for this user only (0600); a file that cannot be completed is removed.
   * @param path - chosen by you, never by the client; nothing may be there
   * @returns how many bytes it has
   */
  saveTo(path: string): Promise<number> {
    return own(writeNewFile(path, this, Number.POSITIVE_INFINITY));
  }

  /** Reads what is left of it away. */
  drain(): Promise<void> {
    return own(this.#drain());
  }

  async #bytes(): Promise<Buffer> {
    const chunks: Buffer[] = [];
    for await (const chunk of this.#chunks()) chunks.push(chunk);
    return chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks);
  }

  async #drain(): Promise<void> {
    this.#isTaken = true;
    while ((await this.#next()) !== undefined);
  }

  #take(): void {
    if (this.#isTaken) {
      throw new VelaError(
        'ERR_PART_READ',
        `The part ${JSON.stringify(this.name.slice(0, 60))} was read already, or passed over: read it once, before the next part is asked for`,
      );
    }
    this.#isTaken = true;
  }

  async #next(): Promise<Buffer | undefined> {
    for (;;) {
      if (this.#error !== undefined) throw this.#error;
      const chunk = this.#stream.read() as Buffer | null;
      if (chunk !== null) {
        this.#count(chunk.length);
        return chunk;
      }
      // The end of a stream is told a tick after its last byte was read.
      if (!this.#isEnded) await new Promise<void>((resolve) => process.nextTick(resolve));
      if (this.#isEnded) return undefined;
      if (this.#stream.readableLength === 0) await this.#source.advance();
    }
  }

  #count(bytes: number): void {
    this.#readBytes += bytes;
    if (this.#readBytes <= this.#limitBytes) return;
    const what = this.isFile ? 'A file' : 'A field';
    this.#error = new PayloadTooLarge(`${what} is larger than the limit of ${this.#limitBytes} bytes`);
    throw this.#error;
  }
}

import { Buffer, isUtf8 } from 'node:buffer';
import type { Readable } from 'node:stream';
import busboy, { type Busboy } from 'busboy';
import type { WsgiInput } from '../core/contract.js';
import { VelaError } from '../core/errors.js';
import { BadRequest, PayloadTooLarge, Unsupported } from '../core/http-error.js';
import { own } from '../core/own.js';
import { FormPart, type PartSource } from './form-part.js';
import type { ResolvedLimits } from './multipart-limits.js';
import { type PartHeaders, showPartHeaders } from './part-headers.js';

/** busboy is given this much at a time, so that a body in memory is not all held twice. */
const SLICE_BYTES = 65_536;
const IDENTITY = ['7bit', '8bit', 'binary'];

/**
 * The parts of a multipart/form-data body, one after the other. Nothing is read before somebody asks: bytes are taken
 * from `wsgi.input` only while a part, or the bytes of one, are waited for.
 */
export class MultipartReader implements AsyncIterableIterator<FormPart>, PartSource {
  readonly #input: AsyncIterator<Buffer>;
  readonly #limits: ResolvedLimits;
  readonly #parser: Busboy;
  /** Settles when busboy has seen the end: resolves to its error, if it has one. */
  readonly #verdict: Promise<void>;
  #parts: FormPart[] = [];
  #current: FormPart | undefined = undefined;
  #rest: Buffer | undefined = undefined;
  #isOver = false;
  #isClosed = false;
  #error: unknown = undefined;
  #advancing: Promise<void> | undefined = undefined;
  #headers: PartHeaders | undefined = undefined;
  #totalBytes = 0;
  #partCount = 0;
  #fieldCount = 0;
  #fileCount = 0;

  constructor(input: WsgiInput, boundary: string, limits: ResolvedLimits) {
    this.#input = input[Symbol.asyncIterator]();
    this.#limits = limits;
    const parser = busboy({
      headers: { 'content-type': `multipart/form-data; boundary="${boundary}"` },
      defParamCharset: 'utf8',
      preservePath: true,
      highWaterMark: SLICE_BYTES,
      fileHwm: SLICE_BYTES,
    });
    this.#parser = parser;
    this.#verdict = new Promise((resolve) => {
      parser.once('close', resolve);
    });
    parser.on('error', (error) => this.#fail(describeParserError(error)));
    parser.on('file', (name: string | undefined, stream, info) =>
      this.#addPart(name, info.filename, stream, info.encoding),
    );
    showPartHeaders(
      parser,
      (headers) => {
        this.#headers = headers;
      },
      () => {
        if (this.#headers !== undefined)
          this.#fail(new BadRequest('A part of the body has no Content-Disposition of form-data'));
      },
    );
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** The next part; what is left of the one before is passed over. */
  next(): Promise<IteratorResult<FormPart, undefined>> {
    return own(this.#next());
  }

  async #next(): Promise<IteratorResult<FormPart, undefined>> {
    if (this.#isClosed) return { done: true, value: undefined };
    try {
      await this.#current?.drain();
      while (this.#parts.length === 0) {
        if (this.#error !== undefined) throw this.#error;
        if (this.#isOver) {
          await this.#verdict;
          if (this.#error !== undefined) throw this.#error;
          this.#close();
          return { done: true, value: undefined };
        }
        await this.advance();
      }
      this.#current = this.#parts.shift() as FormPart;
      return { done: false, value: this.#current };
    } catch (error) {
      this.#fail(error);
      this.#close();
      throw error;
    }
  }

  /** No more parts are wanted: the rest of the body passes unread when the request is answered. */
  async return(): Promise<IteratorResult<FormPart, undefined>> {
    this.#close();
    return { done: true, value: undefined };
  }

  /** Gives busboy the next bytes of the body. One call serves all who wait. */
  async advance(): Promise<void> {
    this.#advancing ??= this.#advance().finally(() => {
      this.#advancing = undefined;
    });
    await this.#advancing;
  }

  async #advance(): Promise<void> {
    if (this.#error === undefined && this.#isOver) await this.#verdict;
    if (this.#error !== undefined) throw this.#error;
    try {
      const bytes = await this.#take();
      if (bytes === undefined) {
        this.#isOver = true;
        this.#parser.end();
      } else this.#parser.write(bytes);
    } catch (error) {
      this.#fail(error);
    }
  }

  async #take(): Promise<Buffer | undefined> {
    if (this.#rest === undefined) {
      const { done, value } = await this.#input.next();
      if (done === true) return undefined;
      this.#totalBytes += value.length;
      const { totalBytes } = this.#limits;
      if (this.#totalBytes > totalBytes) throw tooMuch('The body is larger than', `${totalBytes} bytes`);
      this.#rest = value;
    }
    const bytes = this.#rest.subarray(0, SLICE_BYTES);
    this.#rest = this.#rest.length > SLICE_BYTES ? this.#rest.subarray(SLICE_BYTES) : undefined;
    return bytes;
  }

  #addPart(name: string | undefined, filename: string | undefined, stream: Readable, encoding: string): void {
    // Its errors are told by the parser.
    stream.on('error', () => undefined);
    const headers = this.#headers;
    this.#headers = undefined;
    if (this.#error !== undefined) return;
    if (headers === undefined)
      throw new Error('This busboy tells of a part before its headers: install busboy 1.6');
    try {
      this.#parts.push(this.#makePart(headers, name, filename, stream, encoding));
    } catch (error) {
      this.#fail(error);
    }
  }

  #makePart(
    headers: PartHeaders,
    parsedName: string | undefined,
    filename: string | undefined,
    stream: Readable,
    encoding: string,
  ): FormPart {
    const limits = this.#limits;
    const disposition = headers['content-disposition']?.[0] ?? '';
    if (!isUtf8(Buffer.from(disposition, 'latin1')))
      throw new BadRequest('The name of a part of the body is not valid UTF-8');
    // busboy takes an empty name for none.
    const isEmpty = (parameter: string) => new RegExp(`;[\\t ]*${parameter}=""`, 'i').test(disposition);
    if (parsedName === undefined && !isEmpty('name')) throw new BadRequest('A part of the body has no name');
    const name = unescapeName(parsedName ?? '');
    const sentName = filename ?? (isEmpty('filename') ? '' : undefined);
    const type = headers['content-type']?.[0]?.split(';')[0]?.trim().toLowerCase();
    const isFile = sentName !== undefined || type === 'application/octet-stream';
    const pairs = Object.values(headers).reduce((count, values) => count + values.length, 0);
    if (++this.#partCount > limits.parts) throw tooMuch('The body has more than', `${limits.parts} parts`);
    if (pairs > limits.headerPairs)
      throw tooMuch('A part of the body has more than', `${limits.headerPairs} headers`);
    if (Buffer.byteLength(name) > limits.fieldNameBytes)
      throw tooMuch('The name of a part of the body is larger than', `${limits.fieldNameBytes} bytes`);
    if (isFile && ++this.#fileCount > limits.files)
      throw tooMuch('The body has more than', `${limits.files} files`);
    if (!isFile && ++this.#fieldCount > limits.fields)
      throw tooMuch('The body has more than', `${limits.fields} fields`);
    if (!IDENTITY.includes(encoding))
      throw new Unsupported('A part of the body has a Content-Transfer-Encoding (RFC 7578 §4.7)');
    const limitBytes = isFile ? limits.fileBytes : limits.fieldBytes;
    const isExtended = /;[\t ]*filename\*=/i.test(disposition);
    const original = sentName === undefined || isExtended ? sentName : unescapeName(sentName);
    return new FormPart({ name, filename: original, headers, isFile, limitBytes }, stream, this);
  }

  /** The first error is the one that is told. */
  #fail(error: unknown): void {
    this.#error ??= error;
  }

  #close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#parts = [];
    this.#rest = undefined;
    this.#fail(
      new VelaError(
        'ERR_PART_READ',
        'The parts of the body are read no more: read a part before the loop over them is left',
      ),
    );
    // A read that waits ends with the request, and takes this with it.
    void Promise.resolve(this.#input.return?.()).catch(() => undefined);
  }
}

/** Quotes and line ends as browsers write them in names (WHATWG, multipart/form-data encoding). */
function unescapeName(name: string): string {
  return name.replace(/%(22|0D|0A)/gi, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)));
}

function tooMuch(what: string, limit: string): PayloadTooLarge {
  return new PayloadTooLarge(`${what} the limit of ${limit}`);
}

function describeParserError(error: unknown): BadRequest {
  const isHeader = error instanceof Error && error.message === 'Malformed part header';
  return new BadRequest(
    isHeader
      ? 'The headers of a part of the body are malformed, or larger than 16 KiB'
      : 'The body ends before its last boundary',
    { cause: error },
  );
}

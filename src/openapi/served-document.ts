import { hash } from 'node:crypto';
import type { Router } from '../router/router.js';
import type { OpenApiDocument } from './document.js';
import { makeDocument } from './openapi.js';
import type { OpenApiTerms } from './openapi-options.js';

/** A document in JSON, with a strong ETag. */
interface DocumentText {
  readonly text: string;
  readonly etag: string;
}

interface DocumentParts {
  readonly head: string;
  readonly rest: string;
  /** With the servers that the options name, or none. */
  readonly plain: DocumentText;
}

/** 132 bits of the digest, in base64. */
const TAG_LENGTH = 22;

/** A router's document as it is sent, made when it is first asked for: routes stay as they are once a server has started. */
export class ServedDocument {
  readonly #router: Router;
  readonly #terms: OpenApiTerms;
  #document: OpenApiDocument | undefined;
  #parts: DocumentParts | undefined;

  constructor(router: Router, terms: OpenApiTerms) {
    this.#router = router;
    this.#terms = terms;
  }

  /** @throws {VelaError} `ERR_OPENAPI_SCHEMA` */
  get document(): OpenApiDocument {
    this.#document ??= makeDocument(this.#router.operations(), this.#terms);
    return this.#document;
  }

  /**
   * Clients choose the name, where the prefix of a mount has a parameter: what is long is made once.
   * @param scriptName - where the application is mounted: the server, unless the options name others
   */
  read(scriptName: string): DocumentText {
    this.#parts ??= splitText(this.document);
    const { head, rest, plain } = this.#parts;
    if (scriptName === '' || this.document.servers !== undefined) return plain;
    const servers = JSON.stringify([{ url: encodePrefix(scriptName) }]);
    return { text: `${head},"servers":${servers},${rest}`, etag: makeTag(plain.etag + servers) };
  }
}

/** The text of a document, and what stands before and behind its servers. */
function splitText({ openapi, info, servers, ...rest }: OpenApiDocument): DocumentParts {
  const head = JSON.stringify({ openapi, info, servers }).slice(0, -1);
  const tail = JSON.stringify(rest).slice(1);
  const text = `${head},${tail}`;
  return { head, rest: tail, plain: { text, etag: makeTag(text) } };
}

function makeTag(text: string): string {
  return `"${hash('sha256', text, 'base64').slice(0, TAG_LENGTH)}"`;
}

/** A decoded prefix as a path of this host: with `//` at its beginning it would be another host. */
function encodePrefix(scriptName: string): string {
  return encodeURI(scriptName)
    .replace(/[?#]/g, encodeURIComponent)
    .replace(/^\/\/+/, (slashes) => `/${'%2F'.repeat(slashes.length - 1)}`);
}

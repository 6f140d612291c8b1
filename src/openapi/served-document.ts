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

/** 132 bits of the digest, in base64. */
const TAG_LENGTH = 22;

/** A router's document as it is sent, made when it is first asked for: routes stay as they are once a server has started. */
export class ServedDocument {
  readonly #router: Router;
  readonly #terms: OpenApiTerms;
  #document: OpenApiDocument | undefined;
  /** The last one, as an application is mounted in one place. */
  #text: (DocumentText & { readonly scriptName: string }) | undefined;

  constructor(router: Router, terms: OpenApiTerms) {
    this.#router = router;
    this.#terms = terms;
  }

  /** @throws {VelaError} `ERR_OPENAPI_SCHEMA` */
  get document(): OpenApiDocument {
    this.#document ??= makeDocument(this.#router.operations(), this.#terms);
    return this.#document;
  }

  /** @param scriptName - where the application is mounted: the server, unless the options name others */
  read(scriptName: string): DocumentText {
    const { document } = this;
    if (this.#text?.scriptName !== scriptName) {
      const servers =
        document.servers ?? (scriptName === '' ? undefined : [{ url: encodePrefix(scriptName) }]);
      const { openapi, info, servers: _servers, ...rest } = document;
      const text = JSON.stringify({ openapi, info, servers, ...rest });
      const etag = `"${hash('sha256', text, 'base64').slice(0, TAG_LENGTH)}"`;
      this.#text = { scriptName, text, etag };
    }
    return this.#text;
  }
}

/** A decoded prefix as a path of this host: with `//` at its beginning it would be another host. */
function encodePrefix(scriptName: string): string {
  return encodeURI(scriptName)
    .replace(/[?#]/g, encodeURIComponent)
    .replace(/^\/\/+/, (slashes) => `/${'%2F'.repeat(slashes.length - 1)}`);
}

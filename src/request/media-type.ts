import { parse } from 'content-type';

/** A media type with its parameters, as Content-Type has it. */
export interface MediaType {
  /** In lower case: `text/html`; `''` when there is none. */
  readonly type: string;
  /** Names in lower case; no prototype. */
  readonly parameters: Readonly<Record<string, string>>;
}

/** Reads a Content-Type (RFC 9110 §8.3.1). One that cannot be read has the type `''`. */
export function parseMediaType(contentType: string): MediaType {
  const { type, parameters } = parse(contentType);
  return { type: type.toLowerCase(), parameters };
}

/** The charset parameter in lower case; undefined when there is none. */
export function findCharset({ parameters }: MediaType): string | undefined {
  return parameters.charset?.toLowerCase();
}

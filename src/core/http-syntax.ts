/** A token: methods and header names (RFC 9110 §5.6.2). */
export const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/** The methods that HTTP names: RFC 9110 §9.1, and PATCH (RFC 5789). */
export const METHODS = [
  'CONNECT',
  'DELETE',
  'GET',
  'HEAD',
  'OPTIONS',
  'PATCH',
  'POST',
  'PUT',
  'TRACE',
] as const;

/** Blanks and version of a request line: ` `, ` HTTP/1.1`. */
export const LINE_OVERHEAD_BYTES = 10;

import type { UploadedFile } from './uploaded-file.js';

/** What a request carries: pulsar's `data_and_files`. */
export interface DataAndFiles {
  /**
   * The value of a JSON body, a MultiDict for a form, a Buffer for any other body, undefined where none is read: GET,
   * HEAD, OPTIONS, TRACE and DELETE.
   */
  readonly data: unknown;
  /** The files of a multipart form, in the order in which they came. */
  readonly files: readonly UploadedFile[];
}

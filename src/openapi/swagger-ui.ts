import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { VelaError } from '../core/errors.js';

/** The folder of swagger-ui-dist, which is an optional peer. @throws {VelaError} `ERR_OPENAPI_UI_MISSING` */
export function findSwaggerUi(): string {
  try {
    return dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));
  } catch (cause) {
    throw new VelaError(
      'ERR_OPENAPI_UI_MISSING',
      'The docs page needs the package swagger-ui-dist: npm install swagger-ui-dist; or leave the page out with docs: false',
      { cause },
    );
  }
}

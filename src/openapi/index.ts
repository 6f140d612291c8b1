export type { JsonSchema, SchemaSide } from '../request/json-schema.js';
export type {
  OpenApiDocument,
  OpenApiInfo,
  OpenApiServer,
  OpenApiTag,
  SecurityRequirement,
} from './document.js';
export { openapi } from './openapi.js';
export type { OpenApiOptions } from './openapi-options.js';
export { type OpenApiRoutesOptions, openapiRoutes } from './openapi-routes.js';

export type { AddRoute, ResponseTypeOf } from './add-route.js';
export type { UrlParams, UrlQuery } from './build-url.js';
export type {
  Converted,
  Converter,
  ConverterName,
  ConverterOption,
  ParamOptions,
} from './converters.js';
export type { RouteDescription, RouteOperation } from './describe-route.js';
export { formatRoutes } from './format-routes.js';
export type { HandlerResult } from './handler-result.js';
export type { OperationOptions } from './operation-options.js';
export type { PathParams } from './path-params.js';
export { Reply, type ReplyOptions, reply } from './reply.js';
export type { ResourceClass, ResourceParameters } from './resource.js';
export type { RouteOptions, UnreachablePolicy } from './route.js';
export type { RouteContract } from './route-contract.js';
export type { ConvertedParams, HostedPath, RouteHandler, RouteRequest } from './route-request.js';
export { Router } from './router.js';
export type { RouterOptions } from './router-options.js';
export type {
  BodyType,
  CheckedResult,
  ResponseMap,
  ResponseOption,
  SchemaOptions,
  Valid,
} from './schema-options.js';
export { SkipRoute } from './skip-route.js';

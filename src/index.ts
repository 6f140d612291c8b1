export { Application, type ApplicationOptions } from './app/application.js';
export type { ApplicationHooks } from './app/application-hooks.js';
export { getApplication } from './app/get-application.js';
export type { LogLevel, LogLevelRule } from './app/log-levels.js';
export type { ServerOptions } from './app/server-options.js';
export * from './core/contract.js';
export { environKeys, toObject } from './core/environ-keys.js';
export { ImproperlyConfigured, VelaError } from './core/errors.js';
export { escapeHtml } from './core/escape-html.js';
export { fileWrapper } from './core/file-wrapper.js';
export * from './core/http-error.js';
export { lazyWsgi } from './core/lazy-wsgi.js';
export { lint } from './core/lint.js';
export type { Logger } from './core/logger.js';
export type {
  MessageBytes,
  RawWebSocket,
  TopicHub,
  UpgradeOptions,
  UpgradeToWebSocket,
  WebSocketEvents,
} from './core/raw-websocket.js';
export type {
  RequestEndMessage,
  RequestErrorMessage,
  RequestStartMessage,
} from './core/request-channels.js';
export type { SetCookieOptions } from './core/set-cookie.js';
export type { WebSocketLimits, WebSocketNeeds } from './core/websocket-limits.js';
export { type ResponseMiddleware, WsgiHandler, type WsgiHandlerOptions } from './core/wsgi-handler.js';
export { WsgiResponse, type WsgiResponseOptions } from './core/wsgi-response.js';
export { createExecutor, type Executor } from './executor/executor.js';
export type { ExecutorMetrics, Histogram } from './executor/executor-metrics.js';
export type { ExecutorOptions } from './executor/executor-options.js';
export { middlewareInExecutor, type OffloadOptions } from './executor/middleware-in-executor.js';
export { offload } from './executor/offload.js';
export { type WaitForBodyOptions, waitForBody, waitForBodyMiddleware } from './middleware/wait-for-body.js';
export { type Authorization, parseAuthorization } from './request/authorization.js';
export { type CookieSealer, type CookieSealerOptions, createCookieSealer } from './request/cookie-sealer.js';
export { type CookieSigner, type CookieSignerOptions, createCookieSigner } from './request/cookie-signer.js';
export type { DataAndFiles } from './request/data-and-files.js';
export { equalText } from './request/equal-text.js';
export type { FormPart } from './request/form-part.js';
export type { MediaType } from './request/media-type.js';
export { MultiDict } from './request/multi-dict.js';
export type { MultipartLimits } from './request/multipart-limits.js';
export type { PartHeaders } from './request/part-headers.js';
export { type BytesOptions, readBytes } from './request/read-bytes.js';
export { type DataAndFilesOptions, readDataAndFiles } from './request/read-data-and-files.js';
export { type FormOptions, readForm } from './request/read-form.js';
export { type JsonOptions, readJson } from './request/read-json.js';
export { type MultipartOptions, readMultipart } from './request/read-multipart.js';
export { readText } from './request/read-text.js';
export { type SavedFile, type SaveFileOptions, saveFile } from './request/save-file.js';
export type { Secret } from './request/secret-keys.js';
export type {
  SchemaInput,
  SchemaIssue,
  SchemaOutput,
  SchemaResult,
  StandardSchemaV1,
} from './request/standard-schema.js';
export type { UploadedFile } from './request/uploaded-file.js';
export { requestOf, WsgiRequest } from './request/wsgi-request.js';
export { type EventStreamOptions, eventStream, type ServerSentEvent } from './response/event-stream.js';
export { Html, type HtmlValue, html, unsafeHtml } from './response/html.js';
export { json, type ResponseOptions } from './response/json.js';
export { type RedirectOptions, redirect } from './response/redirect.js';
export type { AddRoute } from './router/add-route.js';
export type { UrlParams, UrlQuery } from './router/build-url.js';
export type {
  Converted,
  Converter,
  ConverterName,
  ConverterOption,
  ParamOptions,
} from './router/converters.js';
export type { RouteDescription, RouteOperation } from './router/describe-route.js';
export type { HandlerResult } from './router/handler-result.js';
export type { OperationOptions } from './router/operation-options.js';
export type { PathParams } from './router/path-params.js';
export { Reply, type ReplyOptions, reply } from './router/reply.js';
export type { RouteOptions } from './router/route.js';
export type { RouteContract } from './router/route-contract.js';
export type { ConvertedParams, RouteHandler, RouteRequest } from './router/route-request.js';
export { Router } from './router/router.js';
export type { RouterOptions } from './router/router-options.js';
export type {
  BodyType,
  CheckedResult,
  ResponseMap,
  ResponseOption,
  SchemaOptions,
  Valid,
} from './router/schema-options.js';
export { SkipRoute } from './router/skip-route.js';
export { type ServeOptions, serve } from './server/serve.js';
export type { CloseOptions, Server } from './server/start-server.js';
export { WsgiServer, type WsgiServerOptions } from './server/wsgi-server.js';

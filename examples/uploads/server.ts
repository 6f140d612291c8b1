/**
 * Uploads with a progress bar: files are streamed to disk, listed, downloaded and deleted.
 * They lie in a temporary folder, in UPLOADS_FOLDER if that is given, which goes when the server stops.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import {
  type Environ,
  Http404,
  HttpError,
  json,
  MethodNotAllowed,
  type MiddlewareFunction,
  redirect,
  requestOf,
  saveFile,
  WsgiHandler,
  WsgiResponse,
  WsgiServer,
} from 'vela';
import { accessLog, csrf, secureHeaders } from 'vela/middleware';
import { fileResponse } from 'vela/static';
import { uploadsPage } from './page.js';

/** A file that is there. Its name is the client's word; on disk it has a random one, which is its id. */
export interface Upload {
  readonly id: string;
  readonly name: string;
  readonly bytes: number;
}

const FILE_BYTES = 64 * 1_048_576;
const ALL_BYTES = 512 * 1_048_576;
const MAX_FILES = 100;
const limits = { files: 10, fileBytes: FILE_BYTES, fields: 5, fieldBytes: 1000 };

const uploads = new Map<string, Upload>();
let folder = '';

async function receive(environ: Environ): Promise<WsgiResponse> {
  const request = requestOf(environ);
  const isPage = request.accepts('application/json', 'text/html') === 'text/html';
  const made: Upload[] = [];
  try {
    for await (const part of request.multipart({ limits })) {
      // A form whose file field was left empty sends a file without a name.
      if (!part.isFile || part.originalFilename === '') continue;
      const { path, bytes } = await saveFile(part, folder);
      made.push({ id: basename(path), name: part.filename ?? 'unnamed', bytes });
    }
    const all = [...uploads.values(), ...made];
    if (all.length > MAX_FILES || all.reduce((sum, { bytes }) => sum + bytes, 0) > ALL_BYTES)
      throw new HttpError(409, 'There is no room for more: delete something first');
  } catch (error) {
    // All or nothing: a client that is told of an error has not left half of its files.
    await Promise.all(made.map(({ id }) => rm(join(folder, id), { force: true })));
    throw error;
  }
  for (const upload of made) uploads.set(upload.id, upload);
  return isPage ? redirect('/', { status: 303 }) : json({ uploads: made }, { status: 201 });
}

async function remove({ id }: Upload): Promise<void> {
  uploads.delete(id);
  await rm(join(folder, id), { force: true });
}

const site: MiddlewareFunction = (environ) => {
  const { REQUEST_METHOD: method, PATH_INFO: path } = environ;
  const isRead = method === 'GET' || method === 'HEAD';
  if (path === '/') {
    if (!isRead) throw new MethodNotAllowed(['GET', 'HEAD']);
    const content = uploadsPage([...uploads.values()], String(environ['vela.csp_nonce']));
    return new WsgiResponse({ content, headers: [['Cache-Control', 'no-store']] });
  }
  if (path === '/files') {
    if (isRead) return json({ uploads: [...uploads.values()] });
    if (method === 'POST') return receive(environ);
    throw new MethodNotAllowed(['GET', 'HEAD', 'POST']);
  }
  const [, id = '', action] = /^\/files\/([^/]+)(\/delete)?$/.exec(path) ?? [];
  const upload = uploads.get(id);
  if (upload === undefined) throw new Http404();
  // What a form can send, as it knows no DELETE.
  if (action !== undefined) {
    if (method !== 'POST') throw new MethodNotAllowed(['POST']);
    return remove(upload).then(() => redirect('/', { status: 303 }));
  }
  if (method === 'DELETE') return remove(upload).then(() => new WsgiResponse({ status: 204 }));
  if (!isRead) throw new MethodNotAllowed(['GET', 'HEAD', 'DELETE']);
  // To be saved and never shown: what a stranger uploaded must not run as a page of this site.
  return fileResponse(environ, id, {
    root: folder,
    download: upload.name,
    contentType: 'application/octet-stream',
    cacheControl: 'private, no-cache',
  });
};

site.start = async () => {
  folder = await mkdtemp(join(process.env.UPLOADS_FOLDER ?? tmpdir(), 'vela-uploads-'));
};
site.stop = () => rm(folder, { recursive: true, force: true });

const app = new WsgiHandler([
  accessLog({ destination: 'logger', format: '%(m)s %(U)s %(s)s %(B)s bytes %(M)s ms' }),
  secureHeaders({
    contentSecurityPolicy: {
      directives: {
        'script-src': ["'nonce'"],
        'style-src': ["'nonce'"],
      },
    },
  }),
  csrf(),
  site,
]);

// A request may hold several files, and the boundaries between them.
await new WsgiServer(app, { maxBodyBytes: limits.files * FILE_BYTES + 1_048_576 }).start();

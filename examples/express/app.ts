/** An Express application as many are: it knows nothing of Vela. */
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import compression from 'compression';
import express, { type ErrorRequestHandler, type Express } from 'express';
import session from 'express-session';
import helmet from 'helmet';
import { createProxyMiddleware } from 'http-proxy-middleware';
import morgan from 'morgan';
import multer from 'multer';

declare module 'express-session' {
  interface SessionData {
    visits: number;
  }
}

const MIB = 1_048_576;
const folder = fileURLToPath(new URL('public/', import.meta.url));

export function createApp({ upstream }: { upstream: string }): Express {
  const app = express();
  app.use(morgan(':remote-addr :method :url :status :res[content-length]'));
  app.use(helmet());
  // Before what reads bodies: the other server gets them as they come.
  app.use('/upstream', createProxyMiddleware({ target: upstream, changeOrigin: true }));
  app.use(compression());
  app.use(session({ secret: 'not a secret', resave: false, saveUninitialized: false }));
  app.use(express.json({ limit: '100kb' }));
  app.use(express.static(folder));

  app.get('/visits', (request, response) => {
    request.session.visits = (request.session.visits ?? 0) + 1;
    response.json({ visits: request.session.visits });
  });
  app.post('/logout', (request, response, next) => {
    request.session.destroy((error?: Error) => {
      if (error === undefined || error === null) response.clearCookie('connect.sid').sendStatus(204);
      else next(error);
    });
  });
  app.post('/echo', (request, response) => {
    response.status(201).json({ body: request.body, type: request.get('content-type') });
  });
  addFiles(app);
  addStreams(app);

  app.get('/old', (_request, response) => response.redirect(301, '/visits'));
  app.get('/boom', async () => {
    throw new Error('the password is 1234');
  });
  app.use(sayWhatFailed);
  return app;
}

function addFiles(app: Express): void {
  const upload = multer({ limits: { files: 3, fileSize: MIB } });
  app.post('/uploads', upload.array('file'), (request, response) => {
    const files = (request.files as Express.Multer.File[]).map(
      ({ originalname, mimetype, size, buffer }) => ({
        originalname,
        mimetype,
        size,
        sha256: createHash('sha256').update(buffer).digest('hex'),
      }),
    );
    response.status(201).json({ fields: request.body, files });
  });
  app.get('/words/:name', (request, response) => {
    response.download(`${folder}words.txt`, `${request.params.name}.txt`);
  });
}

function addStreams(app: Express): void {
  app.get('/large/:mib', (request, response) => {
    const mib = Math.min(1000, Number(request.params.mib) || 1);
    response.type('application/octet-stream').set('Content-Length', String(mib * MIB));
    Readable.from(pieces(mib * 16), { objectMode: false }).pipe(response);
  });
  app.get('/events', async (_request, response) => {
    response.type('text/event-stream').set('Cache-Control', 'no-cache').flushHeaders();
    for (let id = 1; id <= 3 && !response.destroyed; id++) {
      response.write(`id: ${id}\ndata: ${id * id}\n\n`);
      // What compression() holds back leaves now.
      response.flush();
      await sleep(20);
    }
    response.end();
  });
}

function* pieces(count: number): Generator<Buffer> {
  for (let n = 0; n < count; n++) yield Buffer.alloc(65_536, n);
}

/** Express tells an error handler by its four parameters. */
const sayWhatFailed: ErrorRequestHandler = (error, _request, response, next) => {
  if (response.headersSent) {
    next(error);
    return;
  }
  const { status = 500, message } = error as { status?: number; message: string };
  response.status(status).json({ status, message: status < 500 ? message : 'Something went wrong' });
};

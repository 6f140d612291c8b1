import express from 'express';
import serveStatic from 'serve-static';
import { runApp } from '../../lib/child.mjs';

const root = process.argv[3];

await runApp(() => {
  const app = express().disable('x-powered-by');
  app.use(serveStatic(root));
  return new Promise((resolve) => {
    const server = app.listen(0, '127.0.0.1', () => resolve(server.address().port));
  });
});

import express from 'express';
import multer from 'multer';
import { runApp } from '../../lib/child.mjs';

const folder = process.argv[3];

await runApp(() => {
  const app = express().disable('x-powered-by');
  app.post('/{*path}', multer({ dest: folder }).single('file'), (req, res) => {
    res.json({ bytes: req.file.size });
  });
  return new Promise((resolve) => {
    const server = app.listen(0, '127.0.0.1', () => resolve(server.address().port));
  });
});

/** The same application on node:http. With `--import vela/http/register` this file too is served by uWebSockets.js. */
import { serve } from '@hono/node-server';
import { createApp } from './app.js';

serve(
  { fetch: createApp().fetch, port: Number(process.env.PORT ?? 8060), hostname: '127.0.0.1' },
  ({ port }) => {
    console.log(`ready on http://127.0.0.1:${port}`);
  },
);

/** The same application on node:http. With `--import vela/http/register` this file too is served by uWebSockets.js. */
import { createApp } from './app.js';

const app = await createApp();
console.log(`ready on ${await app.listen({ port: Number(process.env.PORT ?? 8060), host: '127.0.0.1' })}`);

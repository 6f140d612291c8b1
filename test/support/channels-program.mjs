/** A server of channels-app.mjs: `node channels-program.mjs` and flags. */
import { WsgiServer } from 'vela';
import { app } from './channels-app.mjs';

await new WsgiServer(app, { bind: '127.0.0.1:0' }).start();

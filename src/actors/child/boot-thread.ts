/** The main program of an actor's thread. */
import { type MessagePort, parentPort } from 'node:worker_threads';
import { messagePort } from '../port.js';
import { serveActor } from './serve-actor.js';

serveActor(messagePort(parentPort as MessagePort, false));

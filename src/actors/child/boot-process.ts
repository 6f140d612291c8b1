/** The main program of an actor's process. */
import { processPort } from '../port.js';
import { serveActor } from './serve-actor.js';

serveActor(processPort(process));

/** The main program of an actor's process. */
import { openChannel } from '../process-port.js';
import { serveActor } from './serve-actor.js';

serveActor(openChannel());

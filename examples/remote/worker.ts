import type { ActorCode } from 'vela/actors';

/** An actor without any code of its own: all that it does is what others have it run. */
const worker: ActorCode = {};

export default worker;

// The phases of a response: `startResponse` was not called; was called, and nothing is sent; the head is sent; all is over.
export const OPEN = 0;
export const STARTED = 1;
export const SENDING = 2;
export const DONE = 3;

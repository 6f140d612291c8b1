import { Worker } from 'node:worker_threads';
import { readWorkNote, WORK_NOTE } from '../../core/work-note.js';

/** What a watchdog watches for. */
export interface WatchdogOptions {
  /** Of the actor. */
  readonly name: string;
  /** Its loop is reported when it was held for most of this, in ms. */
  readonly timeoutMs: number;
  /** Counts up with each sign of life. */
  readonly beats: Int32Array;
  /** When the watch begins, in ms from now: a thread costs some, which an actor that lives shorter need not pay. */
  readonly delayMs: number;
  /** A report is a line for people, or an object for machines; on standard error, or in a file. */
  readonly log: { readonly isText: boolean; readonly file: string | undefined };
}

/** How often it looks, and how long it leaves the actor to stop by itself, in ms. */
const LOOK_MS = 500;
const PATIENCE_MS = 2500;
/** After this part of its time without a sign of life a loop is reported: the arbiter ends the actor when all of it has passed. */
const REPORT_AT = 0.8;
/** So long is waited for the loop to be stopped where it is: native code cannot be, in ms. */
const PAUSE_MS = 1000;
const SHOWN_FRAMES = 6;
const LIMITS = {
  maxOldGenerationSizeMb: 32,
  maxYoungGenerationSizeMb: 4,
  codeRangeSizeMb: 8,
  stackSizeMb: 1,
};

/**
 * Looks from a thread of its own, as the loop of this process may be blocked for good: then nobody else would end it, nor say
 * what holds it. It stops the loop for a moment, as a debugger does, to see where it is.
 */
const PROGRAM = `
${readWorkNote}
const { workerData } = require('node:worker_threads');
const { appendFileSync, writeSync } = require('node:fs');
const { parent, name, timeoutMs, beats, note, log } = workerData;

const timer = setInterval(() => {
  look();
  if (process.ppid === parent) return;
  clearInterval(timer);
  setTimeout(() => process.kill(process.pid, 'SIGKILL'), ${PATIENCE_MS});
}, ${LOOK_MS});

let seen = -1;
let sinceMs = 0;
let isReported = false;
function look() {
  const count = Atomics.load(beats, 0);
  if (count !== seen) {
    seen = count;
    sinceMs = performance.now();
    isReported = false;
  } else if (!isReported && performance.now() - sinceMs > ${REPORT_AT} * timeoutMs) {
    isReported = true;
    report();
  }
}

function report() {
  const { Session } = require('node:inspector');
  const session = new Session();
  const late = setTimeout(() => finish([]), ${PAUSE_MS});
  const finish = (frames) => {
    clearTimeout(late);
    session.post('Debugger.resume');
    session.post('Debugger.disable');
    session.disconnect();
    if (Atomics.load(beats, 0) === seen) write(frames);
  };
  try {
    session.connectToMainThread();
  } catch {
    finish([]);
    return;
  }
  const scripts = new Map();
  session.on('Debugger.scriptParsed', ({ params }) => scripts.set(params.scriptId, params.url));
  session.once('Debugger.paused', ({ params }) => {
    const frames = params.callFrames
      .map(({ functionName, location: { scriptId, lineNumber } }) => {
        const url = scripts.get(scriptId) || 'unknown';
        return { url, text: 'at ' + (functionName || '(anonymous)') + ' (' + url + ':' + (lineNumber + 1) + ')' };
      })
      .filter(({ url }) => !url.startsWith('node:'))
      .slice(0, ${SHOWN_FRAMES})
      .map(({ text }) => text);
    finish(frames);
  });
  session.post('Debugger.enable');
  session.post('Debugger.pause');
}

function write(frames) {
  const last = readWorkNote(note).join(' ').trim();
  const seconds = Math.round((performance.now() - sinceMs) / 100) / 10;
  const where = frames.length === 0 ? ' in native code' : '';
  const msg = 'the loop of "' + name + '" has been held for ' + seconds + ' s' + where + (last === '' ? '' : ', and the request begun last is ' + last);
  const stack = frames.map((frame) => '\\n    ' + frame).join('');
  const line = log.isText
    ? new Date().toISOString() + ' warn  ' + msg + stack
    : JSON.stringify({ level: 40, time: Date.now(), pid: process.pid, actor: name, heldSeconds: seconds, request: last, frames, msg });
  if (log.file === undefined) writeSync(2, line + '\\n');
  else appendFileSync(log.file, line + '\\n');
}
`;

/** Ends this process some seconds after its parent, whatever it does, and reports a loop that is held. It keeps no process up. */
export function startWatchdog({ delayMs, ...options }: WatchdogOptions): void {
  const workerData = { ...options, note: WORK_NOTE, parent: process.ppid };
  setTimeout(() => {
    // Without flags and environment nothing else is loaded there.
    new Worker(PROGRAM, { eval: true, workerData, execArgv: [], env: {}, resourceLimits: LIMITS }).unref();
  }, delayMs).unref();
}

import {
  BATCH,
  BEAT,
  BEGIN,
  CONNECT,
  CONNECTED,
  DIRECT,
  DOWN,
  FAIL,
  type Frame,
  LAST,
  LOG,
  READY,
  REPLY,
  SEND,
  STOP,
  UNWATCH,
  WATCH,
} from './wire.js';

type Check = (value: unknown) => boolean;

const isAny: Check = () => true;
const isNumber: Check = (value) => typeof value === 'number';
const isText: Check = (value) => typeof value === 'string';
const isFlag: Check = (value) => typeof value === 'boolean';
const isObject: Check = (value) => typeof value === 'object' && value !== null;
const isMaybe =
  (check: Check): Check =>
  (value) =>
    value === undefined || check(value);
const isActor: Check = (value) => has(value, 'id', isText) && has(value, 'name', isText);
const isError: Check = (value) => has(value, 'message', isText) && has(value, 'fields', Array.isArray);
const isLevel: Check = (value) => ['debug', 'info', 'warn', 'error'].includes(value as string);
const isLine: Check = (value) =>
  has(value, 'level', isLevel) && has(value, 'namespace', isText) && has(value, 'details', Array.isArray);

/** What follows the kind. */
const SHAPES: Readonly<Record<Frame[0], readonly Check[]>> = {
  [SEND]: [isNumber, isText, isMaybe(isActor), isText, Array.isArray, isFlag],
  [REPLY]: [isNumber, isAny],
  [FAIL]: [isNumber, isError],
  [BATCH]: [(value) => Array.isArray(value) && value.every(isFrame)],
  [BEGIN]: [isActor],
  [READY]: [],
  [BEAT]: [],
  [STOP]: [isNumber, isMaybe(isFlag)],
  [LAST]: [isMaybe(isError)],
  [LOG]: [isLine],
  [WATCH]: [isNumber, isText],
  [UNWATCH]: [isNumber],
  [DOWN]: [isNumber, isObject],
  [CONNECT]: [isNumber, isText],
  [CONNECTED]: [isNumber, isText, isAny],
  [DIRECT]: [isActor, isObject],
};

/** Whether it is a frame: programs may send what they like over the channel of their process, with `process.send`. */
export function isFrame(value: unknown): value is Frame {
  if (!Array.isArray(value)) return false;
  const shape = Object.hasOwn(SHAPES, value[0]) ? SHAPES[value[0] as Frame[0]] : undefined;
  return shape?.every((check, at) => check(value[at + 1])) === true;
}

function has(value: unknown, key: string, check: Check): boolean {
  return isObject(value) && check((value as Record<string, unknown>)[key]);
}

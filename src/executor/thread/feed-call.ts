import { RequestInput } from '../../core/input.js';
import { unpackError } from '../../core/wire-error.js';
import {
  ABORT,
  BODY,
  BODY_CREDIT,
  BODY_END,
  BODY_LOST,
  CREDIT,
  OVER,
  PASS_BODY,
  PASSED,
  RESPONSE_WINDOW_BYTES,
  type ToThread,
} from '../wire.js';
import type { ThreadCall } from './thread-call.js';
import type { ThreadLine } from './thread-transport.js';

/** What comes for a call that was given before. */
export type CallPart = Extract<
  ToThread,
  [
    typeof BODY | typeof BODY_END | typeof BODY_LOST | typeof CREDIT | typeof PASSED | typeof ABORT,
    ...unknown[],
  ]
>;

/** Hands a part on. @param isWithin - some handler's code is on the stack */
export function feedCall(call: ThreadCall, part: CallPart, line: ThreadLine, isWithin: boolean): void {
  const { exchange, input } = call;
  switch (part[0]) {
    case BODY: {
      if (call.isPassed) {
        line.post([PASS_BODY, call.slot, part[3]]);
        return;
      }
      const bytes = Buffer.from(part[3].buffer, part[3].byteOffset, part[3].byteLength);
      if (input === undefined) call.parts.push(bytes);
      else arrive(call, isWithin, () => RequestInput.push(input, bytes, true));
      call.owedBytes += bytes.length;
      if (call.isPaused || call.isOver) return;
      line.post([BODY_CREDIT, call.slot, call.owedBytes]);
      call.owedBytes = 0;
      return;
    }
    case BODY_END:
      if (input === undefined) call.hasAll = true;
      else arrive(call, isWithin, () => RequestInput.end(input));
      return;
    case BODY_LOST:
      if (input === undefined) call.lost = unpackError(part[3]);
      else RequestInput.lose(input, unpackError(part[3]));
      return;
    case CREDIT:
      call.unpaidBytes -= part[3];
      if (!call.isBlocked || call.unpaidBytes > RESPONSE_WINDOW_BYTES / 2) return;
      call.isBlocked = false;
      if (isWithin) setImmediate(() => exchange?.drained());
      else exchange?.drained();
      return;
    case PASSED:
      line.end(call, [OVER, call.slot]);
      return;
    case ABORT:
      exchange?.aborted();
  }
}

function arrive({ exchange }: ThreadCall, isWithin: boolean, give: () => void): void {
  if (!isWithin) exchange?.arriving(true);
  give();
  if (!isWithin) exchange?.arriving(false);
}

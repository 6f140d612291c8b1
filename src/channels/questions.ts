import { backlogError } from './channels-error.js';
import { MOST_WAITING_BYTES, Outbox } from './outbox.js';

/** What a question takes while it waits, in bytes. */
const QUESTION_BYTES = 600;

interface Asked<Q, A> {
  readonly question: Q;
  answer: A | undefined;
}

/**
 * Questions to another process, many of which may be asked at once: they travel in batches, so that each takes no room of its
 * own in the mailbox there.
 */
export class Questions<Q, A> {
  readonly #outbox: Outbox<Asked<Q, A>>;

  /** @param send - gives an answer to each of a batch, in order */
  constructor(send: (questions: readonly Q[]) => Promise<readonly A[]>) {
    const ask = async (batch: readonly Asked<Q, A>[]) => {
      const answers = await send(batch.map(({ question }) => question));
      for (const [index, asked] of batch.entries()) asked.answer = answers[index];
    };
    this.#outbox = new Outbox((batch, settled) => void ask(batch).then(() => settled?.(), settled));
  }

  /** @throws why the batch was not answered; {@link VelaError} `ERR_CHANNELS_BACKLOG` */
  async ask(question: Q): Promise<A> {
    const asked: Asked<Q, A> = { question, answer: undefined };
    if (!this.#outbox.push(asked, QUESTION_BYTES)) throw backlogError(MOST_WAITING_BYTES);
    await this.#outbox.taken();
    return asked.answer as A;
  }
}

import { describeValue, VelaError } from '../core/errors.js';
import { own } from '../core/own.js';
import { createSessionId, type KeptSession, type SessionVault } from './session-vault.js';

/** For how long sessions last, in ms. */
export interface SessionLifetimes {
  readonly idleTimeoutMs: number;
  readonly absoluteTimeoutMs: number;
}

/** What becomes of the cookie: a value with its age, or `''` to have it forgotten. */
export interface SessionCookie {
  readonly value: string;
  readonly maxAgeMs: number;
}

/** A session that is read is renewed once so much of its idle time has passed. */
const RENEW_AFTER = 0.1;

/**
 * What is remembered of a client from request to request: values that JSON can state, by name. Take it from
 * `sessionOf(environ)`.
 */
export class Session {
  readonly #vault: SessionVault;
  readonly #lifetimes: SessionLifetimes;
  readonly #hadCookie: boolean;
  /** As it is in the vault; undefined for a new one. */
  #kept: KeptSession | undefined;
  #data: Record<string, unknown>;
  #id: string;
  #createdMs: number;
  /** The data as it was loaded or saved. */
  #savedText: string;
  #cookie: SessionCookie | undefined;
  #isSaving: Promise<void> | undefined;
  #hasBegun = false;

  constructor(
    vault: SessionVault,
    lifetimes: SessionLifetimes,
    kept: KeptSession | undefined,
    hadCookie: boolean,
  ) {
    this.#vault = vault;
    this.#lifetimes = lifetimes;
    this.#hadCookie = hadCookie;
    this.#kept = kept;
    this.#data = Object.assign(Object.create(null) as Record<string, unknown>, kept?.data);
    this.#id = kept?.id ?? createSessionId();
    this.#createdMs = kept?.createdMs ?? Date.now();
    this.#savedText = JSON.stringify(this.#data);
  }

  /** Stays the same until `regenerate()` or `destroy()`. Keep it to yourself: with a store it is what the cookie says. */
  get id(): string {
    return this.#id;
  }

  /** The client has not had it before this request. */
  get isNew(): boolean {
    return this.#kept === undefined;
  }

  /** A value; changes within it are saved too. Whoever changed the program may have left it in another form. */
  get(name: string): unknown {
    return this.#data[name];
  }

  has(name: string): boolean {
    return name in this.#data;
  }

  keys(): string[] {
    return Object.keys(this.#data);
  }

  /**
   * Keeps a copy of a value, in the form in which the next request will see it.
   * @throws {TypeError} for what JSON cannot state
   * @throws {VelaError} `ERR_SESSION_LATE` when the response has begun
   */
  set(name: string, value: unknown): this {
    this.#requireOpen();
    const text = JSON.stringify(value) as string | undefined;
    if (text === undefined)
      throw new TypeError(
        `A session keeps values that JSON can state; received ${describeValue(value)} as "${name}"`,
      );
    this.#data[name] = JSON.parse(text);
    return this;
  }

  /** @throws {VelaError} `ERR_SESSION_LATE` */
  delete(name: string): this {
    this.#requireOpen();
    delete this.#data[name];
    return this;
  }

  /** Removes all values. @throws {VelaError} `ERR_SESSION_LATE` */
  clear(): this {
    this.#requireOpen();
    this.#data = Object.create(null) as Record<string, unknown>;
    return this;
  }

  /**
   * Gives it a new id and a new lifetime: call it when somebody logs in, so that an id that an attacker has planted is
   * worth nothing (session fixation). @throws {VelaError} `ERR_SESSION_LATE`
   */
  regenerate(): this {
    this.#requireOpen();
    this.#id = createSessionId();
    this.#createdMs = Date.now();
    return this;
  }

  /** Removes it from the store at once, and has the cookie forgotten; what is set after it begins a new one. */
  destroy(): Promise<void> {
    return own(this.#destroy());
  }

  async #destroy(): Promise<void> {
    this.#requireOpen();
    const known = this.#kept?.id;
    this.#kept = undefined;
    this.clear().regenerate();
    this.#savedText = '{}';
    this.#cookie = this.#hadCookie || this.#cookie !== undefined ? { value: '', maxAgeMs: 0 } : undefined;
    if (known !== undefined) await this.#vault.destroy(known);
  }

  /**
   * Saves what has changed. The response middleware does it; before a `startResponse` of your own await it yourself.
   * @throws {VelaError} `ERR_SESSION_TOO_LARGE`
   */
  save(): Promise<void> {
    return own(this.#saveInTurn());
  }

  async #saveInTurn(): Promise<void> {
    while (this.#isSaving !== undefined) await this.#isSaving;
    this.#isSaving = this.#save().finally(() => {
      this.#isSaving = undefined;
    });
    await this.#isSaving;
  }

  /** The response begins: the cookie that it sets. @throws {VelaError} `ERR_SESSION_UNSAVED` */
  static begin(session: Session): SessionCookie | undefined {
    session.#hasBegun = true;
    if (session.#isChanged(JSON.stringify(session.#data))) throw unsavedError();
    return session.#cookie;
  }

  async #save(): Promise<void> {
    const now = Date.now();
    const text = JSON.stringify(this.#data);
    const { idleTimeoutMs, absoluteTimeoutMs } = this.#lifetimes;
    const ttlMs = Math.max(1, Math.min(idleTimeoutMs, this.#createdMs + absoluteTimeoutMs - now));
    const old = this.#kept;
    if (!this.#isChanged(text)) {
      if (old === undefined || now - old.savedMs < idleTimeoutMs * RENEW_AFTER) return;
      this.#kept = { ...old, savedMs: now };
      this.#setCookie(await this.#vault.renew(this.#kept, ttlMs), ttlMs);
      return;
    }
    const data = JSON.parse(text) as Record<string, unknown>;
    const kept: KeptSession = { data, id: this.#id, createdMs: this.#createdMs, savedMs: now };
    const isNew = old?.id !== kept.id;
    // The old id goes first: of requests that would replace it, or end it, one does.
    const isOurs = !isNew || old === undefined || (await this.#vault.destroy(old.id));
    const value = isOurs ? await this.#vault.save(kept, isNew, ttlMs) : undefined;
    this.#savedText = text;
    this.#kept = kept;
    this.#setCookie(value, ttlMs);
  }

  /**
   * @param value - undefined when another request has ended the session: what this one has changed goes with it, and the
   * cookie is that one's
   */
  #setCookie(value: string | undefined, maxAgeMs: number): void {
    if (value !== undefined) this.#cookie = { value, maxAgeMs };
  }

  /** A new session without data is not worth a cookie. */
  #isChanged(text: string): boolean {
    return text !== this.#savedText || (this.#kept !== undefined && this.#kept.id !== this.#id);
  }

  #requireOpen(): void {
    if (!this.#hasBegun) return;
    throw new VelaError(
      'ERR_SESSION_LATE',
      'The session cannot be changed any more: the response has begun. Change it before',
    );
  }
}

function unsavedError(): VelaError {
  return new VelaError(
    'ERR_SESSION_UNSAVED',
    'The session was changed and not saved when the response began: give the WsgiHandler { responseMiddleware: [sessions.save] }, or await session.save() before startResponse',
  );
}

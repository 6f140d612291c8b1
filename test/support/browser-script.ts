/** Script for pages, as text: the types of the DOM are not those of Node. */

/** What {@link fetchScript} evaluates to. */
export interface Fetched {
  /** Undefined when the browser gives the script nothing, as CORS demands. */
  readonly status?: number;
  readonly text?: string;
  /** What the script may read. */
  readonly headers?: Readonly<Record<string, string>>;
  /** The error's name. */
  readonly error?: string;
}

/** An expression that fetches, and evaluates to a {@link Fetched}. */
export function fetchScript(url: string, init: object = {}): string {
  return `fetch(${JSON.stringify(url)}, ${JSON.stringify(init)}).then(
    async (response) => ({
      status: response.status, text: await response.text(), headers: Object.fromEntries(response.headers),
    }),
    (error) => ({ error: error.name }),
  )`;
}

/** An expression that sends a form by POST, as a page does: the browser leaves the page. */
export function formScript(url: string, fields: Readonly<Record<string, string>> = {}): string {
  return `{
    const form = document.createElement('form');
    form.method = 'post';
    form.action = ${JSON.stringify(url)};
    for (const [name, value] of Object.entries(${JSON.stringify(fields)})) {
      const input = document.createElement('input');
      [input.name, input.value] = [name, value];
      form.append(input);
    }
    document.body.append(form);
    form.submit();
  }`;
}

/**
 * Reads the text format of Prometheus, 0.0.4, more strictly than Prometheus does: each family is told once and in one piece,
 * with its help and its type before its samples, and a histogram adds up.
 * @see {@link https://prometheus.io/docs/instrumenting/exposition_formats/ | Exposition formats}
 */

/** One line. */
export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** What stands under one name. */
export interface Family {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  readonly samples: readonly Sample[];
}

/** All families, by name. */
export class Exposition {
  readonly families: ReadonlyMap<string, Family>;

  /** @throws {Error} that names the line which breaks the format */
  constructor(text: string) {
    this.families = parseFamilies(text);
  }

  /** The samples of this name that have these labels, and perhaps others. */
  find(name: string, labels: Readonly<Record<string, string>> = {}): Sample[] {
    const family = this.families.get(name) ?? this.families.get(name.replace(/_(?:bucket|sum|count)$/, ''));
    return (family?.samples ?? []).filter(
      (sample) =>
        sample.name === name && Object.entries(labels).every(([key, value]) => sample.labels[key] === value),
    );
  }

  /** The value of the one sample that fits; undefined where there is none. */
  value(name: string, labels: Readonly<Record<string, string>> = {}): number | undefined {
    const found = this.find(name, labels);
    if (found.length > 1) throw new Error(`${found.length} samples of ${name} fit ${JSON.stringify(labels)}`);
    return found[0]?.value;
  }

  /** The values that a label has among the samples of a family. */
  labelValues(family: string, label: string): string[] {
    const samples = this.families.get(family)?.samples ?? [];
    return [...new Set(samples.flatMap(({ labels }) => labels[label] ?? []))].sort();
  }
}

const TYPES = ['counter', 'gauge', 'histogram', 'summary', 'untyped'];
const METRIC = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const NUMBER = /^(?:[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?|[+-]?Inf|NaN)$/i;

interface Open {
  readonly name: string;
  help: string | undefined;
  type: string | undefined;
  readonly samples: Sample[];
}

function parseFamilies(text: string): Map<string, Family> {
  if (!text.endsWith('\n')) throw new Error('the last line has no end');
  if (text.includes('\r')) throw new Error('a line ends with a carriage return');
  const families = new Map<string, Family>();
  let open: Open | undefined;
  const close = () => {
    if (open !== undefined) families.set(open.name, checkFamily(open));
    open = undefined;
  };
  /** The family that a line belongs to: the open one, or a new one. */
  const enter = (name: string): Open => {
    if (open?.name === name) return open;
    close();
    if (families.has(name)) throw new Error(`the family ${name} comes in two pieces`);
    if (!METRIC.test(name)) throw new Error(`${JSON.stringify(name)} is no name of a metric`);
    open = { name, help: undefined, type: undefined, samples: [] };
    return open;
  };
  for (const [index, line] of text.slice(0, -1).split('\n').entries()) {
    try {
      const [, keyword, name = '', rest = ''] = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line) ?? [];
      if (keyword === 'HELP') {
        const family = enter(name);
        if (family.help !== undefined) throw new Error('a second HELP');
        if (family.samples.length > 0) throw new Error('a HELP behind samples');
        family.help = resolveEscapes(rest, /\\[\\n]/g);
      } else if (keyword === 'TYPE') {
        const family = enter(name);
        if (family.type !== undefined) throw new Error('a second TYPE');
        if (family.samples.length > 0) throw new Error('a TYPE behind samples');
        if (!TYPES.includes(rest)) throw new Error(`there is no type ${rest}`);
        family.type = rest;
      } else if (line.startsWith('#')) throw new Error('a comment, of which Vela writes none');
      else if (line !== '') {
        const sample = parseSample(line);
        if (open === undefined) throw new Error('a sample without a family');
        if (!belongs(sample.name, open)) throw new Error(`no sample of ${open.name}`);
        open.samples.push(sample);
      }
    } catch (error) {
      throw new Error(`line ${index + 1}, ${JSON.stringify(line)}: ${(error as Error).message}`);
    }
  }
  close();
  return families;
}

function belongs(sample: string, { name, type }: Open): boolean {
  if (type !== 'histogram') return sample === name;
  return ['_bucket', '_sum', '_count'].some((suffix) => sample === `${name}${suffix}`);
}

function parseSample(line: string): Sample {
  const [, name = '', list, text = ''] = /^([^{\s]+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
  if (!METRIC.test(name)) throw new Error('no sample');
  return { name, labels: list === undefined ? {} : parseLabels(list), value: parseNumber(text) };
}

function parseLabels(list: string): Record<string, string> {
  const labels: Record<string, string> = {};
  const pattern = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"(?:,(?=.)|$)/gy;
  let end = 0;
  for (const match of list.matchAll(pattern)) {
    const [whole, name = '', value = ''] = match;
    if (name.startsWith('__')) throw new Error(`the label ${name} is reserved`);
    if (Object.hasOwn(labels, name)) throw new Error(`the label ${name} comes twice`);
    labels[name] = resolveEscapes(value, /\\[\\n"]/g);
    end = match.index + whole.length;
  }
  if (end !== list.length) throw new Error(`no label at ${JSON.stringify(list.slice(end))}`);
  return labels;
}

/** @param known - the escapes that there are; another backslash is an error */
function resolveEscapes(text: string, known: RegExp): string {
  if (text.replace(known, '').includes('\\')) throw new Error(`an escape that there is not in ${text}`);
  return text.replace(known, (one) => (one === '\\n' ? '\n' : one.charAt(1)));
}

/** What ParseFloat of Go takes. */
function parseNumber(text: string): number {
  if (!NUMBER.test(text)) throw new Error(`${JSON.stringify(text)} is no number`);
  if (/inf$/i.test(text)) return text.startsWith('-') ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  return /nan/i.test(text) ? Number.NaN : Number(text);
}

function checkFamily({ name, help, type, samples }: Open): Family {
  if (help === undefined || help === '') throw new Error(`${name} has no help`);
  if (type === undefined) throw new Error(`${name} has no type`);
  const keys = new Set<string>();
  for (const sample of samples) {
    const key = `${sample.name} ${keyOf(sample.labels)}`;
    if (keys.has(key)) throw new Error(`${key} comes twice`);
    keys.add(key);
  }
  if (type === 'counter' && !samples.every(({ value }) => value >= 0))
    throw new Error(`the counter ${name} is below 0`);
  if (type === 'histogram') checkHistogram(name, samples);
  return { name, help, type, samples };
}

function keyOf({ ...labels }: Readonly<Record<string, string>>): string {
  return JSON.stringify(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Each set of labels has rising bounds, counts that grow, +Inf at the end, a count that equals it, and a sum. */
function checkHistogram(name: string, samples: readonly Sample[]): void {
  const groups = new Map<string, Sample[]>();
  for (const sample of samples) {
    const { le: _le, ...labels } = sample.labels;
    const key = keyOf(labels);
    groups.set(key, [...(groups.get(key) ?? []), sample]);
  }
  for (const [key, group] of groups) {
    const of = (suffix: string) => group.filter((sample) => sample.name === `${name}${suffix}`);
    const buckets = of('_bucket').map(({ labels, value }) => [parseNumber(labels.le ?? ''), value] as const);
    const counts = of('_count');
    const sums = of('_sum');
    const fail = (what: string): never => {
      throw new Error(`${name} ${key}: ${what}`);
    };
    if (counts.length !== 1 || sums.length !== 1) fail('it has not one count and one sum');
    if ([...counts, ...sums].some(({ labels }) => 'le' in labels)) fail('its count or sum has a bound');
    for (const [index, [bound, count]] of buckets.entries()) {
      const [lower, fewer] = buckets[index - 1] ?? [Number.NEGATIVE_INFINITY, 0];
      if (!(bound > lower)) fail(`the bound ${bound} does not rise`);
      if (!(count >= fewer) || !Number.isInteger(count))
        fail(`the bucket ${bound} holds fewer than the one before`);
    }
    const last = buckets.at(-1);
    if (last?.[0] !== Number.POSITIVE_INFINITY) fail('there is no +Inf');
    if (last?.[1] !== counts[0]?.value) fail('+Inf is not the count');
    if (!((sums[0]?.value ?? Number.NaN) >= 0)) fail('the sum is no number of seconds');
  }
}

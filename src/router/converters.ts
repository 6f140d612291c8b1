import { describeValue } from '../core/errors.js';
import { isSchema } from '../request/run-schema.js';
import { isClass } from './is-class.js';

/** Makes a value of a parameter's text; undefined when the text is none, so that the route does not match. */
export type Converter<T = unknown> = (text: string) => T | undefined;

/** `int` and `float` are of the size that a number holds exactly, `uuid` of any version, in lower case. */
export type ConverterName = 'int' | 'float' | 'uuid';

/** A converter by its name, a list of the texts that there are, or a function. */
export type ConverterOption = ConverterName | readonly string[] | Converter;

/** Converters of a route's parameters, by name. */
export type ParamOptions = Readonly<Record<string, ConverterOption>>;

/** What a converter makes. */
export type Converted<C> = C extends 'int' | 'float'
  ? number
  : C extends 'uuid'
    ? string
    : C extends readonly (infer Text)[]
      ? Text
      : C extends (text: string) => infer T
        ? Exclude<T, undefined>
        : never;

const CONVERTERS: Readonly<Record<ConverterName, Converter>> = {
  int(text) {
    const value = /^(?:0|[1-9]\d*)$/.test(text) ? Number(text) : Number.NaN;
    return Number.isSafeInteger(value) ? value : undefined;
  },
  float(text) {
    const value = /^\d{1,20}(?:\.\d{1,20})?$/.test(text) ? Number(text) : Number.NaN;
    return Number.isFinite(value) ? value : undefined;
  },
  uuid(text) {
    const lower = text.toLowerCase();
    return /^[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}$/.test(lower) ? lower : undefined;
  },
};

/** @throws {TypeError} for what is no converter */
export function resolveConverter(option: unknown, name: string): Converter {
  if (isSchema(option))
    throw new TypeError(
      `The parameter "${name}" takes a converter, and a schema is for all parameters together: params: z.object({ ${name}: ... })`,
    );
  if (typeof option === 'function' && !isClass(option)) return option as Converter;
  if (typeof option === 'string' && Object.hasOwn(CONVERTERS, option))
    return CONVERTERS[option as ConverterName];
  if (Array.isArray(option) && option.length > 0 && option.every((one) => typeof one === 'string')) {
    const known = new Set<string>(option);
    return (text) => (known.has(text) ? text : undefined);
  }
  throw new TypeError(
    `The parameter "${name}" takes a converter: ${Object.keys(CONVERTERS)
      .map((one) => `'${one}'`)
      .join(', ')}, a list of texts, or a function; received ${describeValue(option)}`,
  );
}

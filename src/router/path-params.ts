/** What an identifier is made of; another name stands in quotes: `:"user-id"`. */
type NameCharacter =
  | ('a' | 'b' | 'c' | 'd' | 'e' | 'f' | 'g' | 'h' | 'i' | 'j' | 'k' | 'l' | 'm')
  | ('n' | 'o' | 'p' | 'q' | 'r' | 's' | 't' | 'u' | 'v' | 'w' | 'x' | 'y' | 'z')
  | ('A' | 'B' | 'C' | 'D' | 'E' | 'F' | 'G' | 'H' | 'I' | 'J' | 'K' | 'L' | 'M')
  | ('N' | 'O' | 'P' | 'Q' | 'R' | 'S' | 'T' | 'U' | 'V' | 'W' | 'X' | 'Y' | 'Z')
  | ('0' | '1' | '2' | '3' | '4' | '5' | '6' | '7' | '8' | '9' | '_' | '$');

/** A name and what follows it. */
type TakeName<Rest extends string, Name extends string = ''> = Rest extends `"${infer Quoted}"${infer After}`
  ? Name extends ''
    ? [Quoted, After]
    : [Name, Rest]
  : Rest extends `${infer Character}${infer After}`
    ? Character extends NameCharacter
      ? TakeName<After, `${Name}${Character}`>
      : [Name, Rest]
    : [Name, ''];

/** Names of parameters and wildcards, needed and optional ones; `Depth` has an element for each open brace. */
type Scan<
  Path extends string,
  Depth extends unknown[] = [],
  One extends string = never,
  List extends string = never,
  MaybeOne extends string = never,
  MaybeList extends string = never,
> = Path extends `\\${infer Rest}`
  ? Rest extends `${string}${infer After}`
    ? Scan<After, Depth, One, List, MaybeOne, MaybeList>
    : never
  : Path extends `{${infer After}`
    ? Scan<After, [...Depth, unknown], One, List, MaybeOne, MaybeList>
    : Path extends `}${infer After}`
      ? Depth extends [unknown, ...infer Outer]
        ? Scan<After, Outer, One, List, MaybeOne, MaybeList>
        : never
      : Path extends `:${infer Rest}`
        ? TakeName<Rest> extends [infer Name extends string, infer After extends string]
          ? Depth extends []
            ? Scan<After, Depth, One | Name, List, MaybeOne, MaybeList>
            : Scan<After, Depth, One, List, MaybeOne | Name, MaybeList>
          : never
        : Path extends `*${infer Rest}`
          ? TakeName<Rest> extends [infer Name extends string, infer After extends string]
            ? Depth extends []
              ? Scan<After, Depth, One, List | Name, MaybeOne, MaybeList>
              : Scan<After, Depth, One, List, MaybeOne, MaybeList | Name>
            : never
          : Path extends `${string}${infer After}`
            ? Scan<After, Depth, One, List, MaybeOne, MaybeList>
            : { one: One; list: List; maybeOne: MaybeOne; maybeList: MaybeList };

/** One object type in place of several. */
type Flat<T> = { [Key in keyof T]: T[Key] };

type Build<Names> = Names extends {
  one: infer One extends string;
  list: infer List extends string;
  maybeOne: infer MaybeOne extends string;
  maybeList: infer MaybeList extends string;
}
  ? Flat<
      { readonly [Name in One]: string } & { readonly [Name in List]: string[] } & {
        readonly [Name in MaybeOne]?: string;
      } & { readonly [Name in MaybeList]?: string[] }
    >
  : never;

/**
 * The parameters of a path, by its text: `/users/:id{/*rest}` has `{ id: string; rest?: string[] }`. Of a path that is not
 * known when it is compiled they may have any names.
 */
export type PathParams<Path extends string> = string extends Path
  ? Readonly<Record<string, string | string[] | undefined>>
  : Build<Scan<Path>>;

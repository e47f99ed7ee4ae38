/**
 * What a list shows: search, sorting and filters; and how an address says it.
 *
 * `?search=ann&sort=-name&status=online,offline&after=…&row=200`: a link shows the same list at the same place.
 * `after` is the server's cursor, `row` the number of rows before it.
 */
export interface ListState {
  search: string;
  /** The server's name of a column, `-name` for descending; empty: as the server likes. */
  sort: string;
  /** Chosen values by filter; a filter without a choice is absent. */
  filters: Record<string, string[]>;
}

/** Where in the list one is. */
export interface ListPlace {
  after: string;
  row: number;
}

export const PLAIN: ListState = { search: '', sort: '', filters: {} };

type Params = Record<string, string | undefined>;

/** Takes every parameter as text; what is no plain value is left out. */
export function listSearch(params: Record<string, unknown>): Params {
  const texts = Object.entries(params)
    .filter(([, value]) => ['string', 'number', 'boolean'].includes(typeof value))
    .map(([name, value]) => [name, String(value)] as const);
  return Object.fromEntries(texts);
}

export function stateOf(params: Params, filters: readonly string[]): ListState {
  const chosen = filters
    .map((name) => [name, (params[name] ?? '').split(',').filter((value) => value !== '')] as const)
    .filter(([, values]) => values.length > 0);
  return {
    search: params.search ?? '',
    sort: params.sort ?? '',
    filters: Object.fromEntries(chosen),
  };
}

export function placeOf(params: Params): ListPlace | undefined {
  const row = Number(params.row ?? 0);
  return params.after
    ? { after: params.after, row: Number.isSafeInteger(row) && row > 0 ? row : 0 }
    : undefined;
}

/** The parameters that say `state`, without those that say nothing. */
export function paramsOf({ search, sort, filters }: ListState, place?: ListPlace): Params {
  const chosen = Object.entries(filters).filter(([, values]) => values.length > 0);
  return {
    ...(search === '' ? {} : { search }),
    ...(sort === '' ? {} : { sort }),
    ...Object.fromEntries(chosen.map(([name, values]) => [name, values.join(',')])),
    ...(place ? { after: place.after, row: String(place.row) } : {}),
  };
}

export function isPlain({ search, filters }: ListState): boolean {
  return search === '' && Object.values(filters).every((values) => values.length === 0);
}

export function sameState(one: ListState, other: ListState): boolean {
  const text = (state: ListState) => JSON.stringify(Object.entries(paramsOf(state)).sort());
  return text(one) === text(other);
}

export interface Sort {
  column: string;
  descending: boolean;
}

export function sortOf(sort: string): Sort | undefined {
  if (sort === '') return undefined;
  return sort.startsWith('-')
    ? { column: sort.slice(1), descending: true }
    : { column: sort, descending: false };
}

export function sortText({ column, descending }: Sort): string {
  return `${descending ? '-' : ''}${column}`;
}

/**
 * Providers, accounts, contacts and devices of a tenant: read, search, create, change, delete.
 *
 * The four have one shape on the wire, so they have one set of hooks. A change anywhere in a tenant makes all
 * of its collections stale, because they name each other (an account lists its devices).
 */
import {
  infiniteQueryOptions,
  queryOptions,
  useInfiniteQuery,
  useMutation,
  useQuery,
  useQueryClient,
} from '@tanstack/react-query';

import { answered, client } from './client';
import { isSignedOut, Unreachable } from './refusal';
import type { CollectionName, Collections } from './types';

/** Where a collection is: the tenant's id and the collection's name. */
export interface Place<Name extends CollectionName> {
  tenant: string;
  name: Name;
}

/** How many rows there are; `exact` false: more than that. */
export interface Total {
  count: number;
  exact: boolean;
}

interface Page<Item> {
  items: Item[];
  next?: string | null;
  total?: Total | null;
}

/** Rows of one answer. Lists longer than this are read on by hand, choices are narrowed by searching. */
const PAGE_ROWS = 100;
const CHOICE_ROWS = 200;

// One path stands for all four in the types; the value is the right one.
function listPath(name: CollectionName) {
  return `/api/v1/tenants/{tenant}/${name}` as '/api/v1/tenants/{tenant}/providers';
}

function itemPath(name: CollectionName) {
  return `/api/v1/tenants/{tenant}/${name}/{id}` as '/api/v1/tenants/{tenant}/providers/{id}';
}

export function tenantKey(tenant: string) {
  return ['tenant', tenant] as const;
}

/** Here and not beside the calls: the live channel needs it before anything of theirs is loaded. */
export function callsKey(tenant: string) {
  return [...tenantKey(tenant), 'calls'] as const;
}

export function webhooksKey(tenant: string) {
  return [...tenantKey(tenant), 'webhooks'] as const;
}

/** Which rows of a collection, and in which order. */
export interface RowsWanted {
  search?: string;
  /** A column's name at the server, `-name` for descending. */
  sort?: string;
  /** Values by filter; several are sent with commas between them. */
  filters?: Record<string, string[]>;
  /** Begins after this cursor instead of at the beginning. */
  after?: string | undefined;
}

/** Rows read so far. */
export interface Rows<Item> {
  items: Item[];
  /** The cursor after each page that was read, with the number of rows up to it. */
  marks: { after: string; rows: number }[];
  /** How many there are in all, as far as the server says. */
  total: Total | undefined;
}

export function rowsQuery<Name extends CollectionName>({ tenant, name }: Place<Name>, wanted: RowsWanted) {
  const { search, sort, filters = {}, after } = wanted;
  const chosen = Object.entries(filters).filter(([, values]) => values.length > 0);
  return infiniteQueryOptions({
    queryKey: [...tenantKey(tenant), name, 'rows', { search, sort, chosen, after }],
    queryFn: async ({ pageParam }) => {
      const query = {
        ...Object.fromEntries(chosen.map(([filter, values]) => [filter, values.join(',')])),
        limit: PAGE_ROWS,
        after: pageParam,
        search: search || undefined,
        sort: sort || undefined,
        // Counting once is enough, and it is not free.
        total: pageParam === after ? true : undefined,
      };
      const page = await answered(client.GET(listPath(name), { params: { path: { tenant }, query } }));
      return page as unknown as Page<Collections[Name]['item']>;
    },
    initialPageParam: after,
    getNextPageParam: (page) => page.next ?? undefined,
  });
}

/** The rows read so far, and whether there are more. */
export function useRows<Name extends CollectionName>(place: Place<Name>, wanted: RowsWanted) {
  return useInfiniteQuery({
    ...rowsQuery(place, wanted),
    select: ({ pages }) => rowsOf(pages),
    placeholderData: (shown) => shown,
  });
}

/** The rows of all pages that were read. */
export function rowsOf<Item>(pages: readonly Page<Item>[]): Rows<Item> {
  return {
    items: pages.flatMap((page) => page.items),
    marks: marksOf(pages),
    total: pages[0]?.total ?? undefined,
  };
}

/** Where each page ended, for links that begin there. */
export function marksOf(pages: readonly Page<unknown>[]): { after: string; rows: number }[] {
  let rows = 0;
  return pages.flatMap(({ items, next }) => {
    rows += items.length;
    return next ? [{ after: next, rows }] : [];
  });
}

/** The first few rows that match, for a choice among many. */
export async function findRows<Name extends CollectionName>(
  { tenant, name }: Place<Name>,
  search: string,
  most: number,
  filters: Record<string, string> = {},
): Promise<Collections[Name]['item'][]> {
  const query = { ...filters, limit: most, search: search || undefined };
  const page = await answered(client.GET(listPath(name), { params: { path: { tenant }, query } }));
  return (page as unknown as Page<Collections[Name]['item']>).items;
}

/** How many there are, of all or of those that the filters leave in. */
export function useCount<Name extends CollectionName>(
  { tenant, name }: Place<Name>,
  filters: Record<string, string> = {},
) {
  return useQuery({
    queryKey: [...tenantKey(tenant), name, 'count', filters],
    queryFn: async () => {
      const query = { ...filters, limit: 1, total: true };
      const page = await answered(client.GET(listPath(name), { params: { path: { tenant }, query } }));
      return (page as unknown as Page<unknown>).total ?? { count: page.items.length, exact: false };
    },
  });
}

/** Collections in which something may depend on an item. */
export type DependedOn = Exclude<CollectionName, 'devices'>;

/** What is in the way of a deletion. Asked anew each time, because it is a reason to do something or not. */
export function useDependents({ tenant, name }: Place<DependedOn>, id: string, wanted: boolean) {
  return useQuery({
    queryKey: [...tenantKey(tenant), name, 'item', id, 'dependents'],
    queryFn: () => {
      const path = `/api/v1/tenants/{tenant}/${name}/{id}/dependents` as const;
      return answered(
        client.GET(path as '/api/v1/tenants/{tenant}/providers/{id}/dependents', {
          params: { path: { tenant, id } },
        }),
      );
    },
    enabled: wanted,
    staleTime: 0,
  });
}

/** Up to 200 items for a list of choices, of all or of those that the filters leave in. */
export function useChoices<Name extends CollectionName>(
  { tenant, name }: Place<Name>,
  filters: Record<string, string> = {},
) {
  return useQuery({
    queryKey: [...tenantKey(tenant), name, 'choices', filters],
    queryFn: async () => {
      const query = { ...filters, limit: CHOICE_ROWS };
      const page = await answered(client.GET(listPath(name), { params: { path: { tenant }, query } }));
      return (page as unknown as Page<Collections[Name]['item']>).items;
    },
  });
}

export function itemQuery<Name extends CollectionName>({ tenant, name }: Place<Name>, id: string) {
  return queryOptions({
    queryKey: [...tenantKey(tenant), name, 'item', id],
    queryFn: async () => {
      const item = await answered(client.GET(itemPath(name), { params: { path: { tenant, id } } }));
      return item as unknown as Collections[Name]['item'];
    },
  });
}

export function useItem<Name extends CollectionName>(place: Place<Name>, id: string) {
  return useQuery(itemQuery(place, id));
}

/** Reads an item anew, whatever is in the cache. */
export function useNewest<Name extends CollectionName>(place: Place<Name>, id: string) {
  const queries = useQueryClient();
  return () => queries.fetchQuery({ ...itemQuery(place, id), staleTime: 0 });
}

export function useCreate<Name extends CollectionName>({ tenant, name }: Place<Name>) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: async (input: Collections[Name]['input']) => {
      const body = input as Collections['providers']['input'];
      const item = await answered(client.POST(listPath(name), { params: { path: { tenant } }, body }));
      return item as unknown as Collections[Name]['item'];
    },
    onSuccess: () => queries.invalidateQueries({ queryKey: tenantKey(tenant) }),
  });
}

/** A change that is refused with 412 when someone else changed the item since `version` was read. */
export interface Change<Name extends CollectionName> {
  id: string;
  version: number;
  input: Collections[Name]['input'];
}

export function useUpdate<Name extends CollectionName>({ tenant, name }: Place<Name>) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: async ({ id, version, input }: Change<Name>) => {
      const body = input as Collections['providers']['input'];
      const params = { path: { tenant, id }, header: { 'If-Match': `"${version}"` } };
      const item = await answered(client.PUT(itemPath(name), { params, body }));
      return item as unknown as Collections[Name]['item'];
    },
    onSuccess: () => queries.invalidateQueries({ queryKey: tenantKey(tenant) }),
  });
}

export function useDelete<Name extends CollectionName>({ tenant, name }: Place<Name>) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (id: string) => answered(client.DELETE(itemPath(name), { params: { path: { tenant, id } } })),
    onSuccess: (_, id) => {
      queries.removeQueries({ queryKey: [...tenantKey(tenant), name, 'item', id] });
      return queries.invalidateQueries({
        queryKey: tenantKey(tenant),
        // The deleted item's own page may still be mounted for a moment: it must not ask for it again.
        predicate: ({ queryKey }) => !queryKey.includes(id),
      });
    },
  });
}

/** What became of each of several deletions. */
export interface Deletions {
  done: string[];
  failed: { id: string; error: unknown }[];
}

/** Deletes one after the other and goes on when one is refused. `onStep` hears how many are through. */
export function useDeleteMany<Name extends CollectionName>({ tenant, name }: Place<Name>) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: async ({ ids, onStep }: { ids: readonly string[]; onStep: (through: number) => void }) => {
      const result: Deletions = { done: [], failed: [] };
      for (const [index, id] of ids.entries()) {
        try {
          await answered(client.DELETE(itemPath(name), { params: { path: { tenant, id } } }));
          result.done.push(id);
        } catch (error) {
          // Without a session or a server none of the others will do better.
          if (isSignedOut(error) || error instanceof Unreachable) throw error;
          result.failed.push({ id, error });
        }
        onStep(index + 1);
      }
      return result;
    },
    onSettled: () => queries.invalidateQueries({ queryKey: tenantKey(tenant) }),
  });
}

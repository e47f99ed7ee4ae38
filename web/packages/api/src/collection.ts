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
import type { CollectionName, Collections } from './types';

/** Where a collection is: the tenant's id and the collection's name. */
export interface Place<Name extends CollectionName> {
  tenant: string;
  name: Name;
}

interface Page<Item> {
  items: Item[];
  next?: string | null;
}

/** Rows of one answer. Lists longer than this are read on by hand, choices are narrowed by searching. */
const PAGE_ROWS = 50;
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

export function listQuery<Name extends CollectionName>({ tenant, name }: Place<Name>, search: string) {
  return infiniteQueryOptions({
    queryKey: [...tenantKey(tenant), name, 'list', search],
    queryFn: async ({ pageParam }) => {
      const query = { limit: PAGE_ROWS, after: pageParam, search: search || undefined };
      const page = await answered(client.GET(listPath(name), { params: { path: { tenant }, query } }));
      return page as unknown as Page<Collections[Name]['item']>;
    },
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next ?? undefined,
  });
}

/** The rows read so far, and whether there are more. */
export function useList<Name extends CollectionName>(place: Place<Name>, search = '') {
  return useInfiniteQuery({
    ...listQuery(place, search),
    select: ({ pages }) => pages.flatMap((page) => page.items),
    placeholderData: (shown) => shown,
  });
}

/** Up to 200 items for a list of choices. */
export function useChoices<Name extends CollectionName>({ tenant, name }: Place<Name>) {
  return useQuery({
    queryKey: [...tenantKey(tenant), name, 'choices'],
    queryFn: async () => {
      const query = { limit: CHOICE_ROWS };
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

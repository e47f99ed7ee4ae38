/**
 * Calls of a tenant: the list with its filters, one call, erasing, and how long they are kept.
 */
import { queryOptions, useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';

import { answered, client } from './client';
import { callsKey, rowsOf, tenantKey, type Rows } from './collection';
import type { Call, CallRetention } from './types';

const PAGE_ROWS = 50;

/** Which calls are wanted; what is absent does not matter. */
export interface CallFilter {
  search?: string | undefined;
  contact_id?: string | undefined;
  account_id?: string | undefined;
  /** RFC 3339. */
  from?: string | undefined;
  /** RFC 3339; calls that began before. */
  until?: string | undefined;
  /** Outcomes with commas between them. */
  outcome?: string | undefined;
  /** Directions with commas between them. */
  direction?: string | undefined;
}

/** In which order, and where the list begins. */
export interface CallsPlace {
  sort?: string;
  after?: string | undefined;
}

/** The calls read so far, newest first unless asked otherwise. */
export function useCalls(tenant: string, filter: CallFilter, { sort, after }: CallsPlace) {
  return useInfiniteQuery({
    queryKey: [...callsKey(tenant), 'list', filter, { sort, after }],
    queryFn: ({ pageParam }) => {
      const query = {
        ...filter,
        limit: PAGE_ROWS,
        after: pageParam,
        sort: sort || undefined,
        // Counting once is enough, and it is not free.
        total: pageParam === after ? true : undefined,
      };
      return answered(client.GET('/api/v1/tenants/{tenant}/calls', { params: { path: { tenant }, query } }));
    },
    initialPageParam: after,
    getNextPageParam: (page) => page.next ?? undefined,
    select: ({ pages }): Rows<Call> => rowsOf(pages),
    placeholderData: (shown) => shown,
  });
}

/** One call with its parts and what was said. */
export function useCall(tenant: string, id: string) {
  return useQuery(
    queryOptions({
      queryKey: [...callsKey(tenant), 'item', id],
      queryFn: () =>
        answered(client.GET('/api/v1/tenants/{tenant}/calls/{id}', { params: { path: { tenant, id } } })),
    }),
  );
}

export function useEraseCall(tenant: string) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (id: string) =>
      answered(client.DELETE('/api/v1/tenants/{tenant}/calls/{id}', { params: { path: { tenant, id } } })),
    onSuccess: (_, id) =>
      queries.invalidateQueries({
        queryKey: callsKey(tenant),
        // The erased call's own page may still be mounted for a moment: it must not ask for it again.
        predicate: ({ queryKey }) => !queryKey.includes(id),
      }),
  });
}

export function useEraseCalls(tenant: string) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (filter: CallFilter) =>
      answered(
        client.DELETE('/api/v1/tenants/{tenant}/calls', {
          params: { path: { tenant }, query: filter },
        }),
      ),
    onSuccess: () => queries.invalidateQueries({ queryKey: callsKey(tenant) }),
  });
}

/** Where the calls are as CSV. */
export function callExportAddress(tenant: string, filter: CallFilter): string {
  const given = Object.entries(filter).filter(([, value]) => value !== undefined && value !== '');
  const query = new URLSearchParams(given as [string, string][]).toString();
  return `/api/v1/tenants/${tenant}/calls/export${query && `?${query}`}`;
}

/** For how long calls are kept, and the version that was read. */
export interface KnownRetention extends CallRetention {
  version: number;
}

const RETENTION = '/api/v1/tenants/{tenant}/settings/retention';

function retentionKey(tenant: string) {
  return [...tenantKey(tenant), 'retention'] as const;
}

export function useRetention(tenant: string) {
  return useQuery({
    queryKey: retentionKey(tenant),
    queryFn: () => readRetention(tenant),
  });
}

/** What is there now; the cache is left as it is. */
export async function readRetention(tenant: string): Promise<KnownRetention> {
  const request = client.GET(RETENTION, { params: { path: { tenant } } });
  const { days } = await answered(request);
  const { response } = await request;
  return { days, version: Number(response.headers.get('etag')?.replaceAll('"', '')) };
}

/** A change that is refused with 412 when someone else changed it since `version` was read. */
export function useSetRetention(tenant: string) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: ({ days, version }: KnownRetention) => {
      const params = { path: { tenant }, header: { 'If-Match': `"${version}"` } };
      return answered(client.PUT(RETENTION, { params, body: { days } }));
    },
    onSuccess: () => queries.invalidateQueries({ queryKey: retentionKey(tenant) }),
  });
}

/**
 * Who changed what: the log of a tenant, newest first, and whether it is whole.
 */
import { infiniteQueryOptions, useInfiniteQuery, useMutation } from '@tanstack/react-query';

import { answered, client } from './client';
import { tenantKey } from './collection';

const PAGE_ROWS = 50;

/** Which entries are wanted; what is absent does not matter. */
export interface AuditFilter {
  search?: string | undefined;
  /** The whole e-mail address. */
  actor?: string | undefined;
  /** The action, or how it begins. */
  action?: string | undefined;
  object?: string | undefined;
  /** RFC 3339. */
  from?: string | undefined;
  /** RFC 3339; entries made before. */
  until?: string | undefined;
}

function auditQuery(tenant: string, filter: AuditFilter) {
  return infiniteQueryOptions({
    queryKey: [...tenantKey(tenant), 'audit', filter],
    queryFn: ({ pageParam }) => {
      const query = { ...filter, limit: PAGE_ROWS, after: pageParam };
      return answered(client.GET('/api/v1/tenants/{tenant}/audit', { params: { path: { tenant }, query } }));
    },
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next ?? undefined,
  });
}

/** The entries read so far, and whether there are more. */
export function useAudit(tenant: string, filter: AuditFilter) {
  return useInfiniteQuery({
    ...auditQuery(tenant, filter),
    select: ({ pages }) => pages.flatMap((page) => page.items),
    placeholderData: (shown) => shown,
  });
}

/** Reads the whole log, which takes a moment; so it is done only when somebody wants it. */
export function useVerifyAudit(tenant: string) {
  return useMutation({
    mutationFn: () =>
      answered(client.GET('/api/v1/tenants/{tenant}/audit/verification', { params: { path: { tenant } } })),
  });
}

/** Where the log is as CSV. */
export function auditExportAddress(tenant: string, filter: AuditFilter): string {
  const given = Object.entries(filter).filter(([, value]) => value !== undefined && value !== '');
  const query = new URLSearchParams(given as [string, string][]).toString();
  return `/api/v1/tenants/${tenant}/audit/export${query && `?${query}`}`;
}

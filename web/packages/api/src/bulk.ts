/**
 * Many contacts at once: those that were picked, or all that a list would show.
 */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';

import { answered, client } from './client';
import { tenantKey } from './collection';
import type { BulkAction, BulkRefused, BulkResult, Contact } from './types';

/** Search and filters of a list. */
export interface Matching {
  search: string;
  filters: Record<string, string[]>;
}

/** Whom it is about. */
export type BulkTarget = { ids: readonly string[] } | { matching: Matching };

/** What became of them. */
export interface BulkOutcome {
  done: number;
  /** They were so already. */
  unchanged: number;
  /** Those that were left, as far as they are named, and how many there are. */
  refused: BulkRefused[];
  refusedCount: number;
}

/** Identifiers in one request. */
const MOST_IDS = 500;

interface Wanted {
  action: BulkAction;
  target: BulkTarget;
  /** Hears how many are through. */
  onStep: (through: number) => void;
}

/** Carries it out, in as many requests as it takes. */
export function useContactsBulk(tenant: string) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: async ({ action, target, onStep }: Wanted) => {
      const sum: BulkOutcome = { done: 0, unchanged: 0, refused: [], refusedCount: 0 };
      const send = async (part: { ids: string[] } | { matching: Matching; after?: string }) => {
        const answer = await answered(
          client.POST('/api/v1/tenants/{tenant}/contacts/bulk', {
            params: { path: { tenant } },
            body: { action, ...part },
          }),
        );
        add(answer, sum);
        onStep(sum.done + sum.unchanged + sum.refusedCount);
        return answer.next ?? undefined;
      };
      if ('ids' in target) {
        for (let at = 0; at < target.ids.length; at += MOST_IDS) {
          await send({ ids: target.ids.slice(at, at + MOST_IDS) });
        }
        return sum;
      }
      const { matching } = target;
      for (let after = await send({ matching }); after !== undefined;) {
        after = await send({ matching, after });
      }
      return sum;
    },
    onSettled: () => queries.invalidateQueries({ queryKey: tenantKey(tenant) }),
  });
}

function add(answer: BulkResult, sum: BulkOutcome): void {
  sum.done += answer.done_count;
  sum.unchanged += answer.unchanged_count;
  sum.refused.push(...answer.refused);
  sum.refusedCount += answer.refused_count;
}

/** Of those that match, who has devices: the first few, and how many. */
export function useWithDevices(tenant: string, { search, filters }: Matching, most: number, wanted: boolean) {
  const { has_device = [], ...rest } = filters;
  const none = has_device.length === 1 && has_device[0] === 'false';
  return useQuery({
    queryKey: [...tenantKey(tenant), 'contacts', 'with-devices', { search, filters, most }],
    queryFn: async () => {
      const chosen = Object.entries(rest).map(([name, values]) => [name, values.join(',')]);
      const query = {
        ...(Object.fromEntries(chosen) as Record<string, string>),
        search: search || undefined,
        has_device: 'true',
        limit: most,
        total: true,
      };
      const page = await answered(
        client.GET('/api/v1/tenants/{tenant}/contacts', { params: { path: { tenant }, query } }),
      );
      return { first: page.items, count: page.total?.count ?? page.items.length };
    },
    enabled: wanted && !none,
    initialData: none ? { first: [] as Contact[], count: 0 } : undefined,
    staleTime: 0,
  });
}

/** Where the contacts of a list are as CSV, in its order. */
export function contactExportAddress(
  tenant: string,
  { search, filters, sort }: Matching & { sort: string },
): string {
  const chosen = Object.entries(filters).map(([name, values]) => [name, values.join(',')] as const);
  const given = [['search', search] as const, ['sort', sort] as const, ...chosen].filter(
    ([, text]) => text !== '',
  );
  const query = new URLSearchParams(given.map(([name, text]) => [name, text])).toString();
  return `/api/v1/tenants/${tenant}/contacts/export${query && `?${query}`}`;
}

/**
 * Webhooks: where other programs are told of what happens, and what became of it.
 */
import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';

import { answered, client } from './client';
import { webhooksKey } from './collection';
import type { Webhook, WebhookDeliveryState, WebhookInput } from './types';

const LIST = '/api/v1/tenants/{tenant}/webhooks';
const ONE = '/api/v1/tenants/{tenant}/webhooks/{id}';
const DELIVERY = '/api/v1/tenants/{tenant}/webhook-deliveries/{id}';

/** More than a tenant can have. */
const MOST = 100;
const PAGE_ROWS = 50;

/** All webhooks in the order in which they were made, without their secrets. */
export function useWebhooks(tenant: string) {
  return useQuery({
    queryKey: [...webhooksKey(tenant), 'list'],
    queryFn: async () => {
      const params = { path: { tenant }, query: { limit: MOST } };
      return (await answered(client.GET(LIST, { params }))).items;
    },
  });
}

export function useWebhook(tenant: string, id: string) {
  return useQuery({
    queryKey: [...webhooksKey(tenant), 'item', id],
    queryFn: () => readWebhook(tenant, id),
  });
}

/** What is there now; the cache is left as it is. */
export function readWebhook(tenant: string, id: string): Promise<Webhook> {
  return answered(client.GET(ONE, { params: { path: { tenant, id } } }));
}

/** Makes a webhook. The answer is the only place where the secret is told, so it is kept nowhere but where it is shown. */
export function useCreateWebhook(tenant: string) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (body: WebhookInput) => answered(client.POST(LIST, { params: { path: { tenant } }, body })),
    onSuccess: () => queries.invalidateQueries({ queryKey: webhooksKey(tenant) }),
    gcTime: 0,
  });
}

/** A change that is refused with 412 when someone else changed it since `version` was read. */
export function useUpdateWebhook(tenant: string) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: ({ id, version, input }: { id: string; version: number; input: WebhookInput }) => {
      const params = { path: { tenant, id }, header: { 'If-Match': `"${version}"` } };
      return answered(client.PUT(ONE, { params, body: input }));
    },
    onSuccess: () => queries.invalidateQueries({ queryKey: webhooksKey(tenant) }),
  });
}

export function useRemoveWebhook(tenant: string) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (id: string) => answered(client.DELETE(ONE, { params: { path: { tenant, id } } })),
    onSuccess: (_, id) =>
      queries.invalidateQueries({
        queryKey: webhooksKey(tenant),
        // The removed one's own page may still be mounted for a moment: it must not ask for it again.
        predicate: ({ queryKey }) => !queryKey.includes(id),
      }),
  });
}

/** Replaces the secret; the one before signs too for so many hours. */
export function useReplaceWebhookSecret(tenant: string) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: ({ id, overlap_hours }: { id: string; overlap_hours: number }) =>
      answered(client.POST(`${ONE}/secret`, { params: { path: { tenant, id } }, body: { overlap_hours } })),
    onSuccess: () => queries.invalidateQueries({ queryKey: webhooksKey(tenant) }),
    gcTime: 0,
  });
}

/** Sends a test event. */
export function useTestWebhook(tenant: string) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (id: string) => answered(client.POST(`${ONE}/test`, { params: { path: { tenant, id } } })),
    onSuccess: () => queries.invalidateQueries({ queryKey: webhooksKey(tenant) }),
  });
}

/** The deliveries read so far, newest first, and whether there are more. */
export function useWebhookDeliveries(tenant: string, id: string, states: readonly WebhookDeliveryState[]) {
  return useInfiniteQuery({
    queryKey: [...webhooksKey(tenant), 'deliveries', id, ...states],
    queryFn: ({ pageParam }) => {
      const query = { limit: PAGE_ROWS, after: pageParam, state: states.join(',') || undefined };
      return answered(client.GET(`${ONE}/deliveries`, { params: { path: { tenant, id }, query } }));
    },
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next ?? undefined,
    select: ({ pages }) => pages.flatMap((page) => page.items),
    placeholderData: (shown) => shown,
  });
}

/** One delivery with what is sent. */
export function useWebhookDelivery(tenant: string, id: string) {
  return useQuery({
    queryKey: [...webhooksKey(tenant), 'delivery', id],
    queryFn: () => answered(client.GET(DELIVERY, { params: { path: { tenant, id } } })),
  });
}

/** Sends the event of a delivery again. */
export function useRedeliver(tenant: string) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (id: string) =>
      answered(client.POST(`${DELIVERY}/redelivery`, { params: { path: { tenant, id } } })),
    onSuccess: () => queries.invalidateQueries({ queryKey: webhooksKey(tenant) }),
  });
}

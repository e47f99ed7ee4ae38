/**
 * Mail: how a tenant sends it, what became of it, the mailbox, and the instructions of a device.
 */
import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';

import { answered, client } from './client';
import { rowsOf, tenantKey, type Rows } from './collection';
import type { InstructionsInput, Language, Mail, MailKind, MailSettings, MailSettingsInput } from './types';

const PAGE_ROWS = 50;

function settingsKey(tenant: string) {
  return [...tenantKey(tenant), 'mail', 'settings'];
}

/** What is there now, whatever is in the cache, which is left as it is: somebody may be typing into a form made of it. */
export function readMailSettings(tenant: string): Promise<MailSettings> {
  return answered(client.GET('/api/v1/tenants/{tenant}/mail', { params: { path: { tenant } } }));
}

export function useMailSettings(tenant: string) {
  return useQuery({ queryKey: settingsKey(tenant), queryFn: () => readMailSettings(tenant) });
}

export function useSaveMailSettings(tenant: string) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: ({ version, input }: { version: number; input: MailSettingsInput }) =>
      answered(
        client.PUT('/api/v1/tenants/{tenant}/mail', {
          params: { path: { tenant }, header: { 'If-Match': `"${version}"` } },
          body: input,
        }),
      ),
    onSuccess: (settings: MailSettings) => queries.setQueryData(settingsKey(tenant), settings),
  });
}

/** Sends a mail now and says how each step went. */
export function useTestMail(tenant: string) {
  return useMutation({
    mutationFn: (address: string) =>
      answered(
        client.POST('/api/v1/tenants/{tenant}/mail/test', {
          params: { path: { tenant } },
          body: { address },
        }),
      ),
  });
}

export function useMailPreview(tenant: string, kind: MailKind, language: Language) {
  return useQuery({
    queryKey: [...tenantKey(tenant), 'mail', 'preview', kind, language],
    queryFn: () =>
      answered(
        client.GET('/api/v1/tenants/{tenant}/mail/previews/{kind}/{language}', {
          params: { path: { tenant, kind, language } },
        }),
      ),
    placeholderData: (shown) => shown,
  });
}

/** Which mails, in which order, and where the list begins. */
export interface MailsWanted {
  search: string;
  sort: string;
  filters: Record<string, string[]>;
  after?: string | undefined;
}

/** The mails of a tenant and what became of them, read so far; newest first unless asked otherwise. */
export function useMails(tenant: string, { search, sort, filters, after }: MailsWanted) {
  return useInfiniteQuery({
    queryKey: [...tenantKey(tenant), 'mail', 'list', { search, sort, filters, after }],
    queryFn: ({ pageParam }) => {
      const query = {
        limit: PAGE_ROWS,
        after: pageParam,
        search: search || undefined,
        sort: sort || undefined,
        state: filters.state?.join(','),
        kind: filters.kind?.join(','),
        total: pageParam === after ? true : undefined,
      };
      return answered(client.GET('/api/v1/tenants/{tenant}/mails', { params: { path: { tenant }, query } }));
    },
    initialPageParam: after,
    getNextPageParam: (page) => page.next ?? undefined,
    select: ({ pages }): Rows<Mail> => rowsOf(pages),
    placeholderData: (shown) => shown,
  });
}

/** The mails of the mailbox read so far: a tenant's, or all of the installation. */
export function useMailbox(tenant: string, all: boolean) {
  return useInfiniteQuery({
    queryKey: [...tenantKey(tenant), 'mail', 'mailbox', all],
    queryFn: ({ pageParam }) => {
      const query = { limit: PAGE_ROWS, after: pageParam };
      return answered(
        all
          ? client.GET('/api/v1/mailbox', { params: { query } })
          : client.GET('/api/v1/tenants/{tenant}/mailbox', { params: { path: { tenant }, query } }),
      );
    },
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next ?? undefined,
    select: ({ pages }) => pages.flatMap((page) => page.items),
  });
}

export function useMailboxMail(tenant: string, id: string, all: boolean) {
  return useQuery({
    queryKey: [...tenantKey(tenant), 'mail', 'mailbox', 'item', id],
    queryFn: () =>
      answered(
        all
          ? client.GET('/api/v1/mailbox/{id}', { params: { path: { id } } })
          : client.GET('/api/v1/tenants/{tenant}/mailbox/{id}', { params: { path: { tenant, id } } }),
      ),
    // It may hold a link that activates a phone.
    gcTime: 0,
  });
}

/** Sends the activation of a device to its person; link and code are kept back from then on. */
export function useSendInstructions(tenant: string, device: string) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (input: InstructionsInput) =>
      answered(
        client.POST('/api/v1/tenants/{tenant}/devices/{id}/instructions', {
          params: { path: { tenant, id: device } },
          body: input,
        }),
      ),
    onSuccess: () => queries.invalidateQueries({ queryKey: tenantKey(tenant) }),
  });
}

/** Shows link and code again, although a mail has them. */
export function useShowActivation(tenant: string, device: string) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: () =>
      answered(
        client.POST('/api/v1/tenants/{tenant}/devices/{id}/activation/show', {
          params: { path: { tenant, id: device } },
        }),
      ),
    onSuccess: () => queries.invalidateQueries({ queryKey: [...tenantKey(tenant), 'devices'] }),
  });
}

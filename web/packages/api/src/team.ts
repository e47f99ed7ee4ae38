/**
 * Who belongs to a tenant, who was invited, and what the tenant asks of its administrators.
 */
import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';

import { answered, client } from './client';
import { rowsOf, tenantKey, type Rows } from './collection';
import { readSessionAnew } from './session';
import type { InvitationInput, Member, Role } from './types';

/** The most that the server gives at once. */
const MOST_ROWS = 200;

function teamKey(tenant: string) {
  return [...tenantKey(tenant), 'team'];
}

/** Which members, in which order, and where the list begins. */
export interface MembersWanted {
  search: string;
  sort: string;
  filters: Record<string, string[]>;
  after?: string | undefined;
}

/** A member as a row of a list. */
export type MemberRow = Member & { id: string };

/** The members read so far, who came first at the top unless asked otherwise. */
export function useMembers(tenant: string, { search, sort, filters, after }: MembersWanted) {
  return useInfiniteQuery({
    queryKey: [...teamKey(tenant), 'members', { search, sort, filters, after }],
    queryFn: ({ pageParam }) => {
      const query = {
        limit: MOST_ROWS,
        after: pageParam,
        search: search || undefined,
        sort: sort || undefined,
        role: filters.role?.join(','),
        total: pageParam === after ? true : undefined,
      };
      return answered(
        client.GET('/api/v1/tenants/{tenant}/members', { params: { path: { tenant }, query } }),
      );
    },
    initialPageParam: after,
    getNextPageParam: (page) => page.next ?? undefined,
    select: ({ pages }): Rows<MemberRow> => {
      const rows = rowsOf(pages);
      return { ...rows, items: rows.items.map((member) => ({ ...member, id: member.user_id })) };
    },
    placeholderData: (shown) => shown,
  });
}

/** How many owners there are: the last one stays. */
export function useOwnerCount(tenant: string) {
  return useQuery({
    queryKey: [...teamKey(tenant), 'owners'],
    queryFn: async () => {
      const params = { path: { tenant }, query: { role: 'owner', limit: 1, total: true } };
      const page = await answered(client.GET('/api/v1/tenants/{tenant}/members', { params }));
      return page.total?.count ?? page.items.length;
    },
  });
}

export function useInvitations(tenant: string) {
  return useQuery({
    queryKey: [...teamKey(tenant), 'invitations'],
    queryFn: async () => {
      const params = { path: { tenant }, query: { limit: MOST_ROWS } };
      return (await answered(client.GET('/api/v1/tenants/{tenant}/invitations', { params }))).items;
    },
  });
}

export function useTenantSecurity(tenant: string) {
  return useQuery({
    queryKey: [...teamKey(tenant), 'security'],
    queryFn: () =>
      answered(client.GET('/api/v1/tenants/{tenant}/settings/security', { params: { path: { tenant } } })),
  });
}

/** What was changed may have been the person's own role. */
function useTeamChanged(tenant: string) {
  const queries = useQueryClient();
  return async () => {
    await Promise.all([queries.invalidateQueries({ queryKey: teamKey(tenant) }), readSessionAnew(queries)]);
  };
}

export function useInvite(tenant: string) {
  const changed = useTeamChanged(tenant);
  return useMutation({
    mutationFn: (body: InvitationInput) =>
      answered(client.POST('/api/v1/tenants/{tenant}/invitations', { params: { path: { tenant } }, body })),
    onSuccess: changed,
  });
}

/** Sends an invitation again; the link in the mail before ends. */
export function useResendInvitation(tenant: string) {
  const changed = useTeamChanged(tenant);
  return useMutation({
    mutationFn: (id: string) =>
      answered(
        client.POST('/api/v1/tenants/{tenant}/invitations/{id}/mail', { params: { path: { tenant, id } } }),
      ),
    onSuccess: changed,
  });
}

/** A new link to pass on; the one before ends, and this one is told once. */
export function useInvitationLink(tenant: string) {
  const changed = useTeamChanged(tenant);
  return useMutation({
    mutationFn: (id: string) =>
      answered(
        client.POST('/api/v1/tenants/{tenant}/invitations/{id}/link', { params: { path: { tenant, id } } }),
      ),
    onSuccess: changed,
  });
}

export function useWithdrawInvitation(tenant: string) {
  const changed = useTeamChanged(tenant);
  return useMutation({
    mutationFn: (id: string) =>
      answered(
        client.DELETE('/api/v1/tenants/{tenant}/invitations/{id}', { params: { path: { tenant, id } } }),
      ),
    onSuccess: changed,
  });
}

export function useSetRole(tenant: string) {
  const changed = useTeamChanged(tenant);
  return useMutation({
    mutationFn: ({ id, role }: { id: string; role: Role }) =>
      answered(
        client.PUT('/api/v1/tenants/{tenant}/members/{id}', {
          params: { path: { tenant, id } },
          body: { role },
        }),
      ),
    onSettled: changed,
  });
}

export function useRemoveMember(tenant: string) {
  const changed = useTeamChanged(tenant);
  return useMutation({
    mutationFn: (id: string) =>
      answered(client.DELETE('/api/v1/tenants/{tenant}/members/{id}', { params: { path: { tenant, id } } })),
    onSuccess: changed,
  });
}

/** Turns the second factor of a member off who has neither app nor recovery codes any more. */
export function useResetSecondFactor(tenant: string) {
  const changed = useTeamChanged(tenant);
  return useMutation({
    mutationFn: (id: string) =>
      answered(
        client.DELETE('/api/v1/tenants/{tenant}/members/{id}/second-factor', {
          params: { path: { tenant, id } },
        }),
      ),
    onSuccess: changed,
  });
}

export function useRequireSecondFactor(tenant: string) {
  const changed = useTeamChanged(tenant);
  return useMutation({
    mutationFn: (second_factor_required: boolean) =>
      answered(
        client.PUT('/api/v1/tenants/{tenant}/settings/security', {
          params: { path: { tenant } },
          body: { second_factor_required },
        }),
      ),
    onSuccess: changed,
  });
}

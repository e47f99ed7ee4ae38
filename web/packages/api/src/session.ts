/**
 * Signing in and out, and the tenants of the signed-in person.
 */
import { queryOptions, useMutation, useQuery, useQueryClient, type QueryClient } from '@tanstack/react-query';

import { answered, client } from './client';
import type { HalfSignIn, PasswordChange, SecondStep, Session, SignIn, TenantInput } from './types';

/** The session, or a refusal with status 401. */
export const sessionQuery = queryOptions({
  queryKey: ['session'],
  queryFn: () => answered(client.GET('/api/v1/session')),
  staleTime: 60_000,
});

/**
 * Reads the session again after something was done that changed it. Never fails: what was done is done, and answers that are told
 * only once must not be lost over this.
 */
export async function readSessionAnew(queries: QueryClient): Promise<void> {
  try {
    await queries.fetchQuery({ ...sessionQuery, staleTime: 0 });
  } catch {
    // As soon as somebody looks at it, it is read once more.
    void queries.invalidateQueries({ queryKey: sessionQuery.queryKey, refetchType: 'none' });
  }
}

export function useSession() {
  return useQuery(sessionQuery);
}

export function useSignIn() {
  const queries = useQueryClient();
  return useMutation({
    // A refusal here is a wrong password, not the end of a session.
    meta: { signsIn: true },
    mutationFn: (body: SignIn) => answered(client.POST('/api/v1/session', { body })),
    onSuccess: (answer) => {
      if (!isHalf(answer)) queries.setQueryData(sessionQuery.queryKey, answer);
    },
  });
}

/** Whether the password was right and a code of the second factor is still needed. */
export function isHalf(answer: Session | HalfSignIn): answer is HalfSignIn {
  return 'token' in answer;
}

/** Goes on with a sign-in by a code of the second factor. */
export function useSecondStep() {
  const queries = useQueryClient();
  return useMutation({
    meta: { signsIn: true },
    mutationFn: (body: SecondStep) => answered(client.POST('/api/v1/session/second-step', { body })),
    onSuccess: (session) => queries.setQueryData(sessionQuery.queryKey, session),
  });
}

/** Ends the session and forgets everything that was read with it. */
export function useSignOut() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: () => answered(client.DELETE('/api/v1/session')),
    onSuccess: () => queries.clear(),
  });
}

export function useSetPassword() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (body: PasswordChange) => answered(client.PUT('/api/v1/session/password', { body })),
    onSuccess: () => {
      // Also if it cannot be read now: with what it was before one would be sent back to choose a password.
      queries.setQueryData(sessionQuery.queryKey, (known) => known && { ...known, must_set_password: false });
      return readSessionAnew(queries);
    },
  });
}

export function useCreateTenant() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (body: TenantInput) => answered(client.POST('/api/v1/tenants', { body })),
    onSuccess: () => readSessionAnew(queries),
  });
}

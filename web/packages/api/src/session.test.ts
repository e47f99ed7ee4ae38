import { QueryClient } from '@tanstack/react-query';
import { afterEach, expect, test, vi } from 'vitest';

import { readSessionAnew, sessionQuery } from './session';
import type { Session } from './types';

afterEach(() => vi.unstubAllGlobals());

const before = { user: { email: 'anna@example.com' }, tenants: [] } as unknown as Session;

test('that the session cannot be read again does not undo what was done', async () => {
  vi.stubGlobal('fetch', async () => {
    throw new TypeError('connection lost');
  });
  const queries = new QueryClient({ defaultOptions: { queries: { retry: false } } });
  queries.setQueryData(sessionQuery.queryKey, before);
  await expect(readSessionAnew(queries)).resolves.toBeUndefined();
  expect(queries.getQueryData(sessionQuery.queryKey)).toBe(before);
  expect(queries.getQueryState(sessionQuery.queryKey)?.isInvalidated).toBe(true);
});

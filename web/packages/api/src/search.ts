/**
 * One search over everything of a tenant.
 */
import { answered, client } from './client';
import type { FoundGroup } from './types';

/** What is found, the best of each kind first; kinds of which there is nothing are absent. */
export async function findEverything(tenant: string, q: string, limit: number): Promise<FoundGroup[]> {
  const query = { q, limit };
  const answer = client.GET('/api/v1/tenants/{tenant}/search', { params: { path: { tenant }, query } });
  return (await answered(answer)).groups;
}

/**
 * The tenant whose pages are shown, and addresses below it.
 */
import type { SessionTenant } from '@tandem/api';
import { createContext, use } from 'react';

export const TenantContext = createContext<SessionTenant | undefined>(undefined);

export interface Here {
  tenant: SessionTenant;
  /** Whether the person may change things. What they may not do is not offered. */
  mayChange: boolean;
  /** The address of a page of this tenant, such as `path('/devices')`. */
  path: (rest: string) => string;
}

export function useTenant(): Here {
  const tenant = use(TenantContext);
  if (!tenant) throw new Error('only pages below /t/{slug} have a tenant');
  return {
    tenant,
    mayChange: tenant.role !== 'read_only',
    path: (rest) => `/t/${tenant.slug}${rest}`,
  };
}

const KEY = 'tandem.tenant';

/** The slug of the tenant last looked at in this browser. */
export function lastTenant(): string | null {
  return localStorage.getItem(KEY);
}

export function rememberTenant(slug: string): void {
  localStorage.setItem(KEY, slug);
}

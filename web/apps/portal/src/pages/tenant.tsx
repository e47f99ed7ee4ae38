/**
 * Around all pages of a tenant: finds it in the session and keeps its live channel open.
 */
import { useLiveChannel, useSession, type SessionTenant } from '@tandem/api';
import { getRouteApi, Outlet } from '@tanstack/react-router';
import { useEffect } from 'react';

import { rememberTenant, TenantContext } from '../tenant';
import { NotFoundPage } from './not-found';
import { WaitingPage } from './waiting';

const route = getRouteApi('/t/$slug');

export function TenantPage() {
  const { slug } = route.useParams();
  const { data } = useSession();
  if (!data) return <WaitingPage />;
  const tenant = data.tenants.find((known) => known.slug === slug);
  return tenant ? <InTenant key={tenant.id} tenant={tenant} /> : <NotFoundPage />;
}

function InTenant({ tenant }: { tenant: SessionTenant }) {
  useLiveChannel(tenant.id);
  useEffect(() => rememberTenant(tenant.slug), [tenant.slug]);
  return (
    <TenantContext value={tenant}>
      <Outlet />
    </TenantContext>
  );
}

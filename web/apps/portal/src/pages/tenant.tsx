/**
 * Around all pages of a tenant: finds it in the session and keeps its live channel open.
 */
import { useLiveChannel, useSession, type SessionTenant } from '@tandem/api';
import { getRouteApi, Outlet } from '@tanstack/react-router';
import { Button, ButtonLink, useTitle } from '@tandem/ui';
import { useEffect } from 'react';
import { useTranslation } from 'react-i18next';

import { useLeave } from '../session/leave';
import { Welcome } from '../session/welcome';
import { rememberTenant, TenantContext } from '../tenant';
import { loadAhead } from './ahead';
import { NotFoundPage } from './not-found';
import { WaitingPage } from './waiting';

const route = getRouteApi('/t/$slug');

export function TenantPage() {
  const { slug } = route.useParams();
  const { data } = useSession();
  if (!data) return <WaitingPage />;
  const tenant = data.tenants.find((known) => known.slug === slug);
  if (!tenant) return <NotFoundPage />;
  if (tenant.sign_on_missing) return <SignOnMissing tenant={tenant} />;
  if (tenant.second_factor_missing) {
    const { sign_on } = data;
    return sign_on ? <OwnPasswordNeeded provider={sign_on.provider} /> : <SecondFactorMissing />;
  }
  return <InTenant key={tenant.id} tenant={tenant} />;
}

/** Nothing of the tenant is shown before. */
function SecondFactorMissing() {
  const { t } = useTranslation();
  useTitle(t('second_factor_missing.title'));
  return (
    <Welcome title={t('second_factor_missing.title')} lead={t('second_factor_missing.lead')}>
      <ButtonLink href="/security">{t('second_factor_missing.action')}</ButtonLink>
    </Welcome>
  );
}

/** Who came through a provider cannot set up a second factor of their own: that is about more than this tenant. */
function OwnPasswordNeeded({ provider }: { provider: string }) {
  const { t } = useTranslation();
  const leave = useLeave();
  useTitle(t('second_factor_missing.title'));
  return (
    <Welcome
      title={t('second_factor_missing.title')}
      lead={t('second_factor_missing.by_provider', { provider })}
    >
      <Button onPress={leave}>{t('second_factor_missing.sign_in')}</Button>
    </Welcome>
  );
}

/** The tenant wants its members to come through its provider. */
function SignOnMissing({ tenant }: { tenant: SessionTenant }) {
  const { t } = useTranslation();
  useTitle(t('sign_on.missing_title'));
  return (
    <Welcome title={t('sign_on.missing_title')} lead={t('sign_on.missing', { name: tenant.name })}>
      <ButtonLink href={`/sign-on/${tenant.slug}?next=/t/${tenant.slug}`}>{t('sign_on.go_on')}</ButtonLink>
    </Welcome>
  );
}

function InTenant({ tenant }: { tenant: SessionTenant }) {
  useLiveChannel(tenant.id);
  useEffect(() => rememberTenant(tenant.slug), [tenant.slug]);
  useEffect(loadAhead, []);
  return (
    <TenantContext value={tenant}>
      <Outlet />
    </TenantContext>
  );
}

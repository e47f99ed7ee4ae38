/**
 * Before somebody is sent to a provider: whose it is, and where it is.
 */
import { useBeginSignOn, useSignOnOffer, type SignOnOffer } from '@tandem/api';
import { getRouteApi } from '@tanstack/react-router';
import { Button, ButtonLink, Link, Notice, useTitle } from '@tandem/ui';
import { useTranslation } from 'react-i18next';

import { FailedPage } from '../pages/failed';
import { WaitingPage } from '../pages/waiting';
import { Welcome } from '../session/welcome';
import { useReason } from './reason';

const route = getRouteApi('/sign-on/$slug');

/** The address that a tenant gives to its people. */
export function OfferPage() {
  const { t } = useTranslation();
  const { slug } = route.useParams();
  const { next } = route.useSearch();
  const { data: offer, error, isPending } = useSignOnOffer(slug);
  useTitle(t('sign_on.find_title'));
  if (isPending) return <WaitingPage />;
  if (offer) return <GoThere offer={offer} next={next} />;
  // That nobody offers it is an answer; none at all is not.
  if (offer === undefined) return <FailedPage error={error} />;
  return (
    <Welcome title={t('sign_on.find_title')} lead={t('sign_on.nobody')}>
      <ButtonLink href="/sign-in">{t('sign_on.by_password')}</ButtonLink>
    </Welcome>
  );
}

interface GoThereProps {
  offer: SignOnOffer;
  email?: string | undefined;
  next?: string | undefined;
  onBack?: () => void;
}

export function GoThere({ offer, email, next, onBack }: GoThereProps) {
  const { t } = useTranslation();
  const begin = useBeginSignOn();
  const reason = useReason();
  const title = t('sign_on.title_of', { name: offer.tenant_name });
  useTitle(title);
  return (
    <Welcome title={title} lead={t('sign_on.there', { host: offer.host })}>
      <div className="flex flex-col gap-5">
        {begin.error && (
          <Notice tone="danger" alert>
            {reason(begin.error)}
          </Notice>
        )}
        <Button
          autoFocus
          fullWidth
          isPending={begin.isPending || begin.isSuccess}
          onPress={() =>
            begin.mutate(
              { tenant: offer.tenant, email, next },
              { onSuccess: ({ address }) => window.location.assign(address) },
            )
          }
        >
          {t('sign_on.with', { provider: offer.provider })}
        </Button>
        <p className="flex flex-wrap justify-center gap-x-6 gap-y-2 text-sm">
          <Link href="/sign-in" className="link">
            {t('sign_on.by_password')}
          </Link>
          {onBack && (
            <Link className="link" onPress={onBack}>
              {t('sign_on.another')}
            </Link>
          )}
        </p>
      </div>
    </Welcome>
  );
}

/**
 * The person's own access: password, second factor, and where they are signed in.
 */
import { useSession } from '@tandem/api';
import { Brand, ButtonLink, Fact, Facts, Notice, PageHead, Section } from '@tandem/ui';
import { useEffect } from 'react';
import { useTranslation } from 'react-i18next';

import { loadAhead } from '../pages/ahead';
import { Preferences } from '../session/preferences';
import { ChangeEmail } from './change-email';
import { SecondFactorSection } from './second-factor';
import { SessionsSection } from './sessions';

export function SecurityPage() {
  const { t } = useTranslation();
  const { user, sign_on } = useSession().data ?? {};
  useEffect(loadAhead, []);
  return (
    <div className="min-h-dvh">
      <header className="no-print flex items-center justify-between gap-4 px-4 py-4 sm:px-8">
        <Brand />
        <Preferences />
      </header>
      <main className="mx-auto max-w-3xl px-4 pt-2 pb-16 sm:px-8">
        <PageHead
          title={t('security.title')}
          lead={t('security.lead')}
          up={{ href: '/', label: t('security.back') }}
        />
        <div className="flex flex-col gap-6">
          {/* On paper are the recovery codes. */}
          <div className="no-print">
            <Section title={t('security.access')}>
              <Facts>
                <Fact name={t('security.name')}>{user && `${user.first_name} ${user.last_name}`.trim()}</Fact>
                <Fact name={t('sign_in.email')}>
                  <span className="break-all">{user?.email}</span>
                </Fact>
              </Facts>
              {!sign_on && (
                <div className="mt-5 flex flex-wrap gap-2">
                  <ButtonLink href="/set-password?next=/security" variant="secondary">
                    {t('menu.password')}
                  </ButtonLink>
                  <ChangeEmail />
                </div>
              )}
            </Section>
          </div>
          {sign_on && <Notice tone="info">{t('sign_on.managed', { provider: sign_on.provider })}</Notice>}
          {user && !sign_on && (
            <>
              <SecondFactorSection />
              <div className="no-print">
                <SessionsSection />
              </div>
            </>
          )}
        </div>
      </main>
    </div>
  );
}

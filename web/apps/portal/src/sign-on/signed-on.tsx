/**
 * Where a provider sends people back to. What it sent along is taken out of the address at once and given to the server in a body.
 */
import { useCompleteSignOn, type HalfSignIn, type SignOnAnswer } from '@tandem/api';
import { getRouteApi, useRouter } from '@tanstack/react-router';
import { ButtonLink, Notice, useTitle } from '@tandem/ui';
import { useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';

import { WaitingPage } from '../pages/waiting';
import { nextPath } from '../session/next';
import { SecondStep } from '../session/second-step';
import { Welcome } from '../session/welcome';
import { useReason } from './reason';

const route = getRouteApi('/signed-on');

interface Waiting {
  half: HalfSignIn;
  next: string;
}

export function SignedOnPage() {
  const { t } = useTranslation();
  const router = useRouter();
  // Taken along before the address is cleaned.
  const search = route.useSearch();
  const [came] = useState(search);
  const { mutate, error } = useCompleteSignOn();
  const reason = useReason();
  const [waiting, setWaiting] = useState<Waiting>();
  const begun = useRef(false);
  useTitle(t('sign_on.coming_back'));

  useEffect(() => {
    if (begun.current) return;
    begun.current = true;
    router.history.replace('/signed-on');
    if (!came.state) return;
    // Providers add words of their own, which are left behind.
    const { state, code, error: refusal, iss } = came;
    const answer: SignOnAnswer = { state, code, error: refusal, iss };
    mutate(answer, {
      onSuccess: ({ session, half, next }) => {
        if (half) setWaiting({ half, next: nextPath(next) });
        else if (session) router.history.replace(nextPath(next));
      },
    });
  }, [mutate, router, came]);

  if (waiting) {
    const { half, next } = waiting;
    return (
      <Welcome title={t('second_step.title')} lead={t('sign_on.second_step')}>
        <SecondStep
          half={half}
          onDone={() => router.history.replace(next)}
          onBack={() => router.history.replace('/sign-in')}
        />
      </Welcome>
    );
  }
  if (!error && came.state) return <WaitingPage />;
  return (
    <Welcome title={t('sign_on.failed')}>
      <div className="flex flex-col gap-5">
        <Notice tone="danger" alert>
          {error ? reason(error) : t('sign_on.reason.lost')}
        </Notice>
        <ButtonLink href="/sign-on">{t('sign_on.begin_again')}</ButtonLink>
        <ButtonLink href="/sign-in" variant="secondary">
          {t('sign_on.by_password')}
        </ButtonLink>
      </div>
    </Welcome>
  );
}

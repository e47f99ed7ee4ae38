/**
 * Around all pages: server state, routes, language of the components, notices, and the dialogs that ask to sign
 * in again or to prove anew who one is.
 */
import { QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider as Routes } from '@tanstack/react-router';
import { confirmation } from '@tandem/api';
import { I18nProvider, RouterProvider, Toast } from '@tandem/ui';
import { lazy, useSyncExternalStore } from 'react';
import { useTranslation } from 'react-i18next';

import { Later } from './pages/later';
import { queries } from './queries';
import { router } from './router';
import { useSessionEnded } from './session/ended';

// Rarely needed, and it brings the dialogs, which a page to sign in does without.
const SignInAgain = lazy(async () => ({ default: (await import('./session/sign-in-again')).SignInAgain }));

// Rarely needed as well.
const Confirm = lazy(async () => ({ default: (await import('./session/confirm')).Confirm }));

export function App() {
  const { t, i18n } = useTranslation('ui');
  const ended = useSessionEnded();
  const wanted = useSyncExternalStore(confirmation.subscribe, confirmation.isWanted);
  return (
    <I18nProvider locale={i18n.language === 'de' ? 'de-DE' : 'en-US'}>
      <QueryClientProvider client={queries}>
        <RouterProvider navigate={(href) => router.history.push(href)}>
          <Routes router={router} />
          {wanted && (
            <Later onMissing={() => confirmation.answer(false)}>
              <Confirm />
            </Later>
          )}
          {ended && (
            <Later>
              <SignInAgain />
            </Later>
          )}
          <Toast.Provider placement="bottom end" width={380} aria-label={t('toasts')} />
        </RouterProvider>
      </QueryClientProvider>
    </I18nProvider>
  );
}

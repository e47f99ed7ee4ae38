/**
 * Around all pages: server state, routes, language of the components, notices, and the dialog that asks to sign
 * in again.
 */
import { QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider as Routes } from '@tanstack/react-router';
import { I18nProvider, RouterProvider, Toast } from '@tandem/ui';
import { lazy, Suspense } from 'react';
import { useTranslation } from 'react-i18next';

import { queries } from './queries';
import { router } from './router';
import { useSessionEnded } from './session/ended';

// Rarely needed, and it brings the dialogs, which a page to sign in does without.
const SignInAgain = lazy(async () => ({ default: (await import('./session/sign-in-again')).SignInAgain }));

export function App() {
  const { t, i18n } = useTranslation('ui');
  const ended = useSessionEnded();
  return (
    <I18nProvider locale={i18n.language === 'de' ? 'de-DE' : 'en-US'}>
      <QueryClientProvider client={queries}>
        <RouterProvider navigate={(href) => router.history.push(href)}>
          <Routes router={router} />
          {ended && (
            <Suspense>
              <SignInAgain />
            </Suspense>
          )}
          <Toast.Provider placement="bottom end" width={380} aria-label={t('toasts')} />
        </RouterProvider>
      </QueryClientProvider>
    </I18nProvider>
  );
}

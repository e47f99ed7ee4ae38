/**
 * The portal: starts theme and language, then shows the page of the address.
 */
import { startTheme } from '@tandem/ui';
import { startTexts } from '@tandem/ui/i18n';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';

import '@tandem/ui/styles.css';
import { App } from './app';
import { CATALOGUE } from './refusals/use-sentence';
import texts from './texts/en';

startTheme();
await startTexts({
  name: 'portal',
  en: texts,
  load: {
    de: async () => {
      const [own, server] = await Promise.all([import('./texts/de'), import('./refusals/refusals.de.json')]);
      return { ...own.default, [CATALOGUE]: server.default };
    },
  },
});

const root = document.getElementById('root');
if (root) {
  createRoot(root).render(
    <StrictMode>
      <App />
    </StrictMode>,
  );
}

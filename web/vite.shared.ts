/**
 * The one Vite configuration of all applications. Each application's own file only names itself.
 */
import optimizeLocales from '@react-aria/optimize-locales-plugin';
import tailwindcss from '@tailwindcss/vite';
import react from '@vitejs/plugin-react';
import type { UserConfig } from 'vite';

interface App {
  /** Where `npm run dev` finds the server's API. */
  server: string;
}

export function appConfig({ server }: App): UserConfig {
  return {
    plugins: [
      react(),
      tailwindcss(),
      { ...optimizeLocales.vite({ locales: ['en-US', 'de-DE'] }), enforce: 'pre' },
    ],
    build: {
      target: 'es2022',
      // The content security policy allows no data: in fonts or scripts.
      assetsInlineLimit: 0,
      modulePreload: { polyfill: false },
    },
    server: { proxy: { '/api': { target: server, ws: true } } },
  };
}

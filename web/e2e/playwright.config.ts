/**
 * Browser tests against the real programs. Where they are is told by the environment:
 *
 *   E2E_URL, E2E_EMAIL, E2E_PASSWORD   the portal and its first administrator with the one-time password
 *   E2E_SOFTPHONE                      the softphone program
 *   E2E_DIR                            a folder for profiles, results and screenshots
 *   E2E_CHROMIUM                       the browser, /usr/bin/chromium when absent
 */
import { defineConfig, devices } from '@playwright/test';

import { environment, sessionFile } from './src/environment';

export default defineConfig({
  testDir: 'src',
  outputDir: `${environment.folder}/results`,
  reporter: [['list']],
  workers: 1,
  timeout: 60_000,
  expect: { timeout: 15_000 },
  use: {
    ...devices['Desktop Chrome'],
    baseURL: environment.url,
    locale: 'en-US',
    trace: 'retain-on-failure',
    launchOptions: {
      executablePath: environment.chromium,
      args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--disable-background-networking'],
    },
  },
  projects: [
    { name: 'first sign-in', testMatch: '*.setup.ts' },
    {
      name: 'portal',
      testMatch: '*.spec.ts',
      dependencies: ['first sign-in'],
      use: { storageState: sessionFile },
    },
  ],
});

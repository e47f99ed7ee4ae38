/**
 * How much a browser has to fetch before the first page stands.
 */
import { brotliCompressSync } from 'node:zlib';

import { expect, test, type Response } from '@playwright/test';

const MOST_BYTES = 260_000;
const MOST_STYLE_BYTES = 35_000;

test.use({ storageState: { cookies: [], origins: [] } });

test('the first load is small', async ({ page }) => {
  const sizes: { url: string; bytes: number }[] = [];
  const bodies: Promise<void>[] = [];
  async function measure(response: Response) {
    sizes.push({ url: response.url(), bytes: brotliCompressSync(await response.body()).length });
  }

  page.on('response', (response) => {
    if (!/\.(js|css)$|\/sign-in$/.test(new URL(response.url()).pathname)) return;
    bodies.push(measure(response));
  });
  await page.goto('/sign-in');
  await expect(page.getByRole('heading', { name: 'Sign in' })).toBeVisible();
  await page.waitForLoadState('networkidle');
  await Promise.all(bodies);

  const sum = (list: typeof sizes) => list.reduce((all, { bytes }) => all + bytes, 0);
  console.log(`first load: ${sum(sizes)} bytes, Brotli`);
  expect(sum(sizes)).toBeLessThanOrEqual(MOST_BYTES);
  expect(sum(sizes.filter(({ url }) => url.endsWith('.css')))).toBeLessThanOrEqual(MOST_STYLE_BYTES);
});

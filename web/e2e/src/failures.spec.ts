/**
 * Pages that could not be read: each says so and offers to try again.
 */
import { expect, test, type Page } from '@playwright/test';

import { firstTenant } from './portal';

/** From now on these addresses are answered by a server in trouble; the function that comes back mends it. */
async function breaks(page: Page, addresses: RegExp): Promise<() => Promise<void>> {
  const json = { type: 'about:blank', title: 'Busy', status: 503, detail: 'The server is busy.' };
  await page.route(addresses, (route) =>
    route.fulfill({ status: 503, contentType: 'application/problem+json', json }),
  );
  return () => page.unroute(addresses);
}

async function triesAgain(page: Page, mend: () => Promise<void>) {
  await expect(page.getByRole('alert')).toContainText('The server is busy.');
  await mend();
  await page.getByRole('button', { name: 'Try again' }).click();
}

test('the overview', async ({ page, request }) => {
  const tenant = await firstTenant(request);
  const mend = await breaks(page, /\/contacts\?/);
  await page.goto(`/t/${tenant.slug}`);
  await triesAgain(page, mend);
  await expect(page.getByRole('main').getByRole('link', { name: /Contacts/ })).toBeVisible();
});

test('the providers that a new account needs', async ({ page, request }) => {
  const tenant = await firstTenant(request);
  const mend = await breaks(page, /\/providers\?/);
  await page.goto(`/t/${tenant.slug}/accounts/new`);
  await triesAgain(page, mend);
  await expect(page.getByLabel('SIP username')).toBeVisible();
});

test('the providers that a person with a phone needs', async ({ page, request }) => {
  const tenant = await firstTenant(request);
  const mend = await breaks(page, /\/providers\?/);
  await page.goto(`/t/${tenant.slug}/contacts/new?phone=on`);
  await triesAgain(page, mend);
  await expect(page.getByLabel('Extension')).toBeVisible();
});

test('what visitors see: no server is not the same as nothing there', async ({ browser, request }) => {
  const tenant = await firstTenant(request);
  const context = await browser.newContext({ storageState: { cookies: [], origins: [] } });
  const page = await context.newPage();
  for (const path of ['/sign-up', `/sign-on/${tenant.slug}`]) {
    const mend = await breaks(page, /\/api\/v1\/(sign-up|session\/sign-on\/lookup)$/);
    await page.goto(path);
    await triesAgain(page, mend);
    await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
    await expect(page.getByRole('alert')).toHaveCount(0);
  }
  await context.close();
});

/**
 * Sessions that end while somebody works, preferences, and signing out.
 */
import { expect, test, type Page } from '@playwright/test';

import { environment, password } from './environment';
import { firstTenant, type Tenant } from './portal';

test('what was typed is kept when the session ends', async ({ page, request }) => {
  const tenant = await firstTenant(request);
  await page.goto(`/t/${tenant.slug}/contacts/new`);
  await page.getByLabel('First name').fill('Typed');
  await page.getByLabel('Last name').fill('Before');
  await page.getByLabel('E-mail', { exact: true }).fill('typed@example.com');
  await page.context().clearCookies();
  await page.getByRole('button', { name: 'Create' }).click();

  const dialog = page.getByRole('dialog', { name: 'Please sign in again' });
  await expect(dialog).toContainText(environment.email);
  await dialog.getByRole('textbox', { name: 'Password' }).fill('wrong');
  await dialog.getByRole('button', { name: 'Sign in', exact: true }).click();
  await expect(dialog.getByRole('alert')).toHaveText('E-mail or password is wrong.');
  await dialog.getByRole('textbox', { name: 'Password' }).fill(password);
  await dialog.getByRole('button', { name: 'Sign in', exact: true }).click();
  await expect(dialog).toHaveCount(0);

  await expect(page.getByLabel('First name')).toHaveValue('Typed');
  await page.getByRole('button', { name: 'Create' }).click();
  await expect(page.getByRole('heading', { name: 'Typed Before' })).toBeVisible();
});

test('who has a page open while the server is updated is still asked to sign in again', async ({
  page,
  request,
}) => {
  const tenant = await firstTenant(request);
  const dialogs = ['sign-in-again', 'confirm', 'conflict-dialog', 'leave-dialog'];
  const fetched = dialogs.map((name) =>
    page.waitForResponse((response) => response.url().includes(`/assets/${name}-`)),
  );
  await page.goto(`/t/${tenant.slug}/contacts/new`);
  for (const response of await Promise.all(fetched)) await response.finished();
  await page.route('**/assets/**', (route) => route.fulfill({ status: 404 }));
  await page.getByLabel('First name').fill('Typed');
  await page.getByRole('link', { name: 'Cancel' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Stay here' }).click();
  await page.getByLabel('Last name').fill('Before');
  await page.getByLabel('E-mail', { exact: true }).fill('typed@example.com');
  await page.context().clearCookies();
  await page.getByRole('button', { name: 'Create' }).click();
  await expect(page.getByRole('dialog', { name: 'Please sign in again' })).toBeVisible();
  await expect(page.getByLabel('First name')).toHaveValue('Typed');
});

/** A new contact half filled in, in a browser that does not get the dialogs any more. */
async function outdated(page: Page, tenant: Tenant) {
  await page.route(/\/assets\/(sign-in-again|confirm)-/, (route) => route.fulfill({ status: 404 }));
  await page.goto(`/t/${tenant.slug}/contacts/new`);
  await page.getByLabel('First name').fill('Typed');
  await page.getByLabel('Last name').fill('Before');
  await page.getByLabel('E-mail', { exact: true }).fill('typed@example.com');
  return page.getByRole('alertdialog', { name: 'A part of this page could not be loaded' });
}

test('what was typed is kept when the dialog for a proof cannot be loaded', async ({ page, request }) => {
  const tenant = await firstTenant(request);
  const notice = await outdated(page, tenant);
  await page.route('**/contacts', (route) =>
    route.fulfill({
      status: 403,
      contentType: 'application/problem+json',
      json: { type: 'confirmation-required', title: 'Forbidden', status: 403, detail: 'Confirm.' },
    }),
  );
  await page.getByRole('button', { name: 'Create' }).click();
  await expect(notice).toContainText('What you typed is still here');
  await expect(page.getByText('you did not confirm that it is you')).toBeVisible();
  await expect(page.getByLabel('First name')).toHaveValue('Typed');
  await page.screenshot({
    path: `${environment.folder}/screens/outdated-1280.png`,
    animations: 'disabled',
  });
});

test('what was typed is kept when the dialog to sign in again cannot be loaded', async ({
  page,
  request,
}) => {
  const tenant = await firstTenant(request);
  const notice = await outdated(page, tenant);
  await page.context().clearCookies();
  await page.getByRole('button', { name: 'Create' }).click();
  await expect(notice).toBeVisible();
  await expect(page.getByLabel('First name')).toHaveValue('Typed');
});

test('a visitor is sent to sign in and then to where they wanted to go', async ({ browser, request }) => {
  const tenant = await firstTenant(request);
  const context = await browser.newContext({ storageState: { cookies: [], origins: [] } });
  const page = await context.newPage();
  await page.goto(`/t/${tenant.slug}/accounts`);
  await page.getByLabel('E-mail').fill(environment.email);
  await page.getByRole('textbox', { name: 'Password' }).fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await expect(page).toHaveURL(new RegExp(`/t/${tenant.slug}/accounts$`));

  await page.getByRole('button', { name: /^Menu of/ }).click();
  await page.getByRole('menuitem', { name: 'Sign out' }).click();
  await expect(page.getByRole('heading', { name: 'Sign in' })).toBeVisible();
  await page.goto(`/t/${tenant.slug}/accounts`);
  await expect(page.getByRole('heading', { name: 'Sign in' })).toBeVisible();
  await context.close();
});

test('language, theme and density are kept', async ({ page, request }) => {
  const tenant = await firstTenant(request);
  await page.goto(`/t/${tenant.slug}/devices`);
  await page.getByRole('button', { name: /^Menu of/ }).click();
  await page.getByRole('menuitemradio', { name: 'Deutsch' }).click();
  await expect(page.getByRole('heading', { name: 'Geräte', level: 1 })).toBeVisible();
  await page.reload();
  await expect(page.getByRole('heading', { name: 'Geräte', level: 1 })).toBeVisible();
  await expect(page.locator('html')).toHaveAttribute('lang', 'de');

  await page.getByRole('button', { name: /^Menü von/ }).click();
  await page.getByRole('menuitemradio', { name: 'Dunkel' }).click();
  await expect(page.locator('html')).toHaveAttribute('data-theme', 'dark');
  await page.reload();
  await expect(page.locator('html')).toHaveAttribute('data-theme', 'dark');

  const main = page.getByRole('heading', { level: 1 });
  const roomy = (await main.boundingBox())?.y ?? 0;
  await page.getByRole('button', { name: /^Menü von/ }).click();
  await page.getByRole('menuitemradio', { name: 'Kompakt' }).click();
  await page.keyboard.press('Escape');
  await page.reload();
  await expect(page.locator('html')).toHaveAttribute('data-density', 'compact');
  expect((await main.boundingBox())?.y ?? 0).toBeLessThan(roomy);
});

test('an administrator of the installation makes another tenant and switches back', async ({
  page,
  request,
}) => {
  const tenant = await firstTenant(request);
  const name = `Second ${Date.now()}`;
  await page.goto(`/t/${tenant.slug}`);
  await page.getByRole('button', { name: `Tenant ${tenant.name}, switch` }).click();
  await page.getByRole('menuitem', { name: 'New tenant' }).click();
  const dialog = page.getByRole('dialog', { name: 'New tenant' });
  await dialog.getByLabel('Name').fill(name);
  await dialog.getByRole('button', { name: 'Create tenant' }).click();
  await expect(page.getByRole('heading', { name, level: 1 })).toBeVisible();
  await expect(page.getByRole('heading', { name: 'Set up your first phone' })).toBeVisible();

  await page.getByRole('button', { name: `Tenant ${name}, switch` }).click();
  await page.getByRole('menuitem', { name: tenant.name }).click();
  await expect(page.getByRole('heading', { name: tenant.name, level: 1 })).toBeVisible();
});

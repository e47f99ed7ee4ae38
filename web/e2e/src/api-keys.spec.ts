/**
 * Keys of programs: made for certain things, told once, ended.
 */
import { AxeBuilder } from '@axe-core/playwright';
import { expect, test, type Page } from '@playwright/test';

import { environment } from './environment';
import { sticksOut } from './pages';
import { choose, confirmPerson, makeTenant } from './portal';

async function look(page: Page, name: string) {
  for (const width of [360, 768, 1440]) {
    await page.setViewportSize({ width, height: 900 });
    const path = `${environment.folder}/screens/${name}-${width}.png`;
    await page.screenshot({ path, fullPage: true, animations: 'disabled' });
    expect(await sticksOut(page), `${name} at ${width}`).toBe(0);
  }
}

test('a key is made, told once, works, and ends', async ({ page, request, playwright }) => {
  await confirmPerson(request);
  const tenant = await makeTenant(request, `Keys ${Date.now()}`);
  await page.goto(`/t/${tenant.slug}`);
  await page.getByRole('navigation').getByRole('link', { name: 'API keys' }).click();
  await page.getByRole('main').getByRole('link', { name: 'New API key' }).click();

  await page.getByRole('button', { name: 'Create key' }).click();
  await expect(page.getByText('Fill this in.')).toBeVisible();
  await expect(page.getByText('Choose at least one thing that it may do.')).toBeVisible();

  await page.getByLabel('Name').fill('Directory sync');
  await choose(page, /Contacts/, /^Look at$/);
  await choose(page, /Ends/, 'After other days…');
  await page.getByRole('textbox', { name: 'Days' }).fill('0');
  await page.getByRole('textbox', { name: 'Days' }).press('Enter');
  await expect(page.getByText('Enter a number of days from 1 to 3650.')).toBeVisible();
  await page.getByRole('textbox', { name: 'Days' }).fill('7');
  await page.getByRole('textbox', { name: 'Days' }).press('Enter');

  await expect(page.getByText('the only time that the key is shown')).toBeVisible();
  const key = await page.getByRole('figure', { name: 'Key' }).locator('code').innerText();
  expect(key).toMatch(/^tdm_.{43}$/);
  expect((await new AxeBuilder({ page }).exclude('[data-live-announcer]').analyze()).violations).toEqual([]);
  await look(page, 'api-key-made');
  await test.step('it is not lost by a link that was pressed too early', async () => {
    await page.getByRole('link', { name: 'Contacts', exact: true }).click();
    const dialog = page.getByRole('dialog', { name: 'Have you kept it?' });
    await look(page, 'api-key-kept');
    await dialog.getByRole('button', { name: 'Stay here' }).click();
    await expect(page.getByRole('figure', { name: 'Key' })).toContainText(key);
  });
  await page.getByRole('link', { name: 'I have kept it' }).click();
  await expect(page.getByRole('heading', { name: 'API keys', level: 1 })).toBeVisible();

  const program = await playwright.request.newContext({
    baseURL: environment.url,
    storageState: { cookies: [], origins: [] },
    extraHTTPHeaders: { authorization: `Bearer ${key}` },
  });
  expect((await program.get(`/api/v1/tenants/${tenant.id}/contacts`)).status()).toBe(200);
  expect((await program.get(`/api/v1/tenants/${tenant.id}/devices`)).status()).toBe(403);

  await page.reload();
  const row = page.getByRole('row', { name: 'Directory sync' });
  await expect(row).toContainText('Contacts: look at');
  await expect(row).toContainText('now');
  await expect(page.locator('body')).not.toContainText(key);
  await look(page, 'api-keys-list');
  await row.getByRole('button', { name: 'End Directory sync' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'End key' }).click();
  await expect(page.getByText('No keys yet')).toBeVisible();
  expect((await program.get(`/api/v1/tenants/${tenant.id}/contacts`)).status()).toBe(401);
  await program.dispose();
});

test.describe('in German and dark', () => {
  test.use({ locale: 'de-DE', colorScheme: 'dark' });

  test('keys are spoken of in German', async ({ page, request }) => {
    const tenant = await makeTenant(request, `Schlüssel ${Date.now()}`);
    await page.goto(`/t/${tenant.slug}/api-keys/new`);
    await expect(page.getByRole('heading', { name: 'Neuer API-Schlüssel' })).toBeVisible();
    await choose(page, /Anrufe/, 'Ansehen und ändern');
    expect((await new AxeBuilder({ page }).exclude('[data-live-announcer]').analyze()).violations).toEqual(
      [],
    );
    await page.screenshot({ path: `${environment.folder}/screens/api-key-new-1280-de.png`, fullPage: true });
  });
});

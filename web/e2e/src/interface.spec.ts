/**
 * The page of the HTTP interface: an operation is found, tried with the session, and its answer shown.
 */
import { AxeBuilder } from '@axe-core/playwright';
import { expect, test } from '@playwright/test';

import { environment } from './environment';
import { sticksOut, watch } from './pages';
import { makeTenant } from './portal';

test('an operation is found and tried, all by keyboard', async ({ page, request }) => {
  const complaints = watch(page);
  const tenant = await makeTenant(request, `Interface ${Date.now()}`);
  await page.goto(`/t/${tenant.slug}/api`);
  await page.getByRole('searchbox', { name: 'Search operations' }).fill('contacts_create');
  const summary = page.locator('summary');
  await expect(summary).toHaveCount(1);
  await summary.focus();
  await page.keyboard.press('Enter');
  const operation = page.getByTestId('contacts_create');
  await expect(operation.getByLabel('tenant')).toHaveValue(tenant.id);
  await expect(operation).toContainText(`in the company ${tenant.name}`);
  const body = {
    first_name: 'Grace',
    last_name: 'Hopper',
    emails: [{ address: 'g@example.com', label: 'work' }],
  };
  await operation.getByLabel('Body (JSON)').fill(JSON.stringify(body));
  await operation.getByRole('button', { name: 'Send' }).press('Enter');
  await expect(operation.getByText('The server answered with status 201.')).toBeVisible();
  await expect(operation.getByRole('figure', { name: 'What came back' })).toContainText('"Grace"');
  await operation.getByLabel('Body (JSON)').fill('{');
  await operation.getByRole('button', { name: 'Send' }).click();
  await expect(operation.getByText('The server answered with status 400.')).toBeVisible();
  // The browser reports the answer that was asked for as an error of its own.
  expect(complaints.filter((text) => !text.includes('400'))).toEqual([]);
});

for (const colorScheme of ['light', 'dark'] as const) {
  test(`the page of the interface is accessible and fits in ${colorScheme}`, async ({ page, request }) => {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    const tenant = await makeTenant(request, `Interface look ${colorScheme} ${Date.now()}`);
    await page.goto(`/t/${tenant.slug}/api`);
    await page.getByRole('searchbox', { name: 'Search operations' }).fill('accounts_create');
    await page.locator('summary').click();
    await expect(page.getByTestId('accounts_create')).toBeVisible();
    for (const width of [360, 768, 1440]) {
      await page.setViewportSize({ width, height: 900 });
      const path = `${environment.folder}/screens/interface-${width}-${colorScheme}.png`;
      await page.screenshot({ path, fullPage: true, animations: 'disabled' });
      expect(await sticksOut(page)).toBe(0);
    }
    const { violations } = await new AxeBuilder({ page }).analyze();
    expect(violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`)).toEqual([]);
  });
}

test('the page of the interface speaks German', async ({ page, request }) => {
  const tenant = await makeTenant(request, `Schnittstelle ${Date.now()}`);
  await page.addInitScript(() => localStorage.setItem('tandem.language', 'de'));
  await page.goto(`/t/${tenant.slug}/api`);
  await expect(page.getByRole('heading', { name: 'HTTP-Schnittstelle' })).toBeVisible();
  await expect(page.locator('summary').first()).toBeVisible();
});

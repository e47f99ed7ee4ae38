/**
 * The audit log: who did what, each field before and after, and the proof that it is whole.
 */
import { AxeBuilder } from '@axe-core/playwright';
import { expect, test } from '@playwright/test';

import { environment } from './environment';
import { sticksOut } from './pages';
import { choose, makeTenant } from './portal';

test('a change is found, read field by field, exported, and the log verified', async ({ page, request }) => {
  const tenant = await makeTenant(request, `Audited ${Date.now()}`);
  const base = `/api/v1/tenants/${tenant.id}/contacts`;
  const contact = {
    first_name: 'Grace',
    last_name: 'Hopper',
    emails: [{ address: 'grace@example.com', label: 'work' }],
  };
  const made = (await (await request.post(base, { data: contact })).json()) as { id: string };
  const changed = await request.put(`${base}/${made.id}`, { data: { ...contact, company: 'Navy' } });
  expect(changed.ok()).toBe(true);

  await page.goto(`/t/${tenant.slug}`);
  await page.getByRole('link', { name: 'Audit log' }).click();
  const entries = page.getByRole('list', { name: 'Audit log' }).getByRole('listitem');
  await expect(entries.first()).toContainText('Contact · changed');
  await entries.first().locator('summary').focus();
  await page.keyboard.press('Enter');
  const changes = page.getByRole('table', { name: 'Changes of Grace Hopper' });
  await expect(changes.getByRole('row', { name: /Company/ })).toContainText('Navy');
  await expect(changes.getByRole('row')).toHaveCount(2);

  await choose(page, /What/, 'Contact');
  await expect(page).toHaveURL(/what=contact/);
  await expect(entries).toHaveCount(2);
  await page.getByRole('button', { name: 'History of this' }).first().click();
  await expect(page).toHaveURL(new RegExp(`object=${made.id}`));
  await page.getByLabel(/^Who/).fill('nobody@example.com');
  await expect(page.getByText('No entry fits')).toBeVisible();
  await page.getByRole('button', { name: 'Clear filters' }).click();
  await expect(entries.first()).toBeVisible();

  await page.getByRole('button', { name: 'Verify' }).click();
  const dialog = page.getByRole('dialog', { name: 'Is the log whole?' });
  await expect(dialog).toContainText(/The log is whole: all \d+ entries fit together/);
  expect((await new AxeBuilder({ page }).analyze()).violations).toEqual([]);
  await page.keyboard.press('Escape');
  await expect(dialog).toHaveCount(0);

  const address = await page.getByRole('link', { name: 'Export' }).getAttribute('href');
  const exported = await request.get(address ?? '');
  expect(exported.headers()['content-type']).toContain('text/csv');
  expect(await exported.text()).toContain(',Grace Hopper,');
});

for (const colorScheme of ['light', 'dark'] as const) {
  test(`an open entry is accessible and fits in ${colorScheme}`, async ({ page, request }) => {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    const tenant = await makeTenant(request, `Audit look ${colorScheme} ${Date.now()}`);
    await page.goto(`/t/${tenant.slug}/audit`);
    await page.locator('summary').first().click();
    for (const width of [360, 768, 1440]) {
      await page.setViewportSize({ width, height: 900 });
      const path = `${environment.folder}/screens/audit-open-${width}-${colorScheme}.png`;
      await page.screenshot({ path, fullPage: true, animations: 'disabled' });
      expect(await sticksOut(page)).toBe(0);
    }
    const { violations } = await new AxeBuilder({ page }).analyze();
    expect(violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`)).toEqual([]);
  });
}

test('the log speaks German', async ({ page, request }) => {
  const tenant = await makeTenant(request, `Protokoll ${Date.now()}`);
  await page.addInitScript(() => localStorage.setItem('tandem.language', 'de'));
  await page.goto(`/t/${tenant.slug}/audit`);
  await expect(page.getByRole('heading', { name: 'Protokoll', level: 1 })).toBeVisible();
  await expect(page.getByText('Firma · angelegt')).toBeVisible();
});

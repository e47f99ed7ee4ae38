/**
 * A desk phone: set up on the device's page, told its address once, and shown when it has fetched its settings.
 */
import { AxeBuilder } from '@axe-core/playwright';
import { expect, test } from '@playwright/test';

import { environment } from './environment';
import { choose, firstTenant, makeDevice } from './portal';

test('a desk phone is set up, fetches its settings, and is reset to a softphone', async ({
  page,
  request,
}) => {
  const tenant = await firstTenant(request);
  const { device } = await makeDevice(request, tenant, `Desk ${Date.now() % 100_000}`);
  await page.goto(`/t/${tenant.slug}/devices/${device.id}`);
  await expect(page.getByTestId('activation-code')).toBeVisible();

  await page.getByRole('button', { name: 'Set up a desk phone' }).click();
  const dialog = page.getByRole('dialog', { name: /as a desk phone/ });
  await expect(dialog).toContainText('Link and code of this device stop working.');
  await choose(page, /Yealink Make/, 'Snom');
  await dialog.getByRole('button', { name: 'Make the address' }).click();
  await expect(dialog).toContainText('This is told once.');
  await expect(dialog).toContainText('Enter the address as Setting URL');
  const address = (await dialog.getByRole('figure').locator('code').textContent()) ?? '';
  expect(address).toMatch(/\/desk\/[\w-]{43}\/$/);
  for (const [width, name] of [
    [360, 'narrow'],
    [1440, 'wide'],
  ] as const) {
    await page.setViewportSize({ width, height: 900 });
    const { violations } = await new AxeBuilder({ page }).include('[role=dialog]').analyze();
    expect(violations).toEqual([]);
    await page.screenshot({ path: `${environment.folder}/screens/desk-phone-told-${name}.png` });
  }
  await dialog.getByRole('button', { name: 'I have entered it' }).click();

  const state = page.getByTestId('desk-phone');
  await expect(state).toContainText('The phone has not fetched its settings yet');
  await expect(page.getByTestId('activation-code')).toBeHidden();
  expect(await page.content()).not.toContain(address);

  const fetched = await request.get(address, { headers: { 'User-Agent': 'snomD785-SIP 10.1.175.16' } });
  expect(await fetched.text()).toContain('<user_pass idx="1"');
  await expect(state).toContainText('The phone has its settings');
  await expect(page.getByText('snomD785-SIP 10.1.175.16')).toBeVisible();
  for (const [width, name] of [
    [360, 'narrow'],
    [1440, 'wide'],
  ] as const) {
    await page.setViewportSize({ width, height: 900 });
    await page.screenshot({ path: `${environment.folder}/screens/desk-phone-${name}.png`, fullPage: true });
  }

  await page.getByRole('button', { name: 'Reset' }).click();
  const confirm = page.getByRole('alertdialog').or(page.getByRole('dialog'));
  await expect(confirm).toContainText('Its address ends at once');
  await confirm.getByRole('button', { name: 'Reset' }).click();
  await expect(page.getByTestId('activation-code')).toBeVisible();
  expect((await request.get(address)).status()).toBe(404);
});

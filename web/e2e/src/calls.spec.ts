/**
 * Calls: they appear by themselves, are found again, say what became of them, and go when they are erased.
 */
import { readFile } from 'node:fs/promises';

import { AxeBuilder } from '@axe-core/playwright';
import { expect, test, type APIRequestContext } from '@playwright/test';

import { environment } from './environment';
import { Phone } from './phone';
import { confirmPerson, firstTenant, makeDevice, type Made, type Tenant } from './portal';

/** A running phone, registered for the account of a fresh device. */
async function phoneOf(api: APIRequestContext, tenant: Tenant, name: string, origin: string) {
  const made = await makeDevice(api, tenant, name);
  const base = `/api/v1/tenants/${tenant.id}`;
  const answer = await api.get(`${base}/devices/${made.device.id}/activation`);
  const { code } = (await answer.json()) as { code: string };
  const phone = await Phone.create(`calls-${made.account.username}`);
  await phone.activateByCode(origin, code);
  phone.start();
  await expect
    .poll(async () => {
      const account = await api.get(`${base}/accounts/${made.account.id}`);
      return ((await account.json()) as { status: string }).status;
    })
    .toBe('online');
  return { phone, made };
}

const personOf = (name: string) => `${name} Tester`;
const number = (made: Made) => made.account.username;

test('a call appears by itself, is found again, and can be erased', async ({ page, request, baseURL }) => {
  test.setTimeout(180_000);
  const tenant = await firstTenant(request);
  const origin = new URL(baseURL ?? '').origin;
  const [caller, callee] = [`Carla${Date.now() % 10_000}`, `Dora${Date.now() % 10_000}`];
  const one = await phoneOf(request, tenant, caller, origin);
  const other = await phoneOf(request, tenant, callee, origin);
  try {
    await page.goto(`/t/${tenant.slug}/calls`);
    await expect(page.getByRole('heading', { name: 'Calls', exact: true })).toBeVisible();

    const rows = page.getByRole('row', { name: new RegExp(personOf(caller)) });
    await test.step('calls appear while the page is open', async () => {
      const call = one.phone.command('call', number(other.made), '--wait', 'ended', '--timeout', '30');
      await other.phone.command('status', '--wait', 'ringing', '--timeout', '20');
      await other.phone.command('reject', '--declined');
      await call;
      // The list of an empty tenant has no table yet, and gets one.
      await page.goto(`/t/${tenant.slug}/calls?contact=${one.made.contact.id}`);
      await expect(rows).toHaveCount(1);
      await expect(rows.first()).toContainText('Declined');
      await one.phone.command('call', '1', '--wait', 'ended', '--timeout', '30');
      await expect(rows).toHaveCount(2);
      await expect(rows.first()).toContainText('Failed');
    });

    await test.step('filters narrow the list and stand in the address', async () => {
      await page.getByRole('button', { name: 'Outcome', exact: true }).click();
      await page.getByRole('menuitemcheckbox', { name: 'Declined' }).click();
      await page.keyboard.press('Escape');
      await expect(rows).toHaveCount(1);
      await expect(page).toHaveURL(/outcome=declined/);
      await page.getByRole('searchbox', { name: 'Name or number' }).fill(personOf(callee));
      await expect(page).toHaveURL(/search=/);
      await page.reload();
      await expect(rows).toHaveCount(1);
      await page.getByRole('searchbox', { name: 'Name or number' }).fill('nobody of that name');
      await expect(rows).toHaveCount(0);
      expect((await new AxeBuilder({ page }).analyze()).violations).toEqual([]);
      await page.goto(`/t/${tenant.slug}/calls?search=${number(other.made)}`);
      await expect(rows).toHaveCount(1);
      await page.getByRole('button', { name: 'Days' }).click();
      const period = page.getByRole('dialog', { name: 'Days' });
      await period.getByLabel('First day').fill('2020-01-01');
      await period.getByLabel('Last day').fill('2020-01-02');
      await expect(page.getByText('Nothing matches')).toBeVisible();
      expect((await new AxeBuilder({ page }).analyze()).violations).toEqual([]);
      await page.screenshot({ path: `${environment.folder}/screens/calls-days-1280.png` });
      await period.getByRole('button', { name: 'Today' }).click();
      await page.keyboard.press('Escape');
      await expect(rows).toHaveCount(1);
      await expect(page).toHaveURL(/from=.*&to=/);
    });

    await test.step('the export has the same calls', async () => {
      const download = page.waitForEvent('download');
      await page.getByRole('link', { name: 'Export as CSV' }).click();
      const text = await readFile(await (await download).path(), 'utf8');
      expect(text.charCodeAt(0)).toBe(0xfeff);
      expect(text.trim().split('\n')).toHaveLength(2);
      expect(text).toContain(personOf(callee));
    });

    await test.step('a call says who, when and why', async () => {
      await rows.first().click();
      await expect(page.getByText('The call was declined.').first()).toBeVisible();
      await expect(page.getByRole('link', { name: personOf(callee), exact: true })).toBeVisible();
      await expect(page.getByRole('link', { name: caller, exact: true })).toBeVisible();
      expect((await new AxeBuilder({ page }).analyze()).violations).toEqual([]);
    });

    await test.step('erased it is gone', async () => {
      await page.getByRole('button', { name: 'Delete' }).click();
      await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
      // Leaving at once would take the request back.
      await expect(page).toHaveURL(/\/calls$/);
      await page.goto(`/t/${tenant.slug}/calls?contact=${other.made.contact.id}`);
      await expect(page.getByText('Nothing matches the filters.')).toBeVisible();
    });
  } finally {
    await one.phone.stop();
    await other.phone.stop();
  }
});

test('how long calls are kept is set in days', async ({ page, request }) => {
  await confirmPerson(request);
  const tenant = await firstTenant(request);
  await page.goto(`/t/${tenant.slug}/settings/retention`);
  const days = page.getByLabel('Days that calls are kept');
  await days.fill('5000');
  await page.getByRole('button', { name: 'Save' }).click();
  await expect(page.getByText('Enter a number of days from 0 to 3650.')).toBeVisible();
  await days.fill('90');
  await page.getByRole('button', { name: 'Save' }).click();
  await expect(page.getByText('Retention was saved')).toBeVisible();
  await page.reload();
  await expect(days).toHaveValue('90');
});

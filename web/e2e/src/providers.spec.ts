/**
 * Providers are tried for real, and what firewalls must let through is told.
 */
import { AxeBuilder } from '@axe-core/playwright';
import { expect, test, type APIRequestContext, type Page } from '@playwright/test';

import { environment } from './environment';
import { sticksOut } from './pages';
import { firstTenant, makeDevice, search, type Tenant } from './portal';

interface Provider {
  id: string;
  own: boolean;
}

async function ownProvider(api: APIRequestContext, tenant: Tenant): Promise<Provider> {
  const answer = await api.get(`/api/v1/tenants/${tenant.id}/providers`);
  const { items } = (await answer.json()) as { items: Provider[] };
  const own = items.find((provider) => provider.own);
  if (!own) throw new Error('the tenant has no provider of its own');
  return own;
}

/** Nothing that axe objects to, nothing outside of the window, and a picture to be looked at. */
async function lookAt(page: Page, name: string): Promise<void> {
  for (const width of [360, 1440]) {
    await page.setViewportSize({ width, height: 900 });
    const path = `${environment.folder}/screens/${name}-${width}.png`;
    await page.screenshot({ path, fullPage: true, animations: 'disabled' });
    expect(await sticksOut(page), `${name} at ${width}`).toBe(0);
  }
  const { violations } = await new AxeBuilder({ page }).analyze();
  expect(violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`)).toEqual([]);
}

test('an account of the own provider is tried by keyboard, step by step', async ({ page, request }) => {
  const tenant = await firstTenant(request);
  const name = `Tried ${Date.now() % 1_000_000}`;
  await makeDevice(request, tenant, name);
  const own = await ownProvider(request, tenant);
  await page.goto(`/t/${tenant.slug}/providers/${own.id}`);

  await search(page, 'SIP account', `${name} line`);
  await page.getByRole('button', { name: 'Test', exact: true }).press('Enter');
  await expect(page.getByRole('alert')).toContainText('It works.');
  const steps = page.getByRole('log', { name: 'Steps of the test' });
  await expect(steps.getByRole('listitem').first()).toContainText('Looking up');
  await expect(steps).toContainText('The server asks for the password');
  await expect(steps).toContainText('Registered for');

  await page.getByRole('button', { name: 'SIP messages' }).press('Enter');
  const answer = page.getByText('SIP/2.0 401 Unauthorized').first();
  await expect(answer).toBeVisible();
  await page.locator('summary', { hasText: 'REGISTER sip:' }).nth(1).click();
  await expect(page.getByText('Authorization: Digest ***').first()).toBeVisible();
  await expect(page.getByText('response=')).toHaveCount(0);
  await lookAt(page, 'provider-tried');
});

test('a provider that is not saved is tried with an account that is typed', async ({ page, request }) => {
  const tenant = await firstTenant(request);
  await page.goto(`/t/${tenant.slug}/providers/new`);
  const button = page.getByRole('button', { name: 'Test', exact: true });

  // What is wrong with the form is told beside its fields, before anything is sent.
  await button.click();
  await expect(page.getByLabel('SIP server')).toHaveAttribute('aria-invalid', 'true');
  await page.getByLabel('SIP server').fill('10.255.255.1');
  await button.click();
  await expect(page.getByLabel('SIP username')).toHaveAttribute('aria-invalid', 'true');
  await page.getByLabel('SIP username').fill('1001');
  await page.getByLabel(/^Password/).fill('not to be kept');
  await page.getByLabel('SIP username').press('Enter');
  await expect(page.getByRole('alert')).toContainText('This installation does not connect there.');
  await lookAt(page, 'provider-refused');

  await page.getByLabel('SIP server').fill('no-such-host.invalid');
  await button.click();
  await expect(page.getByRole('alert')).toContainText("The server's name was not found.");
});

test('addresses to allow are explained and can be taken along', async ({ page, request }) => {
  const tenant = await firstTenant(request);
  await page.goto(`/t/${tenant.slug}/addresses`);
  const port = new URL(environment.url).port;
  await expect(page.getByRole('heading', { name: 'To this installation' })).toBeVisible();
  await expect(page.getByText(`TCP ${port}`, { exact: true })).toBeVisible();
  await expect(page.getByText('UDP 16384-32767', { exact: true })).toBeVisible();
  // The server of the tests is reached from this machine only, and says so.
  await expect(page.getByText('Phones elsewhere cannot register until')).toBeVisible();
  const table = page.getByRole('figure', { name: 'As CSV' });
  await expect(table).toContainText('For,From,To,Host,Addresses,Protocol,Ports,Encrypted,Needed');
  await expect(table).toContainText(`,TCP,${port},`);
  await expect(page.getByRole('button', { name: 'Copy as CSV' })).toBeVisible();
  await lookAt(page, 'addresses');
});

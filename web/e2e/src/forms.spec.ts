/**
 * Forms: what is wrong is said where it is wrong, and everything can be done without a mouse.
 */
import { expect, test } from '@playwright/test';

import { firstTenant, makeDevice } from './portal';

test('what the server refuses is said beside the field', async ({ page, request }) => {
  const tenant = await firstTenant(request);
  const { account } = await makeDevice(request, tenant, 'Taken');
  await page.goto(`/t/${tenant.slug}/accounts/new`);
  await page.getByLabel('Name', { exact: true }).fill('Another');
  const username = page.getByLabel('SIP username');
  await username.fill(account.username);
  await page.getByRole('button', { name: 'Create' }).click();
  await expect(username).toHaveAttribute('aria-invalid', 'true');
  await expect(username).toBeFocused();
});

test('a form that is not complete is not sent and shows every gap', async ({ page, request }) => {
  const tenant = await firstTenant(request);
  await page.goto(`/t/${tenant.slug}/contacts/new`);
  await page.getByRole('button', { name: 'Create' }).click();
  await expect(page.getByText('Fill this in.')).toHaveCount(3);
  await expect(page.getByLabel('First name')).toBeFocused();
});

test('a change that somebody else overtook is refused and nothing typed is lost', async ({
  page,
  request,
}) => {
  const tenant = await firstTenant(request);
  const { contact } = await makeDevice(request, tenant, 'Overtaken');
  await page.goto(`/t/${tenant.slug}/contacts/${contact.id}`);
  const company = page.getByRole('textbox', { name: 'Company' });
  await company.fill('Mine');
  const path = `/api/v1/tenants/${tenant.id}/contacts/${contact.id}`;
  const emails = [{ address: 'other@example.com', label: 'work' }];
  const data = { first_name: 'Overtaken', last_name: 'Other', emails };
  expect((await request.put(path, { data })).ok()).toBe(true);
  await page.getByRole('button', { name: 'Save' }).click();
  await expect(page.getByRole('alert')).toContainText('Someone else changed this');
  await expect(company).toHaveValue('Mine');
});

test('a device has at most four lines, in an order that the keyboard changes', async ({ page, request }) => {
  const tenant = await firstTenant(request);
  const names = ['One', 'Two', 'Three', 'Four', 'Five'];
  for (const name of names) await makeDevice(request, tenant, name);
  await page.goto(`/t/${tenant.slug}/devices/new`);
  const lines = page.getByRole('list', { name: 'Lines' });
  for (const name of names.slice(0, 4)) {
    await page.getByRole('button', { name: /First line|One more line/ }).press('Enter');
    await page
      .getByRole('option', { name: new RegExp(`^${name} line`) })
      .first()
      .press('Enter');
  }
  await expect(lines.getByRole('listitem')).toHaveCount(4);
  await expect(page.getByRole('button', { name: 'One more line' })).toHaveCount(0);
  await lines.getByRole('button', { name: 'Move Four line up' }).press('Enter');
  await expect(lines.getByRole('listitem').nth(2)).toContainText('Four line');
});

test('lists are searched, and rows open with the keyboard', async ({ page, request }) => {
  const tenant = await firstTenant(request);
  const name = `Findme${Date.now()}`;
  await makeDevice(request, tenant, name);
  await page.goto(`/t/${tenant.slug}/contacts`);
  await page.getByRole('searchbox', { name: 'Search contacts' }).fill(name);
  await expect(page.getByRole('row')).toHaveCount(2);
  await page.getByRole('row', { name }).focus();
  await page.keyboard.press('Enter');
  await expect(page.getByRole('heading', { name: `${name} Tester` })).toBeVisible();

  await page.goto(`/t/${tenant.slug}/contacts`);
  await page.getByRole('searchbox', { name: 'Search contacts' }).fill('nobody is called this');
  await expect(page.getByText('Nothing matches')).toBeVisible();
  await page.getByRole('button', { name: 'Clear the search' }).click();
  await expect(page.getByRole('row', { name })).toBeVisible();
});

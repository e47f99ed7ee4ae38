/**
 * Instructions by mail: sent from the device's page, read in the mailbox, followed to the activation page.
 */
import { AxeBuilder } from '@axe-core/playwright';
import { expect, test } from '@playwright/test';

import { confirmPerson, firstTenant, makeDevice, makeTenant } from './portal';

test('instructions go into the mailbox, and their link leads to the activation page', async ({
  page,
  request,
  context,
}) => {
  const tenant = await firstTenant(request);
  const { device } = await makeDevice(request, tenant, `Mailed ${Date.now() % 100_000}`);
  await page.goto(`/t/${tenant.slug}/devices/${device.id}`);
  const link = (await page.getByTestId('activation-link').textContent()) ?? '';

  await page.getByRole('button', { name: 'Send instructions' }).click();
  const dialog = page.getByRole('dialog', { name: 'Send instructions' });
  await expect(dialog.getByRole('button', { name: /Send to/ })).toContainText('@example.com');
  await dialog.getByRole('button', { name: 'Send instructions' }).click();

  const state = page.getByTestId('instructions');
  await expect(state).toContainText(/The mail to tester\d+@example\.com did not leave/);
  await expect(page.locator('h1 + span').getByText('Instructions kept here')).toBeVisible();
  await expect(page.getByTestId('activation-link')).toBeHidden();
  await expect(page.getByTestId('activation-code')).toBeHidden();
  await expect(page.getByRole('img', { name: /QR code/ })).toHaveCount(0);

  await page.getByRole('link', { name: 'Unsent mail', exact: true }).first().click();
  await expect(page.getByText('No mail in here left this machine.')).toBeVisible();
  await page
    .getByRole('row', { name: /Set up your phone: Mailed/ })
    .first()
    .click();
  const mail = page.frameLocator('iframe');
  await expect(mail.getByRole('heading', { name: 'Your phone is ready to be set up' })).toBeVisible();
  const picture = mail.getByRole('img', { name: 'QR code with the activation link' });
  await expect
    .poll(() => picture.evaluate((image: HTMLImageElement) => image.naturalWidth))
    .toBeGreaterThan(0);
  await page.getByRole('button', { name: 'Text', exact: true }).click();
  await expect(page.getByRole('region', { name: 'Text' })).toContainText(link);
  await page.getByRole('button', { name: 'Source', exact: true }).click();
  await expect(page.getByRole('region', { name: 'Source' })).toContainText('Auto-Submitted: auto-generated');
  await page.getByRole('button', { name: 'As a reader sees it' }).click();

  const opened = context.waitForEvent('page');
  await mail.getByRole('link', { name: 'Activate my phone' }).click();
  const activation = await opened;
  expect(activation.url()).toBe(link);
  await expect(activation.getByRole('heading').first()).toBeVisible();
  await activation.close();

  await page.goto(`/t/${tenant.slug}/devices/${device.id}`);
  await page.getByRole('button', { name: 'Show again' }).click();
  await expect(page.getByTestId('activation-link')).toHaveText(link);
});

test('mail settings are tried, saved and looked at', async ({ page, request }) => {
  await confirmPerson(request);
  const tenant = await firstTenant(request);
  await page.goto(`/t/${tenant.slug}/mail`);
  await expect(page.getByText('No mail leaves this machine')).toBeVisible();

  await page.getByRole('button', { name: 'Send test mail' }).click();
  await expect(page.getByText('The mail lies under “Unsent mail”')).toBeVisible();

  await page.getByText('Own mail server').click();
  await page.getByRole('button', { name: 'Save' }).click();
  await expect(page.getByLabel('Server', { exact: true })).toHaveAttribute('aria-invalid', 'true');
  await page.getByLabel('Server', { exact: true }).fill('10.0.0.1');
  await page.getByLabel('Sender address').fill('phones@example.com');
  await page.getByRole('button', { name: 'Save' }).click();
  await expect(page.getByText('This address is inside a private network.')).toBeVisible();

  await expect(page.getByTestId('preview-subject')).toHaveText('Set up your phone: Laptop');
  await expect(page.frameLocator('iframe').getByText('0000-0000-0000-0000')).toBeVisible();
});

test('what became of each mail is listed, narrowed and opened', async ({ page, request }) => {
  const tenant = await makeTenant(request, `Outgoing ${Date.now()}`);
  const { device, contact } = await makeDevice(request, tenant, 'Grace');
  const base = `/api/v1/tenants/${tenant.id}`;
  const { emails } = (await (await request.get(`${base}/contacts/${contact.id}`)).json()) as {
    emails: { address: string }[];
  };
  const address = emails[0]?.address ?? '';
  const sent = await request.post(`${base}/devices/${device.id}/instructions`, { data: { address } });
  expect(sent.ok(), await sent.text()).toBe(true);
  await expect
    .poll(async () => {
      const { items } = (await (await request.get(`${base}/mails`)).json()) as { items: { state: string }[] };
      return items.map(({ state }) => state);
    })
    .toEqual(['kept']);
  await page.goto(`/t/${tenant.slug}`);
  await page.getByRole('navigation').getByRole('link', { name: 'Outgoing mail' }).click();
  const row = page.getByRole('row', { name: address });
  await expect(row).toContainText('Kept here: no mail server');
  await row.focus();
  await page.keyboard.press('Enter');
  const dialog = page.getByRole('dialog', { name: 'Activation instructions' });
  await expect(dialog).toContainText(address);
  expect((await new AxeBuilder({ page }).analyze()).violations).toEqual([]);
  await page.keyboard.press('Escape');

  await page.getByRole('button', { name: 'State', exact: true }).click();
  await page.getByRole('menuitemcheckbox', { name: 'Not sent' }).click();
  await page.keyboard.press('Escape');
  await expect(page).toHaveURL(/state=failed/);
  await expect(page.getByText('Nothing matches the filters.')).toBeVisible();
  await page.getByRole('button', { name: 'Clear filters' }).click();
  await page.getByRole('searchbox', { name: 'Search recipients' }).fill('tester');
  await expect(row).toBeVisible();
});

for (const colorScheme of ['light', 'dark'] as const) {
  for (const rest of ['mail', 'mails', 'mailbox']) {
    test(`${rest} has nothing that axe objects to in ${colorScheme}`, async ({ page, request }) => {
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      const tenant = await firstTenant(request);
      await page.goto(`/t/${tenant.slug}/${rest}`);
      await expect(page.locator('h1')).toBeVisible();
      // The frame shows a mail to a reader's mail program and runs no scripts, axe's included.
      const { violations } = await new AxeBuilder({ page }).exclude('iframe').analyze();
      expect(violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`)).toEqual([]);
    });
  }
}

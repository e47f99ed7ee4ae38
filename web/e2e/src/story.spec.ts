/**
 * The story that everything else serves: from an empty tenant to a phone that is there.
 */
import { expect, test } from '@playwright/test';

import { environment } from './environment';
import { sticksOut } from './pages';
import { Phone } from './phone';
import { choose, firstTenant, search } from './portal';

test('a phone activated with what the page shows turns online without a reload', async ({
  page,
  request,
}) => {
  const tenant = await firstTenant(request);
  const extension = `2${Date.now() % 1_000_000}`;
  const person = `Nora${extension}`;

  await test.step('create a provider', async () => {
    await page.goto(`/t/${tenant.slug}/providers`);
    await expect(page.getByRole('row', { name: /Tandem/ })).toBeVisible();
    await page.getByRole('link', { name: 'New provider' }).click();
    await page.getByLabel('Name', { exact: true }).fill(`Telco ${extension}`);
    await page.getByLabel('SIP server').fill('sip.example.com');
    await choose(page, 'Protocol', 'TLS');
    await page.getByRole('button', { name: 'Create' }).click();
    await expect(page.getByRole('row', { name: `Telco ${extension}` })).toContainText('sip.example.com');
  });

  await test.step('create an account', async () => {
    await page.goto(`/t/${tenant.slug}/accounts/new`);
    await page.getByLabel('Name', { exact: true }).fill(`Line ${extension}`);
    await page.getByLabel('SIP username').fill(extension);
    await page.getByRole('button', { name: 'Create' }).click();
    await expect(page.getByRole('row', { name: `Line ${extension}` })).toContainText('Not in use');
  });

  await test.step('create a contact', async () => {
    await page.goto(`/t/${tenant.slug}/contacts/new`);
    await page.getByLabel('First name').fill(person);
    await page.getByLabel('Last name').fill('Nordmann');
    await page.getByLabel('E-mail', { exact: true }).fill('nora@example.com');
    await page.getByRole('button', { name: 'Create' }).click();
    await expect(page.getByRole('heading', { name: `${person} Nordmann` })).toBeVisible();
  });

  await test.step('create a device', async () => {
    // The page of a person without a phone offers one with a number of its own; here the line is there already.
    const contact = new URL(page.url()).pathname.split('/').pop();
    await page.goto(`/t/${tenant.slug}/devices/new?contact=${contact}`);
    await expect(page.getByRole('heading', { name: 'New device' })).toBeVisible();
    await page.getByLabel('Name').fill(`Desk ${extension}`);
    await search(page, 'First line', `Line ${extension}`);
    await page.getByRole('button', { name: 'Create' }).click();
    await expect(page.getByRole('heading', { name: `Desk ${extension}` })).toBeVisible();
  });

  const heading = page.locator('main').getByText('Not activated').first();
  const code = page.getByTestId('activation-code');
  const phone = await Phone.create(`story-${extension}`);

  await test.step('the page shows QR code, link and code', async () => {
    await expect(heading).toBeVisible();
    const qr = page.getByRole('img', { name: `QR code with the activation link of Desk ${extension}` });
    await expect(qr).toBeVisible();
    await expect.poll(() => qr.evaluate((image: HTMLImageElement) => image.naturalWidth)).toBeGreaterThan(0);
    await expect(page.getByTestId('activation-link')).toHaveText(/\/activate#[\w-]{16,}$/);
    await expect(code).toHaveText(/^[0-9A-Z]{4}(-[0-9A-Z]{4}){3}$/);
  });

  try {
    const shown = await code.textContent();
    await phone.activateByCode(new URL(page.url()).origin, shown ?? '');

    await test.step('the secrets leave the page as soon as they are used', async () => {
      await expect(page.getByText('This device is activated')).toBeVisible();
      await expect(code).toBeHidden();
    });

    await test.step('until it is started nothing looks as if it had failed', async () => {
      await expect(page.locator('h1 + span')).toHaveText('Activated, not started yet');
      await expect(page.getByText('softphone run')).toBeVisible();
      for (const width of [360, 1440]) {
        await page.setViewportSize({ width, height: 900 });
        const path = `${environment.folder}/screens/device-not-started-${width}.png`;
        await page.screenshot({ path, fullPage: true, animations: 'disabled' });
        expect(await sticksOut(page), `at ${width}`).toBe(0);
      }
    });

    phone.start();
    await expect(page.locator('h1 + span').getByText('Online')).toBeVisible({ timeout: 30_000 });

    await test.step('the lists know it too', async () => {
      await page.getByRole('link', { name: 'Devices', exact: true }).first().click();
      await expect(page.getByRole('row', { name: `Desk ${extension}` })).toContainText('Online');
      await page.getByRole('link', { name: 'SIP accounts', exact: true }).click();
      await expect(page.getByRole('row', { name: `Line ${extension}` })).toContainText('Online');
    });

    await test.step('a phone that is stopped goes offline by itself', async () => {
      await page.getByRole('link', { name: 'Devices', exact: true }).first().click();
      await expect(page.getByRole('row', { name: `Desk ${extension}` })).toContainText('Online');
      await phone.stop();
      await expect(page.getByRole('row', { name: `Desk ${extension}` })).toContainText('Offline');
    });
  } finally {
    await phone.stop();
  }

  await test.step('a reset asks first and gives a new code', async () => {
    await page.getByRole('row', { name: `Desk ${extension}` }).click();
    await page.getByRole('button', { name: 'Reset' }).click();
    const dialog = page.getByRole('dialog', { name: `Reset the activation of Desk ${extension}?` });
    await expect(dialog).toContainText('signed out at once');
    await dialog.getByRole('button', { name: 'Reset' }).click();
    await expect(code).toHaveText(/^[0-9A-Z]{4}(-[0-9A-Z]{4}){3}$/);
    await expect(page.locator('h1 + span').getByText('Not activated')).toBeVisible();
  });

  await test.step('what is in use cannot be deleted, the rest can', async () => {
    await page.getByRole('link', { name: `Line ${extension}` }).click();
    await page.getByRole('button', { name: 'Delete' }).click();
    const dialog = page.getByRole('dialog');
    await expect(dialog).toContainText('Devices use this account');
    await expect(dialog.getByRole('button', { name: 'Delete' })).toHaveCount(0);
    await dialog.getByRole('link', { name: `Desk ${extension}` }).click();
    await page.getByRole('button', { name: 'Delete' }).click();
    await dialog.getByRole('button', { name: 'Delete' }).click();
    await expect(page.getByRole('heading', { name: 'Devices', exact: true })).toBeVisible();
    await expect(page.getByRole('row', { name: `Desk ${extension}` })).toHaveCount(0);
  });
});

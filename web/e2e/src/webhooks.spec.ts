/**
 * A webhook from the empty page to its deliveries: made by keyboard, its secret shown once, tested, sent again, switched off, removed.
 */
import { AxeBuilder } from '@axe-core/playwright';
import { expect, test, type Page } from '@playwright/test';

import { environment } from './environment';
import { sticksOut, watch } from './pages';
import { choose, confirmPerson, makeTenant } from './portal';

async function looksRight(page: Page, name: string) {
  for (const scheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme: scheme });
    for (const width of [360, 1440]) {
      await page.setViewportSize({ width, height: 900 });
      const path = `${environment.folder}/screens/${name}-${width}-${scheme}.png`;
      await page.screenshot({ path, fullPage: true, animations: 'disabled' });
      expect(await sticksOut(page), `${name} at ${width}`).toBe(0);
    }
    // What the library reads out about a button stays for a moment when the button is gone, without its name.
    const { violations } = await new AxeBuilder({ page }).exclude('[data-live-announcer]').analyze();
    expect(violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)])).toEqual([]);
  }
  await page.emulateMedia({ colorScheme: 'light' });
}

test('a webhook is made, tested, replaced and removed', async ({ page, request }) => {
  test.setTimeout(120_000);
  const complaints = watch(page);
  await confirmPerson(request);
  const tenant = await makeTenant(request, `Hooks ${Date.now()}`);
  await page.goto(`/t/${tenant.slug}/webhooks`);
  await expect(page.getByText('No webhooks yet')).toBeVisible();
  await looksRight(page, 'webhooks-empty');

  await test.step('what is wrong stands beside the field', async () => {
    await page.getByRole('link', { name: 'New webhook' }).first().click();
    await page.getByRole('textbox', { name: 'Name' }).fill('Customer database');
    await page.getByRole('textbox', { name: 'Address' }).fill('http://localhost:9/events');
    await page.getByRole('button', { name: 'Create' }).click();
    await expect(page.getByText('Please enter an address that begins with https://.')).toBeVisible();
    await expect(page.getByText('Choose at least one event.')).toBeVisible();
    await looksRight(page, 'webhook-new');
    // Only the server knows where it does not connect to.
    await page.getByRole('textbox', { name: 'Address' }).fill('https://10.1.2.3/events');
    const created = page.getByRole('checkbox', { name: /^Contact created/ });
    await created.focus();
    await page.keyboard.press('Space');
    await expect(created).toBeChecked();
    await page.keyboard.press('Tab');
    await page.keyboard.press('Space');
    await page.getByRole('textbox', { name: 'Address' }).press('Enter');
    await expect(page.getByText(/inside a private network/)).toBeVisible();
  });

  await test.step('the secret is told once', async () => {
    const address = page.getByRole('textbox', { name: 'Address' });
    // Nobody listens there.
    await address.fill('https://localhost:9/events');
    await address.press('Enter');
    await expect(page.getByRole('heading', { name: 'Customer database was made' })).toBeVisible();
    const secret = page.getByRole('figure', { name: 'Secret' });
    await expect(secret).toContainText(/whsec_[A-Za-z0-9+/=]{44}/);
    await looksRight(page, 'webhook-made');
    await page.getByRole('link', { name: 'I have kept it' }).click();
    await expect(page.getByRole('heading', { level: 1, name: 'Customer database' })).toBeVisible();
    await expect(page.getByText('whsec_')).toHaveCount(0);
    await expect(page.getByText('Send a test to see one.')).toBeVisible();
  });

  await test.step('a test that nobody takes is shown as it is', async () => {
    await page.getByRole('button', { name: 'Send a test' }).click();
    await expect(page.getByText('A test is on its way')).toBeVisible();
    // By itself: the page follows what becomes of it.
    await expect(page.getByText('Will be tried again')).toBeVisible();
    await expect(page.getByText('The receiver does not answer.')).toBeVisible();
    await expect(page.getByText(/The receiver has taken nothing since/)).toBeVisible();
    await looksRight(page, 'webhook');
    await page.getByRole('button', { name: 'Details: Test' }).click();
    const dialog = page.getByRole('dialog', { name: 'Test' });
    await expect(dialog.getByRole('figure', { name: 'What is sent' })).toContainText(
      '"type": "webhook.test"',
    );
    await expect(dialog.getByText(/msg_[0-9a-f]{32}/)).toBeVisible();
    await looksRight(page, 'webhook-delivery');
    await dialog.getByRole('button', { name: 'Send again' }).click();
    await expect(page.getByText('It is sent again')).toBeVisible();
    await expect(page.getByRole('button', { name: 'Details: Test' })).toHaveCount(2);
    await choose(page, /Show/, /^Delivered/);
    await expect(page.getByText('Send a test to see one.')).toBeVisible();
  });

  await test.step('the secret is replaced, with a time in which both sign', async () => {
    await page.getByRole('button', { name: 'Replace the secret' }).click();
    const dialog = page.getByRole('dialog', { name: 'Replace the secret' });
    await choose(page, /The one before signs too for/, 'An hour');
    await dialog.getByRole('button', { name: 'Replace the secret' }).click();
    await expect(dialog.getByRole('figure', { name: 'Secret' })).toContainText('whsec_');
    await dialog.getByRole('button', { name: 'I have kept it' }).click();
    await expect(page.getByText(/The secret before signs too until/)).toBeVisible();
  });

  await test.step('switched off it cannot be tested, and its list says so', async () => {
    await page.getByRole('switch', { name: 'On' }).focus();
    await page.keyboard.press('Space');
    await page.getByRole('button', { name: 'Save' }).click();
    await expect(page.getByText('Customer database was saved')).toBeVisible();
    await expect(page.getByRole('button', { name: 'Send a test' })).toHaveCount(0);
    await page.getByRole('link', { name: 'Webhooks' }).first().click();
    const row = page.getByRole('row', { name: /Customer database/ });
    await expect(row).toContainText('Off');
    await looksRight(page, 'webhooks');
  });

  await test.step('in German', async () => {
    await page.evaluate(() => localStorage.setItem('tandem.language', 'de'));
    await page.reload();
    await expect(page.getByRole('heading', { name: 'Webhooks', level: 1 })).toBeVisible();
    await expect(page.getByText('Andere Programme erfahren')).toBeVisible();
    await looksRight(page, 'webhooks-german');
    await page.getByRole('row', { name: /Customer database/ }).click();
    await expect(page.getByRole('heading', { name: 'Zustellungen' })).toBeVisible();
    await looksRight(page, 'webhook-german');
    await page.evaluate(() => localStorage.setItem('tandem.language', 'en'));
    await page.reload();
  });

  await page.getByRole('button', { name: 'Delete' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
  await expect(page.getByText('No webhooks yet')).toBeVisible();
  // What is refused, was changed meanwhile or is gone is an answer that the browser reports as an error.
  const answers = /responded with a status of (404|412|422)/;
  expect(complaints.filter((text) => !answers.test(text))).toEqual([]);
});

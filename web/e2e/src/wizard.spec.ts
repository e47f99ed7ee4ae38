/**
 * A person with a phone in one go: from an empty tenant's overview to the activation page.
 */
import { AxeBuilder } from '@axe-core/playwright';
import { expect, test } from '@playwright/test';

import { environment } from './environment';
import { sticksOut } from './pages';
import { choose, makeTenant } from './portal';

test('the overview leads a newcomer to a phone that is ready to be activated', async ({ page, request }) => {
  const tenant = await makeTenant(request, `Newcomer ${Date.now()}`);
  await page.goto(`/t/${tenant.slug}`);
  await expect(page.getByText('2 of 4 done')).toBeVisible();
  await page.getByRole('link', { name: 'Add a person' }).click();

  await expect(page.getByRole('switch', { name: 'Set up a phone too' })).toBeChecked();
  await expect(page.getByLabel('Extension')).toHaveValue('201');
  await page.getByLabel('First name').fill('Nora');
  await page.getByLabel('Last name').fill('Nordmann');
  await page.getByLabel('E-mail', { exact: true }).fill('nora@example.com');
  await page.getByRole('button', { name: 'Create and set up the phone' }).click();

  await expect(page.getByRole('heading', { name: "Nora's phone" })).toBeVisible();
  await expect(page.getByTestId('activation-link')).toBeVisible();
  await expect(page.getByTestId('activation-code')).toBeVisible();
  await expect(page.getByText('Extension 201')).toBeVisible();
  await expect(page.getByText(/sip:201@/)).toBeVisible();

  await page.getByRole('link', { name: 'Overview' }).first().click();
  await expect(page.getByText('3 of 4 done')).toBeVisible();
  await page.getByRole('link', { name: 'Show instructions' }).click();
  await expect(page.getByRole('heading', { name: "Nora's phone" })).toBeVisible();
});

test('somebody who is there already gets a phone with the next extension', async ({ page, request }) => {
  const tenant = await makeTenant(request, `Known ${Date.now()}`);
  const base = `/api/v1/tenants/${tenant.id}`;
  const data = {
    first_name: 'Dora',
    last_name: 'Dahl',
    emails: [{ address: 'dora@example.com', label: 'work' }],
  };
  const made = await request.post(`${base}/contacts`, { data });
  expect(made.status(), await made.text()).toBe(201);
  const { id } = (await made.json()) as { id: string };
  await page.goto(`/t/${tenant.slug}/contacts/${id}`);
  await page.getByRole('link', { name: 'Set up a phone' }).click();
  await expect(page.getByRole('heading', { name: 'A phone for Dora Dahl' })).toBeVisible();
  await expect(page.getByLabel('Extension')).toHaveValue('201');
  await page.screenshot({ path: `${environment.folder}/screens/contact-phone-1280.png` });
  await page.getByRole('button', { name: 'Set up a phone' }).click();
  await expect(page.getByRole('heading', { name: "Dora's phone" })).toBeVisible();
  await expect(page.getByTestId('activation-link')).toBeVisible();
  const now = (await (await request.get(`${base}/contacts/${id}`)).json()) as { devices: unknown[] };
  expect(now.devices).toHaveLength(1);
  await page.goto(`/t/${tenant.slug}/contacts`);
  await expect(page.getByRole('row', { name: 'Dora Dahl' }).getByText('201', { exact: true })).toBeVisible();
  await page.getByRole('row', { name: 'Dora Dahl' }).click();
  await expect(page.getByText('Extension 201')).toBeVisible();
});

test('the wizard works with the keyboard, takes an account that is free, and says what is wrong by step', async ({
  page,
  request,
}) => {
  const tenant = await makeTenant(request, `Wizard ${Date.now()}`);
  const base = `/api/v1/tenants/${tenant.id}`;
  const providers = (await (await request.get(`${base}/providers`)).json()) as { items: { id: string }[] };
  const account = { provider_id: providers.items[0]?.id, name: 'Front desk', username: '301' };
  expect((await request.post(`${base}/accounts`, { data: account })).status()).toBe(201);

  await page.goto(`/t/${tenant.slug}/contacts/new`);
  const toggle = page.getByRole('switch', { name: 'Set up a phone too' });
  await expect(toggle).not.toBeChecked();
  await toggle.focus();
  await page.keyboard.press('Space');
  await expect(page.getByLabel('Extension')).toHaveValue('302');
  await page.getByLabel('Extension').fill('301');
  await page.getByLabel('First name').focus();
  await page.keyboard.type('Olaf');
  await page.keyboard.press('Tab');
  await page.keyboard.type('Olsen');
  await page.getByLabel('E-mail', { exact: true }).fill('olaf@example.com');
  await page.keyboard.press('Enter');
  await expect(page.getByText('This is taken already.')).toBeVisible();
  await expect(page.getByLabel('Extension')).toBeFocused();

  await page.getByText('One that is free').click();
  await page.getByRole('combobox', { name: 'Account' }).fill('front');
  await page.getByRole('option', { name: /Front desk/ }).click();
  await page.getByLabel('Name', { exact: false }).last().fill('Desk phone');
  await page.getByRole('button', { name: 'Create and set up the phone' }).click();
  await expect(page.getByRole('heading', { name: 'Desk phone' })).toBeVisible();

  const contacts = (await (await request.get(`${base}/contacts`)).json()) as { items: unknown[] };
  expect(contacts.items).toHaveLength(1);

  await page.goto(`/t/${tenant.slug}/contacts/new`);
  await expect(toggle, 'the choice is remembered').toBeChecked();
});

test('an account elsewhere asks for its password, or leaves it to the device', async ({ page, request }) => {
  const tenant = await makeTenant(request, `Telco ${Date.now()}`);
  const telco = { name: 'Telco', server: 'sip.example.com' };
  const made = await request.post(`/api/v1/tenants/${tenant.id}/providers`, { data: telco });
  expect(made.status()).toBe(201);
  await page.goto(`/t/${tenant.slug}/contacts/new?phone=on`);
  await expect(page.getByLabel('Extension')).toHaveValue('201');
  await choose(page, 'Provider', /Telco/);
  await expect(page.getByLabel('SIP username')).toHaveValue('');
  await page.getByLabel('SIP username').fill('4711');
  await page.getByLabel('First name').fill('Nora');
  await page.getByLabel('Last name').fill('Nordmann');
  await page.getByLabel('E-mail', { exact: true }).fill('nora@example.com');
  await page.getByRole('button', { name: 'Create and set up the phone' }).click();
  await expect(page.getByRole('textbox', { name: 'SIP password' })).toHaveAttribute('aria-invalid', 'true');
  await page.getByRole('switch', { name: 'Password is entered on the device' }).focus();
  await page.keyboard.press('Space');
  await page.getByRole('button', { name: 'Create and set up the phone' }).click();
  await expect(page.getByText('sip:4711@sip.example.com')).toBeVisible();
});

for (const colorScheme of ['light', 'dark'] as const) {
  test(`the wizard is accessible and fits in ${colorScheme}`, async ({ page, request }) => {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    const tenant = await makeTenant(request, `Look ${colorScheme} ${Date.now()}`);
    for (const rest of ['', '/contacts/new?phone=on']) {
      await page.goto(`/t/${tenant.slug}${rest}`);
      await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
      await expect(page.getByRole('status', { name: 'Loading…' })).toHaveCount(0);
      for (const width of [360, 768, 1440]) {
        await page.setViewportSize({ width, height: 900 });
        const name = rest === '' ? 'first-run' : 'wizard';
        const path = `${environment.folder}/screens/${name}-${width}-${colorScheme}.png`;
        await page.screenshot({ path, fullPage: true, animations: 'disabled' });
        expect(await sticksOut(page)).toBe(0);
      }
      const { violations } = await new AxeBuilder({ page }).analyze();
      expect(violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`)).toEqual([]);
    }
  });
}

test('the wizard speaks German', async ({ page, request }) => {
  const tenant = await makeTenant(request, `Deutsch ${Date.now()}`);
  await page.addInitScript(() => localStorage.setItem('tandem.language', 'de'));
  await page.goto(`/t/${tenant.slug}/contacts/new?phone=on`);
  await expect(page.getByRole('switch', { name: 'Auch ein Telefon einrichten' })).toBeChecked();
  await expect(page.getByRole('button', { name: 'Anlegen und Telefon einrichten' })).toBeVisible();
});

test('what was made although its answer was lost is not made twice', async ({ page, request }) => {
  const tenant = await makeTenant(request, `Lost ${Date.now()}`);
  await page.goto(`/t/${tenant.slug}/contacts/new?phone=on`);
  await expect(page.getByLabel('Extension')).toHaveValue('201');
  await page.getByLabel('First name').fill('Nora');
  await page.getByLabel('Last name').fill('Nordmann');
  await page.getByLabel('E-mail', { exact: true }).fill('nora@example.com');
  let lost = 0;
  await page.route('**/contacts/equip', async (route) => {
    lost += 1;
    if (lost > 1) return route.continue();
    await route.fetch();
    return route.abort('connectionreset');
  });
  await page.getByRole('button', { name: 'Create and set up the phone' }).click();
  await expect(page.getByText('The server does not answer.')).toBeVisible();
  await page.getByRole('button', { name: 'Create and set up the phone' }).click();
  await expect(page.getByRole('heading', { name: "Nora's phone" })).toBeVisible();
  const base = `/api/v1/tenants/${tenant.id}`;
  const devices = (await (await request.get(`${base}/devices`)).json()) as { items: unknown[] };
  expect(devices.items).toHaveLength(1);
});

/**
 * The pictures of the administrator's guide (docs/guide), taken from the pages as they are: a company is set up as the guide tells it.
 */
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';

import { expect, test, type APIRequestContext, type Page } from '@playwright/test';

import { environment } from './environment';
import { confirmPerson, makeTenant, search, type Tenant } from './portal';

const GUIDE = resolve(import.meta.dirname, '../../../docs/guide/README.md');

const PEOPLE = [
  ['Nora', 'Nordmann', 'Sales'],
  ['Olaf', 'Olsen', 'Workshop'],
  ['Priya', 'Patel', 'Accounting'],
  ['Quentin', 'Quast', 'Management'],
] as const;

const taken = new Set<string>();

async function picture(page: Page, name: string): Promise<void> {
  await expect(page.getByRole('status', { name: 'Loading…' })).toHaveCount(0);
  taken.add(name);
  const path = `${environment.folder}/guide/${name}.png`;
  await page.screenshot({ path, animations: 'disabled', caret: 'hide' });
}

/** Everybody but the first has an account and a device already. */
async function staff(api: APIRequestContext, tenant: Tenant): Promise<void> {
  const base = `/api/v1/tenants/${tenant.id}`;
  const providers = (await (await api.get(`${base}/providers`)).json()) as { items: { id: string }[] };
  for (const [index, [first, last, job]] of PEOPLE.slice(1).entries()) {
    const username = String(202 + index);
    const data = {
      contact: {
        first_name: first,
        last_name: last,
        job_title: job,
        company: 'Example Ltd',
        in_directory: true,
        numbers: [{ number: `+4940555${username}`, label: 'Work' }],
        emails: [{ address: `${first.toLowerCase()}@example.com`, label: 'work' }],
      },
      account: { new: { provider_id: providers.items[0]?.id, name: `${first} ${last}`, username } },
      device: { name: `${first}'s phone` },
    };
    const made = await api.post(`${base}/contacts/equip`, { data });
    expect(made.status(), await made.text()).toBe(201);
  }
}

test('the guide shows what there is', async ({ page, request }) => {
  test.setTimeout(120_000);
  await page.setViewportSize({ width: 1120, height: 760 });
  await page.emulateMedia({ colorScheme: 'light', reducedMotion: 'reduce' });
  await confirmPerson(request);
  const tenant = await makeTenant(request, 'Example Ltd');
  const at = `/t/${tenant.slug}`;

  await test.step('first run', async () => {
    await page.goto(at);
    await expect(page.getByText('2 of 4 done')).toBeVisible();
    await picture(page, 'first-run');
    await page.getByRole('link', { name: 'Add a person' }).click();
    await expect(page.getByLabel('Extension')).toHaveValue('201');
    await page.getByLabel('First name').fill('Nora');
    await page.getByLabel('Last name').fill('Nordmann');
    await page.getByLabel('E-mail', { exact: true }).fill('nora@example.com');
    await picture(page, 'wizard');
    await page.getByRole('button', { name: 'Create and set up the phone' }).click();
    await expect(page.getByTestId('activation-code')).toBeVisible();
    await picture(page, 'activation');
  });

  await staff(request, tenant);
  const shows: [name: string, path: string, text: string | RegExp][] = [
    ['accounts', `${at}/accounts`, 'Priya Patel'],
    ['account', `${at}/accounts/new`, 'New account'],
    ['contacts', `${at}/contacts`, 'Quentin Quast'],
    ['devices', `${at}/devices`, "Olaf's phone"],
    ['mail', `${at}/mail`, /Mail/],
    ['team', `${at}/team`, /Team/],
    ['security', '/security', /Second factor|authenticator/i],
    ['audit', `${at}/audit`, 'Priya Patel'],
    ['sign-on', `${at}/settings/sign-on`, 'Client ID'],
    ['addresses', `${at}/addresses`, 'As CSV'],
    ['api-key', `${at}/api-keys/new`, 'Create key'],
    ['webhook', `${at}/webhooks/new`, 'Create'],
  ];
  for (const [name, path, text] of shows) {
    await test.step(name, async () => {
      await page.goto(path);
      await expect(page.getByText(text).filter({ visible: true }).first()).toBeVisible();
      await picture(page, name);
    });
  }

  await test.step('provider', async () => {
    await page.goto(`${at}/providers`);
    await page.getByRole('row', { name: /Tandem/ }).click();
    await search(page, 'SIP account', 'Priya Patel');
    await page.getByRole('button', { name: 'Test', exact: true }).click();
    await expect(page.getByRole('alert')).toContainText('It works.');
    await page.getByRole('alert').scrollIntoViewIfNeeded();
    await picture(page, 'provider');
  });

  await test.step('import', async () => {
    await page.goto(`${at}/contacts/import`);
    const name = 'staff.csv';
    const lines = [
      'First name,Last name,E-mail',
      'Rosa,Ruiz,rosa@example.com',
      'Priya,Patel,priya@example.com',
      'Sven,,sven',
    ];
    const [chooser] = await Promise.all([
      page.waitForEvent('filechooser'),
      page.getByRole('button', { name: 'Choose a file' }).click(),
    ]);
    await chooser.setFiles({ name, mimeType: 'text/csv', buffer: Buffer.from(lines.join('\r\n')) });
    await page.getByRole('button', { name: 'Check the file' }).click();
    await expect(page.getByRole('button', { name: /Import \d contact/ })).toBeVisible();
    await picture(page, 'import');
  });

  await test.step('palette', async () => {
    await page.goto(at);
    await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
    await page.keyboard.press('Control+k');
    await page.getByRole('dialog').getByRole('searchbox').fill('pri');
    await expect(page.getByRole('option', { name: /Priya Patel/ }).first()).toBeVisible();
    await picture(page, 'palette');
  });

  const guide = await readFile(GUIDE, 'utf8');
  const shown = [...guide.matchAll(/\]\(pictures\/([\w-]+)\.png\)/g)].map(([, name]) => name);
  expect(new Set(shown)).toEqual(taken);
});

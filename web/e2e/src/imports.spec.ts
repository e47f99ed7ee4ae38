/**
 * Contacts in files: from the file over its columns and what it would do to contacts, and back.
 */
import { AxeBuilder } from '@axe-core/playwright';
import { expect, test, type APIRequestContext, type Page } from '@playwright/test';

import { environment } from './environment';
import { sticksOut, watch } from './pages';
import { choose, makeDevice, makeTenant, type Tenant } from './portal';

const FILE = [
  'Vorname;Nachname;Durchwahl;Post',
  'Grace;Hopper;+49 30 1234567;grace@example.com',
  'Jörg;Müller;;joerg@example.com',
  'Ohne;Adresse;+49 30 1234568;',
].join('\r\n');

/** Bytes as many programs still write them. */
function windows1252(text: string): Buffer {
  return Buffer.from(text, 'latin1');
}

/** Two people of an office, the second with this number. */
function office(number: string): Buffer {
  const people = ['Ann;Lee;ann@example.com;030 1234567', `Bob;Low;bob@example.com;${number}`];
  return Buffer.from(['Vorname;Nachname;Post;Telefon', ...people, ''].join('\n'));
}

async function upload(
  request: APIRequestContext,
  tenant: Tenant,
  text: string,
  name: string,
): Promise<string> {
  const answer = await request.post(`/api/v1/tenants/${tenant.id}/contacts/imports?file_name=${name}`, {
    headers: { 'content-type': 'text/csv' },
    data: Buffer.from(text),
  });
  expect(answer.status(), await answer.text()).toBe(201);
  return ((await answer.json()) as { id: string }).id;
}

async function choosing(
  page: Page,
  file: { name: string; buffer: Buffer },
  mimeType = 'text/csv',
): Promise<void> {
  const chooser = page.waitForEvent('filechooser');
  await page.getByRole('button', { name: 'Choose a file' }).click();
  await (await chooser).setFiles({ ...file, mimeType });
}

test('a file is understood, checked, imported and taken back, and one can leave in between', async ({
  page,
  request,
}) => {
  const tenant = await makeTenant(request, `Imported ${Date.now()}`);
  await page.goto(`/t/${tenant.slug}/contacts`);
  await page.getByRole('link', { name: 'Import' }).click();
  await choosing(page, { name: 'leute.csv', buffer: windows1252(FILE) });

  await test.step('encoding and separator are recognised, the columns as far as their headings say', async () => {
    await expect(page.getByRole('heading', { name: 'leute.csv' })).toBeVisible();
    await expect(page.getByText('3 people')).toBeVisible();
    await expect(page.getByRole('button', { name: /Windows-1252.*Encoding/ })).toBeVisible();
    await expect(page.getByRole('button', { name: /First name.*Vorname/ })).toBeVisible();
    await expect(page.getByText('Jörg', { exact: true })).toBeVisible();
    await expect(page.getByText('No column has the e-mail address')).toBeVisible();
    await expect(page.getByRole('button', { name: 'Check the file' })).toBeDisabled();
  });

  await test.step('what is not recognised is said', async () => {
    await choose(page, /Post/, /^E-mail 1$/);
    await choose(page, /Durchwahl/, /^Number 1$/);
    await expect(page.getByText('No column has the e-mail address')).toHaveCount(0);
    await page.getByRole('button', { name: 'Check the file' }).click();
  });

  const counts = page.getByRole('group', { name: 'Show only' });
  const rows = page.getByRole('grid', { name: 'Rows of the file' });
  await test.step('the plan says what each row would do, and what is wrong', async () => {
    await expect(counts.getByRole('button', { name: '2 new contacts' })).toBeVisible();
    await expect(rows.getByRole('row', { name: /Grace Hopper/ })).toContainText('Number');
    await counts.getByRole('button', { name: '1 left out' }).click();
    await expect(page).toHaveURL(/result=refused/);
    await expect(rows.getByRole('row')).toHaveCount(2);
    await expect(rows.getByRole('row').nth(1)).toContainText('Post:');
    await rows.getByRole('row').nth(1).click();
    const dialog = page.getByRole('dialog', { name: 'Ohne Adresse' });
    await expect(dialog).toContainText('Row 3, line 4');
    await page.keyboard.press('Escape');
    await expect(dialog).toHaveCount(0);
  });

  await test.step('the columns can be chosen again', async () => {
    await page.getByRole('link', { name: 'Choose columns again' }).click();
    await expect(page.getByRole('button', { name: /Number 1.*Durchwahl/ })).toBeVisible();
    await choose(page, /Durchwahl/, 'Leave out');
    await page.getByRole('button', { name: 'Check the file' }).click();
    await expect(counts.getByRole('button', { name: '2 new contacts' })).toBeVisible();
    await expect(rows.getByRole('row', { name: /Grace Hopper/ })).not.toContainText('Number');
  });

  await test.step('one comes back to it, and there is no other one', async () => {
    await page.goto(`/t/${tenant.slug}/contacts/import`);
    const history = page.getByRole('grid', { name: 'Imports so far' });
    await expect(history.getByRole('row')).toHaveCount(2);
    await expect(history).toContainText('Checked');
    await history.getByRole('row', { name: 'leute.csv' }).focus();
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: 'Import 2 contacts' }).click();
  });

  await test.step('what came of it is said, and it can be taken back', async () => {
    await expect(page.getByText('2 contacts were made and 0 changed. 1 row was left out.')).toBeVisible();
    const made = (await (await request.get(`/api/v1/tenants/${tenant.id}/contacts`)).json()) as {
      items: { last_name: string }[];
    };
    expect(made.items.map(({ last_name }) => last_name)).toEqual(['Hopper', 'Müller']);
    await page.getByRole('button', { name: 'Take back' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Take back' }).click();
    await expect(page.getByText('The import was taken back')).toBeVisible();
    const left = (await (await request.get(`/api/v1/tenants/${tenant.id}/contacts`)).json()) as {
      items: unknown[];
    };
    expect(left.items).toEqual([]);
  });

  await test.step('the history forgets it', async () => {
    await page.goto(`/t/${tenant.slug}/contacts/import`);
    await page.getByRole('button', { name: 'Delete the import of leute.csv?' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
    await expect(page.getByText('None yet.')).toBeVisible();
  });
});

test('numbers as an office writes them get the code of their country, and a corrected file takes the place of the first', async ({
  page,
  request,
}) => {
  const tenant = await makeTenant(request, `At home ${Date.now()}`);
  await page.goto(`/t/${tenant.slug}/contacts/import`);
  await choosing(page, { name: 'buero.csv', buffer: office('1234567') });
  await choose(page, /Post/, /^E-mail 1$/);

  const samples = page.getByRole('list', { name: 'In the first rows' }).last();
  await test.step('what would be kept of each is shown', async () => {
    await expect(samples).toContainText('030 1234567 → not understood');
    await choose(page, /Numbers without a country code/, 'Germany');
    await expect(samples).toContainText('030 1234567 → +49301234567');
    await expect(samples).toContainText('1234567 → not understood');
    await expect(page.getByRole('button', { name: /E-mail 1.*Post/ })).toBeVisible();
    await page.getByRole('button', { name: 'Check the file' }).click();
  });

  const counts = page.getByRole('group', { name: 'Show only' });
  const rows = page.getByRole('grid', { name: 'Rows of the file' });
  await test.step('the plan has the number with its code, and says what is wrong with the other', async () => {
    await expect(page.getByText('numbers without a country code: Germany')).toBeVisible();
    await expect(rows.getByRole('row', { name: /Ann Lee/ })).toContainText('+49301234567');
    await expect(rows.getByRole('row', { name: /Bob Low/ })).toContainText('with its area code');
  });

  await test.step('the corrected file has the columns and the country of the first', async () => {
    await page.getByRole('link', { name: 'Upload a corrected file' }).click();
    await choosing(page, { name: 'buero.csv', buffer: office('030 1234568') });
    await expect(page.getByRole('button', { name: /E-mail 1.*Post/ })).toBeVisible();
    await expect(samples).toContainText('030 1234568 → +49301234568');
    await page.getByRole('button', { name: 'Check the file' }).click();
    await expect(counts.getByRole('button', { name: '2 new contacts' })).toBeVisible();
  });

  await test.step('it took the place of the first, and the next file begins with its country', async () => {
    await page.goto(`/t/${tenant.slug}/contacts/import`);
    await expect(page.getByRole('grid', { name: 'Imports so far' }).getByRole('row')).toHaveCount(2);
    await choosing(page, { name: 'next.csv', buffer: office('030 1234569') });
    await expect(page.getByRole('button', { name: /Germany.*Numbers without a country code/ })).toBeVisible();
  });
});

test('what is wrong with a file is said, and can be put right', async ({ page, request }) => {
  const tenant = await makeTenant(request, `Refused files ${Date.now()}`);
  await page.goto(`/t/${tenant.slug}/contacts/import`);
  await choosing(page, { name: 'people.xlsx', buffer: Buffer.from('PK') }, 'application/zip');
  await expect(page.getByRole('alert')).toContainText('This kind of file cannot be read here');
  await choosing(page, { name: 'large.csv', buffer: Buffer.alloc(5_000_001, 'x') });
  await expect(page.getByRole('alert')).toContainText('5 MB at most');

  await test.step('a workbook that only calls itself CSV', async () => {
    await choosing(page, { name: 'book.csv', buffer: Buffer.from('PK\u0003\u0004\u0000\u0000email\u0000') });
    await expect(page.getByRole('alert')).toContainText('save the file as CSV');
    await page.getByRole('button', { name: 'Another file' }).click();
  });

  await test.step('an encoding that was recognised wrongly is chosen', async () => {
    // Nothing in it tells UTF-8 from Windows-1252 but the look of one name.
    await choosing(page, {
      name: 'a.csv',
      buffer: Buffer.from('email,first_name,last_name\na@b.example,ZoÃ«,B\n'),
    });
    await expect(page.getByText('ZoÃ«', { exact: true })).toBeVisible();
    await choose(page, /Encoding/, 'Windows-1252');
    await expect(page.getByText('ZoÃ«', { exact: true })).toHaveCount(0);
    await choose(page, /Encoding/, 'UTF-16 (Excel)');
    await expect(page.getByRole('button', { name: 'Check the file' })).toBeDisabled();
    await choose(page, /Encoding/, 'UTF-8');
    await expect(page.getByRole('button', { name: 'Check the file' })).toBeEnabled();
  });

  await test.step('with the wrong separator everything is one column', async () => {
    await choose(page, /Separator/, 'Tab');
    await expect(page.getByRole('button', { name: /email,first_name,last_name/ })).toBeVisible();
    await choose(page, /Separator/, 'Comma ,');
    await expect(page.getByRole('button', { name: /E-mail 1.*email/ })).toBeVisible();
  });
});

test('contacts that change while an import waits make it out of date', async ({ page, request }) => {
  const tenant = await makeTenant(request, `Stale ${Date.now()}`);
  const id = await upload(
    request,
    tenant,
    'email,first_name,last_name\nann@example.com,Ann,Lee\n',
    'ann.csv',
  );
  const data = {
    first_name: 'Ann',
    last_name: 'Li',
    emails: [{ address: 'ann@example.com', label: 'work' }],
  };
  expect((await request.post(`/api/v1/tenants/${tenant.id}/contacts`, { data })).status()).toBe(201);
  await page.goto(`/t/${tenant.slug}/contacts/import/${id}`);
  await page.getByRole('button', { name: 'Import 1 contact' }).click();
  await expect(page.getByText('so nothing was imported')).toBeVisible();
  await expect(page.getByRole('link', { name: 'Upload again' })).toBeVisible();
});

test('ten thousand rows are read while one scrolls, and imported with their progress shown', async ({
  page,
  request,
}) => {
  test.setTimeout(180_000);
  const tenant = await makeTenant(request, `Many rows ${Date.now()}`);
  const lines = Array.from({ length: 10_000 }, (_, at) => `p${at}@example.com,Person,${at}`);
  const id = await upload(request, tenant, `email,first_name,last_name\n${lines.join('\n')}\n`, 'many.csv');
  await page.goto(`/t/${tenant.slug}/contacts/import/${id}`);
  const rows = page.getByRole('grid', { name: 'Rows of the file' });
  await expect(page.getByTestId('table-position')).toHaveText(/^1–\d+ of 10,000$/);
  expect(await rows.getByRole('row').count()).toBeLessThan(60);
  await expect(async () => {
    await rows.evaluate((box) => box.scrollTo(0, box.scrollHeight));
    await expect(rows.getByRole('row', { name: /Person 4\d\d/ }).first()).toBeVisible({ timeout: 500 });
  }).toPass();
  await page.getByRole('button', { name: 'Import 10,000 contacts' }).click();
  await expect(page.getByRole('progressbar', { name: 'Contacts are being imported' })).toBeVisible();
  await expect(page.getByText('10,000 contacts were made')).toBeVisible({ timeout: 120_000 });
});

for (const colorScheme of ['light', 'dark'] as const) {
  test(`each step is accessible and fits in ${colorScheme}`, async ({ page, request }) => {
    test.setTimeout(120_000);
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    const complaints = watch(page);
    const tenant = await makeTenant(request, `Import look ${colorScheme} ${Date.now()}`);
    await makeDevice(request, tenant, 'Grace');
    const look = async (name: string) => {
      for (const width of [360, 768, 1440]) {
        await page.setViewportSize({ width, height: 900 });
        const path = `${environment.folder}/screens/import-${name}-${width}-${colorScheme}.png`;
        await page.screenshot({ path, fullPage: true, animations: 'disabled' });
        expect(await sticksOut(page), `${name} at ${width}`).toBe(0);
      }
      // What the library reads out about a button stays for a moment when the button is gone, without its name.
      const { violations } = await new AxeBuilder({ page }).exclude('[data-live-announcer]').analyze();
      expect(violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)])).toEqual([]);
    };
    const done = await upload(request, tenant, 'email,first_name,last_name\nc@example.com,C,D\n', 'done.csv');
    const committed = await request.post(`/api/v1/tenants/${tenant.id}/contacts/imports/${done}/commit`, {
      data: {},
    });
    expect(committed.status()).toBe(202);
    await page.goto(`/t/${tenant.slug}/contacts/import`);
    await expect(page.getByText('Imported', { exact: true })).toBeVisible();
    await look('file');
    await choosing(page, { name: 'leute.csv', buffer: windows1252(FILE) });
    await expect(page.getByText('3 people')).toBeVisible();
    await choose(page, /Post/, /^E-mail 1$/);
    await choose(page, /Durchwahl/, /^Number 1$/);
    await look('columns');
    await page.getByRole('button', { name: 'Check the file' }).click();
    await expect(page.getByRole('row', { name: /Grace Hopper/ })).toBeVisible();
    await look('plan');
    await page.getByRole('row', { name: /Grace Hopper/ }).click();
    await expect(page.getByRole('dialog')).toBeVisible();
    await look('row');
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'Import 2 contacts' }).click();
    await expect(page.getByText('2 contacts were made')).toBeVisible();
    await look('done');
    expect(complaints).toEqual([]);
  });
}

test.describe('in German', () => {
  test.use({ locale: 'de-DE' });

  test('an import is spoken of in German', async ({ page, request }) => {
    const tenant = await makeTenant(request, `Deutsch ${Date.now()}`);
    await page.goto(`/t/${tenant.slug}/contacts`);
    await page.getByRole('link', { name: 'Importieren' }).click();
    const chooser = page.waitForEvent('filechooser');
    await page.getByRole('button', { name: 'Datei auswählen' }).click();
    await (await chooser).setFiles({ name: 'leute.csv', mimeType: 'text/csv', buffer: windows1252(FILE) });
    await choose(page, /Post/, /^E-Mail 1$/);
    await page.getByRole('button', { name: 'Datei prüfen' }).click();
    await expect(page.getByRole('button', { name: '2 Kontakte importieren' })).toBeVisible();
    await page.screenshot({ path: `${environment.folder}/screens/import-plan-1280-de.png`, fullPage: true });
  });
});

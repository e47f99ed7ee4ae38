/**
 * Lists: what is shown is in the address, long ones are read as one scrolls, and several rows are dealt with at once.
 */
import { AxeBuilder } from '@axe-core/playwright';
import { expect, test, type APIRequestContext } from '@playwright/test';

import { environment } from './environment';
import { firstTenant, makeDevice, makeTenant, type Tenant } from './portal';

/** A tenant with `count` contacts called `Person 000`, `Person 001` and so on. */
async function crowd(request: APIRequestContext, count: number): Promise<Tenant> {
  const tenant = await makeTenant(request, `Crowd ${Date.now()}`);
  for (let index = 0; index < count; index += 1) {
    const number = String(index).padStart(3, '0');
    const emails = [{ address: `person${number}@example.com`, label: 'work' }];
    const data = { first_name: 'Person', last_name: number, emails };
    const answer = await request.post(`/api/v1/tenants/${tenant.id}/contacts`, { data });
    expect(answer.status()).toBe(201);
  }
  return tenant;
}

test('a long list is read while one scrolls, says where one is, and a link leads there', async ({
  page,
  request,
}) => {
  test.setTimeout(120_000);
  const tenant = await crowd(request, 260);
  await page.goto(`/t/${tenant.slug}/contacts`);
  const grid = page.getByRole('grid', { name: 'Contacts' });
  const position = page.getByTestId('table-position');
  await expect(position).toHaveText(/^1–\d+ of 260$/);

  await test.step('only the rows in view are in the page', async () => {
    expect(await grid.getByRole('row').count()).toBeLessThan(60);
  });

  await test.step('scrolling reads on to the last row', async () => {
    await grid.focus();
    await expect(async () => {
      await grid.evaluate((box) => box.scrollTo(0, box.scrollHeight));
      await expect(grid.getByRole('row', { name: 'Person 259' })).toBeVisible({ timeout: 500 });
    }).toPass();
    await expect(position).toHaveText(/^\d+–260 of 260$/);
  });

  await test.step('a reload shows the same place, with a way to the beginning', async () => {
    await expect(page).toHaveURL(/after=.+&row=200/);
    await page.reload();
    await expect(grid.getByRole('row', { name: 'Person 200' })).toBeVisible();
    await expect(position).toHaveText(/^201–\d+ of 260$/);
    await page.getByRole('button', { name: '200 rows come before' }).click();
    await expect(grid.getByRole('row', { name: 'Person 000' })).toBeVisible();
    await expect(page).toHaveURL(/\/contacts$/);
  });

  await test.step('a link to the list leads to its beginning, also from a place in another order', async () => {
    await page.getByRole('columnheader', { name: 'Name' }).click();
    await expect(page).toHaveURL(/sort=/);
    await expect(grid.getByRole('row', { name: /Person/ }).first()).toBeVisible();
    await expect(async () => {
      await grid.evaluate((box) => box.scrollTo(0, box.scrollHeight));
      await expect(page).toHaveURL(/sort=.+&after=.+&row=\d+/, { timeout: 500 });
    }).toPass();
    await page.reload();
    const before = page.getByRole('button', { name: /rows come before/ });
    await expect(before).toBeVisible();
    await page.getByRole('navigation').getByRole('link', { name: 'Contacts' }).click();
    await expect(page).toHaveURL(/\/contacts$/);
    await expect(grid.getByRole('row', { name: 'Person 000' })).toBeVisible();
    await expect(before).toHaveCount(0);
    await page.goBack();
    await expect(before).toBeVisible();
    await page.goForward();
    await expect(grid.getByRole('row', { name: 'Person 000' })).toBeVisible();
  });

  await test.step('all by keyboard: arrows, End, Home, Space, Enter', async () => {
    await grid.getByRole('row', { name: 'Person 000' }).focus();
    await page.keyboard.press('ArrowDown');
    await expect(grid.getByRole('row', { name: 'Person 001' })).toBeFocused();
    await page.keyboard.press('Space');
    await expect(page.getByRole('region', { name: 'Selection' })).toContainText('1 selected');
    await page.keyboard.press('Space');
    await expect(page.getByRole('region', { name: 'Selection' })).toHaveCount(0);
    await page.keyboard.press('ControlOrMeta+End');
    await expect(grid.getByRole('row', { name: 'Person 099' })).toBeFocused();
    await page.keyboard.press('ControlOrMeta+Home');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await expect(page.getByRole('heading', { name: /Person 00[01]/ })).toBeVisible();
  });
});

test('a list is read again when the live channel came late', async ({ page, request }) => {
  const tenant = await makeTenant(request, `Late ${Date.now()}`);
  await makeDevice(request, tenant, 'Early');
  let attempts = 0;
  let open = false;
  await page.routeWebSocket(/\/live$/, (socket) => {
    attempts += 1;
    if (open) socket.connectToServer();
    else void socket.close({ code: 1013 });
  });
  await page.goto(`/t/${tenant.slug}/contacts`);
  await expect(page.getByRole('row', { name: 'Early Tester' })).toBeVisible();
  await expect.poll(() => attempts).toBeGreaterThan(0);
  await makeDevice(request, tenant, 'Late');
  open = true;
  await expect(page.getByRole('row', { name: 'Late Tester' })).toBeVisible();
});

test('a row opens in a tab of its own with the middle button', async ({ page, request, context }) => {
  const tenant = await makeTenant(request, `Beside ${Date.now()}`);
  const { contact } = await makeDevice(request, tenant, 'Grace');
  await page.goto(`/t/${tenant.slug}/contacts`);
  const opened = context.waitForEvent('page');
  await page.getByRole('grid', { name: 'Contacts' }).getByRole('row').nth(1).click({ button: 'middle' });
  const beside = await opened;
  await expect(beside).toHaveURL(new RegExp(`/contacts/${contact.id}$`));
  await expect(page).toHaveURL(/\/contacts$/);
  await beside.close();
});

test('a search is in the address, and a link with it shows the same list', async ({ page, request }) => {
  const tenant = await firstTenant(request);
  const name = `Linked${Date.now()}`;
  await makeDevice(request, tenant, name);
  await page.goto(`/t/${tenant.slug}/contacts`);
  await page.getByRole('searchbox', { name: 'Search contacts' }).fill(name);
  await expect(page).toHaveURL(new RegExp(`/contacts\\?search=${name}$`));
  await expect(page.getByTestId('table-position')).toHaveText('1–1 of 1');
  await page.reload();
  await expect(page.getByRole('searchbox', { name: 'Search contacts' })).toHaveValue(name);
  await expect(page.getByRole('row', { name })).toBeVisible();
});

test('a view is saved under a name, opened and deleted', async ({ page, request }) => {
  const tenant = await firstTenant(request);
  const name = `Viewed${Date.now()}`;
  await makeDevice(request, tenant, name);
  await page.goto(`/t/${tenant.slug}/contacts?search=${name}`);
  await page.getByRole('button', { name: 'Columns' }).click();
  await page.getByRole('menuitemcheckbox', { name: 'E-mail' }).click();
  await page.keyboard.press('Escape');
  await expect(page.getByRole('columnheader', { name: 'E-mail' })).toHaveCount(0);

  await page.getByRole('button', { name: 'Views' }).click();
  await page.getByRole('menuitem', { name: 'Save this view…' }).click();
  const dialog = page.getByRole('dialog', { name: 'Save this view…' });
  await dialog.getByRole('button', { name: 'Save view' }).click();
  await expect(dialog.getByText('Give it a name')).toBeVisible();
  await dialog.getByLabel('Name').fill('Only this one');
  await dialog.getByRole('button', { name: 'Save view' }).click();
  await expect(page.getByRole('button', { name: 'Only this one' })).toBeVisible();

  await page.getByRole('button', { name: 'Columns' }).click();
  await page.getByRole('menuitem', { name: 'Usual columns' }).click();
  await page.getByRole('searchbox', { name: 'Search contacts' }).fill('');
  await expect(page.getByRole('columnheader', { name: 'E-mail' })).toBeVisible();

  await page.reload();
  await page.getByRole('button', { name: 'Views' }).click();
  await page.getByRole('menuitem', { name: 'Only this one' }).click();
  await expect(page).toHaveURL(new RegExp(`search=${name}$`));
  await expect(page.getByRole('columnheader', { name: 'E-mail' })).toHaveCount(0);

  await page.getByRole('button', { name: 'Only this one' }).click();
  await page.getByRole('menuitem', { name: 'Delete “Only this one”' }).click();
  await page.getByRole('button', { name: 'Views' }).click();
  await expect(page.getByRole('menuitem', { name: 'Only this one' })).toHaveCount(0);
});

test('a list is sorted, narrowed and counted by the server, and the view is there in every browser', async ({
  page,
  request,
  browser,
}) => {
  const tenant = await makeTenant(request, `Sorted ${Date.now()}`);
  await makeDevice(request, tenant, 'Anna');
  const zoe = await makeDevice(request, tenant, 'Zoe');
  expect((await request.delete(`/api/v1/tenants/${tenant.id}/devices/${zoe.device.id}`)).ok()).toBe(true);
  await page.goto(`/t/${tenant.slug}/contacts`);
  const rows = page.getByRole('row');
  await expect(rows.nth(1)).toContainText('Anna');
  await expect(page.getByTestId('table-position')).toContainText('2');
  await page.getByRole('columnheader', { name: 'Name' }).click();
  await expect(page).toHaveURL(/sort=name/);
  await page.getByRole('columnheader', { name: 'Name' }).click();
  await expect(page).toHaveURL(/sort=-name/);
  await expect(rows.nth(1)).toContainText('Zoe');

  await page.getByRole('button', { name: 'With a device' }).click();
  await page.getByRole('menuitemcheckbox', { name: 'No', exact: true }).click();
  await page.keyboard.press('Escape');
  await expect(rows).toHaveCount(2);
  await expect(rows.nth(1)).toContainText('Zoe');
  await page.getByRole('button', { name: 'Views' }).click();
  await page.getByRole('menuitem', { name: 'Save this view…' }).click();
  await page.getByRole('dialog').getByLabel('Name').fill('Without');
  await page.getByRole('dialog').getByRole('button', { name: 'Save view' }).click();
  await expect(page.getByRole('button', { name: 'Without' })).toBeVisible();

  const elsewhere = await browser.newPage();
  await elsewhere.goto(`/t/${tenant.slug}/contacts`);
  await elsewhere.getByRole('button', { name: 'Views' }).click();
  await elsewhere.getByRole('menuitem', { name: 'Without' }).click();
  await expect(elsewhere).toHaveURL(/has_device=false/);
  await expect(elsewhere.getByRole('row')).toHaveCount(2);
  await elsewhere.close();
});

test('before something is deleted it is said what would break', async ({ page, request }) => {
  const tenant = await makeTenant(request, `Dependents ${Date.now()}`);
  const { account } = await makeDevice(request, tenant, 'Used');
  await page.goto(`/t/${tenant.slug}/accounts/${account.id}`);
  await page.getByRole('button', { name: 'Delete' }).click();
  const dialog = page.getByRole('dialog');
  await expect(dialog).toContainText('would be without an account');
  await expect(dialog.getByRole('button', { name: 'Delete' })).toHaveCount(0);
  await dialog.getByRole('link', { name: 'Used' }).click();
  await expect(page.getByRole('heading', { name: 'Used', exact: true })).toBeVisible();
});

test('several are deleted at once, and it is said before who stays because of a device', async ({
  page,
  request,
}) => {
  const tenant = await makeTenant(request, `Several ${Date.now()}`);
  const used = await makeDevice(request, tenant, 'Used');
  const free = await makeDevice(request, tenant, 'Free');
  expect((await request.delete(`/api/v1/tenants/${tenant.id}/devices/${free.device.id}`)).ok()).toBe(true);
  await page.goto(`/t/${tenant.slug}/contacts`);
  await page.getByRole('columnheader').first().locator('label').click();
  const bar = page.getByRole('region', { name: 'Selection' });
  await expect(bar).toContainText('2 selected');
  await page.screenshot({ path: `${environment.folder}/screens/list-selected-1280.png` });
  await bar.getByRole('button', { name: 'Delete' }).click();
  const dialog = page.getByRole('dialog', { name: 'Delete 2 contacts?' });
  await expect(dialog).toContainText('Free Tester');
  await expect(dialog).toContainText('1 has a device and stays:');
  await expect(dialog).toContainText('Used Tester (Used)');
  expect((await new AxeBuilder({ page }).analyze()).violations).toEqual([]);
  await page.screenshot({ path: `${environment.folder}/screens/list-delete-1280.png` });
  await dialog.getByRole('button', { name: 'Delete' }).click();
  await expect(dialog.getByRole('alert')).toContainText('1 stayed, because of a device');
  await expect(dialog.getByRole('link', { name: 'Used Tester' })).toBeVisible();
  await dialog.getByRole('button', { name: 'Close' }).click();
  await expect(page.getByRole('row', { name: 'Used Tester' })).toBeVisible();
  await expect(page.getByRole('row', { name: 'Free Tester' })).toHaveCount(0);
  expect((await request.get(`/api/v1/tenants/${tenant.id}/contacts/${used.contact.id}`)).ok()).toBe(true);
});

test('what a search and the filters leave in is hidden and deleted as a whole, beyond what was read', async ({
  page,
  request,
}) => {
  test.setTimeout(120_000);
  const tenant = await crowd(request, 130);
  const base = `/api/v1/tenants/${tenant.id}/contacts`;
  const count = async (query: string) => {
    const answer = (await (await request.get(`${base}?limit=1&total=true&${query}`)).json()) as {
      total: { count: number };
    };
    return answer.total.count;
  };
  const other = {
    first_name: 'Somebody',
    last_name: 'Else',
    emails: [{ address: 'e@example.com', label: 'work' }],
  };
  expect((await request.post(base, { data: other })).status()).toBe(201);
  await makeDevice(request, tenant, 'Person');
  await page.goto(`/t/${tenant.slug}/contacts?search=Person`);
  await page.getByRole('row', { name: 'Person 000' }).locator('label').click();
  const bar = page.getByRole('region', { name: 'Selection' });
  await bar.getByRole('button', { name: 'Select all 131 that match' }).click();
  await expect(bar).toContainText('All 131 that match are selected');

  await bar.getByRole('button', { name: 'Hide from directory' }).click();
  const hide = page.getByRole('dialog', { name: 'Hide 131 contacts from the company directory?' });
  await hide.getByRole('button', { name: 'Hide from directory' }).click();
  await expect(hide).toHaveCount(0);
  expect(await count('in_directory=false')).toBe(131);
  expect(await count('in_directory=true')).toBe(1);

  await page.getByRole('row', { name: 'Person 000' }).locator('label').click();
  await bar.getByRole('button', { name: 'Select all 131 that match' }).click();
  await bar.getByRole('button', { name: 'Delete' }).click();
  const remove = page.getByRole('dialog', { name: 'Delete 131 contacts?' });
  await expect(remove).toContainText('1 has a device and stays:');
  await expect(remove).toContainText('Person Tester (Person)');
  await page.screenshot({ path: `${environment.folder}/screens/list-delete-all-1280.png` });
  await remove.getByRole('button', { name: 'Delete' }).click();
  await expect(remove.getByRole('alert')).toContainText('1 stayed');
  await remove.getByRole('button', { name: 'Close' }).click();
  expect(await count('')).toBe(2);
});

test('accounts that are in use are named before they are deleted', async ({ page, request }) => {
  const tenant = await makeTenant(request, `Used accounts ${Date.now()}`);
  await makeDevice(request, tenant, 'Used');
  await page.goto(`/t/${tenant.slug}/accounts`);
  await page.getByRole('columnheader').first().locator('label').click();
  await page.getByRole('region', { name: 'Selection' }).getByRole('button', { name: 'Delete' }).click();
  const dialog = page.getByRole('dialog', { name: 'Delete 1 item?' });
  await expect(dialog).toContainText('1 is in use and stays:');
  await expect(dialog).toContainText('Used line (Used)');
  await dialog.getByRole('button', { name: 'Delete' }).click();
  await expect(dialog.getByRole('alert')).toContainText('1 could not be deleted');
});

test('the export has what the list shows', async ({ page, request }) => {
  const tenant = await makeTenant(request, `Exported ${Date.now()}`);
  await makeDevice(request, tenant, 'Anna');
  await makeDevice(request, tenant, 'Zoe');
  await page.goto(`/t/${tenant.slug}/contacts?search=Zoe&has_device=true&sort=-name`);
  await expect(page.getByRole('row')).toHaveCount(2);
  const address = await page.getByRole('link', { name: 'Export' }).getAttribute('href');
  const exported = await request.get(address ?? '');
  expect(exported.headers()['content-type']).toContain('text/csv');
  const text = await exported.text();
  expect(text).toContain('Zoe,Tester');
  expect(text).not.toContain('Anna');
});

test('where there is no room each row is a card', async ({ page, request }) => {
  const tenant = await firstTenant(request);
  const name = `Card${Date.now()}`;
  await makeDevice(request, tenant, name);
  await page.setViewportSize({ width: 360, height: 740 });
  await page.goto(`/t/${tenant.slug}/contacts?search=${name}`);
  const card = page.getByRole('row', { name });
  await expect(card).toContainText('E-mail');
  await page.screenshot({ path: `${environment.folder}/screens/list-cards-360.png` });
  await card.click();
  await expect(page.getByRole('heading', { name: `${name} Tester` })).toBeVisible();
});

test('the palette finds people on the server and opens pages, all by keyboard', async ({ page, request }) => {
  const tenant = await firstTenant(request);
  const name = `Palette${Date.now()}`;
  await makeDevice(request, tenant, name);
  await page.goto(`/t/${tenant.slug}`);
  await expect(page.getByRole('button', { name: 'Search and commands' })).toBeVisible();
  await page.keyboard.press('ControlOrMeta+k');
  const palette = page.getByRole('dialog', { name: 'Search and commands' });
  await expect(palette.getByRole('searchbox')).toBeFocused();
  await page.keyboard.type(name);
  await expect(palette.getByRole('option', { name: `${name} Tester` }).first()).toBeVisible();
  await expect(palette.getByRole('option', { name: `${name} line` })).toBeVisible();
  await page.keyboard.press('Enter');
  await expect(page.getByRole('heading', { name: `${name} Tester` })).toBeVisible();

  await page.getByRole('heading', { name: `${name} Tester` }).click();
  await page.keyboard.press('g');
  await page.keyboard.press('d');
  await expect(page.getByRole('heading', { name: 'Devices', level: 1 })).toBeVisible();
});

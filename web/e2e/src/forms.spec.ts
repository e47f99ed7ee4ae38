/**
 * Forms: what is wrong is said where it is wrong, and everything can be done without a mouse.
 */
import { AxeBuilder } from '@axe-core/playwright';
import { expect, test } from '@playwright/test';

import { environment } from './environment';
import { choose, firstTenant, makeDevice, makeTenant, search } from './portal';

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

test('what is wrong with a list as a whole is said below it', async ({ page, request }) => {
  const tenant = await firstTenant(request);
  const { contact } = await makeDevice(request, tenant, 'Twice');
  await page.goto(`/t/${tenant.slug}/contacts/${contact.id}`);
  const numbers = page.getByRole('group', { name: 'Telephone numbers' });
  for (const number of ['+49 30 1234567', '0049 30 1234567']) {
    await numbers.getByRole('button', { name: 'Add number' }).click();
    await numbers.getByRole('textbox', { name: 'Number' }).last().fill(number);
  }
  await page.getByRole('button', { name: 'Save' }).click();
  await expect(numbers.getByRole('alert')).toHaveText('Please give each only once.');
  await numbers.getByRole('button', { name: 'Remove number 2' }).click();
  await page.getByRole('button', { name: 'Save' }).click();
  await expect(page.getByRole('heading', { name: 'Contacts', exact: true })).toBeVisible();
});

test('what is wrong with the lines of a device is said when there is no room for another', async ({
  page,
  request,
}) => {
  const tenant = await makeTenant(request, `Four ${Date.now()}`);
  const { contact } = await makeDevice(request, tenant, 'Owner');
  await page.goto(`/t/${tenant.slug}/devices/new?contact=${contact.id}`);
  await page.getByLabel('Name', { exact: true }).fill('Full');
  const { account, device } = await makeDevice(request, tenant, 'Un');
  for (const name of ['Deux', 'Trois', 'Quatre']) await makeDevice(request, tenant, name);
  for (const name of ['Un', 'Deux', 'Trois', 'Quatre']) {
    await search(page, /First line|One more line/, `${name} line`);
  }
  const base = `/api/v1/tenants/${tenant.id}`;
  expect((await request.delete(`${base}/devices/${device.id}`)).ok()).toBe(true);
  expect((await request.delete(`${base}/accounts/${account.id}`)).ok()).toBe(true);
  await page.getByRole('button', { name: 'Create' }).click();
  await expect(page.getByRole('group', { name: 'Lines' }).getByRole('alert')).toHaveText(
    'This does not exist.',
  );
});

test('whoever has switched push off keeps it off while looking at other providers', async ({
  page,
  request,
}) => {
  const tenant = await makeTenant(request, `Push ${Date.now()}`);
  const data = { name: 'Other', server: 'sip.example.com', transport: 'udp' };
  expect((await request.post(`/api/v1/tenants/${tenant.id}/providers`, { data })).status()).toBe(201);
  await page.goto(`/t/${tenant.slug}/accounts/new`);
  await page.getByRole('button', { name: 'Advanced' }).click();
  const push = page.getByRole('switch', { name: 'Wake devices by push' });
  await expect(push).toBeChecked();
  await page.getByText('Wake devices by push').click();
  await expect(push).not.toBeChecked();
  await choose(page, /Provider/, /Other/);
  await choose(page, /Provider/, /Tandem/);
  await expect(push).not.toBeChecked();
});

test('a form that is not complete is not sent and shows every gap', async ({ page, request }) => {
  const tenant = await firstTenant(request);
  await page.goto(`/t/${tenant.slug}/contacts/new`);
  await page.getByRole('button', { name: 'Create' }).click();
  await expect(page.getByText('Fill this in.')).toHaveCount(3);
  await expect(page.getByLabel('First name')).toBeFocused();
});

test('a change that somebody else overtook is compared field by field, and nothing typed is lost', async ({
  page,
  request,
}) => {
  const tenant = await firstTenant(request);
  const { contact } = await makeDevice(request, tenant, 'Overtaken');
  const path = `/api/v1/tenants/${tenant.id}/contacts/${contact.id}`;
  const before = (await (await request.get(path)).json()) as Record<string, unknown>;
  await page.goto(`/t/${tenant.slug}/contacts/${contact.id}`);
  await page.getByRole('textbox', { name: 'Company' }).fill('Mine');
  await page.getByRole('textbox', { name: 'Job title' }).fill('Painter');
  const { first_name, emails } = before;
  const data = { first_name, last_name: 'Other', company: 'Theirs', emails };
  expect((await request.put(path, { data })).ok()).toBe(true);
  await page.getByRole('button', { name: 'Save' }).click();

  const dialog = page.getByRole('dialog', { name: 'Someone else changed this' });
  const company = dialog.getByRole('radiogroup', { name: 'Company' });
  const lastName = dialog.getByRole('radiogroup', { name: 'Last name' });
  await expect(dialog.getByRole('radiogroup')).toHaveCount(2);
  await expect(company.getByRole('radio', { name: /Yours.*Mine/ })).toBeChecked();
  await expect(lastName.getByRole('radio', { name: /Theirs.*Other/ })).toBeChecked();
  await page.screenshot({ path: `${environment.folder}/screens/conflict-1280.png` });
  expect((await new AxeBuilder({ page }).analyze()).violations).toEqual([]);

  await test.step('one can go back to the form without losing anything', async () => {
    await dialog.getByRole('button', { name: 'Back to the form' }).click();
    await expect(page.getByRole('textbox', { name: 'Company' })).toHaveValue('Mine');
    await expect(page.getByRole('alert')).toContainText('Someone else changed this');
  });

  await test.step('saving again compares again, with what was there when the form was opened', async () => {
    await page.getByRole('button', { name: 'Save' }).click();
    await expect(company.getByRole('radio', { name: /Theirs.*Theirs/ })).toBeVisible();
    await expect(lastName.getByRole('radio', { name: /Theirs.*Other/ })).toBeChecked();
    await dialog.getByRole('button', { name: 'Back to the form' }).click();
    expect(await (await request.get(path)).json()).toMatchObject({ company: 'Theirs', last_name: 'Other' });
  });

  await test.step('what is chosen is saved together with what nobody else touched', async () => {
    expect((await request.put(path, { data: { ...data, company: 'Theirs again' } })).ok()).toBe(true);
    await page.getByRole('button', { name: 'Save' }).click();
    await company.getByText('Theirs', { exact: true }).click();
    await dialog.getByRole('button', { name: 'Save this' }).click();
    await expect(page.getByRole('heading', { name: 'Contacts', exact: true })).toBeVisible();
    expect(await (await request.get(path)).json()).toMatchObject({
      company: 'Theirs again',
      job_title: 'Painter',
      last_name: 'Other',
    });
  });
});

test('a change of other fields by somebody else needs no question', async ({ page, request }) => {
  const tenant = await firstTenant(request);
  const { contact } = await makeDevice(request, tenant, 'Beside');
  const path = `/api/v1/tenants/${tenant.id}/contacts/${contact.id}`;
  const { first_name, last_name, emails } = (await (await request.get(path)).json()) as Record<
    string,
    unknown
  >;
  await page.goto(`/t/${tenant.slug}/contacts/${contact.id}`);
  await page.getByRole('textbox', { name: 'Company' }).fill('Same');
  const data = { first_name, last_name, emails, company: 'Same' };
  expect((await request.put(path, { data })).ok()).toBe(true);
  await page.getByRole('button', { name: 'Save' }).click();
  await expect(page.getByRole('heading', { name: 'Contacts', exact: true })).toBeVisible();
});

test('a changed form is not left by accident', async ({ page, request }) => {
  const tenant = await firstTenant(request);
  await page.goto(`/t/${tenant.slug}/contacts`);
  await page.getByRole('link', { name: 'New contact' }).click();
  await page.getByLabel('First name').fill('Half');
  await page.getByRole('link', { name: 'Devices' }).click();
  const dialog = page.getByRole('dialog', { name: 'Leave without saving?' });
  await dialog.getByRole('button', { name: 'Stay here' }).click();
  await expect(page.getByLabel('First name')).toHaveValue('Half');

  await test.step('back is asked about too', async () => {
    await page.goBack();
    await dialog.getByRole('button', { name: 'Stay here' }).click();
    await expect(page.getByLabel('First name')).toHaveValue('Half');
  });

  await test.step('closing the window asks as browsers do', async () => {
    const asked = page.waitForEvent('dialog');
    await page.close({ runBeforeUnload: true });
    const question = await asked;
    expect(question.type()).toBe('beforeunload');
    await question.dismiss();
  });

  await page.getByRole('link', { name: 'Devices' }).click();
  await dialog.getByRole('button', { name: 'Leave without saving' }).click();
  await expect(page.getByRole('heading', { name: 'Devices', exact: true })).toBeVisible();
});

test('who leaves while it is being saved is asked, hears of a refusal, and is not called back', async ({
  page,
  request,
}) => {
  const tenant = await makeTenant(request, `Leaving ${Date.now()}`);
  const { contact } = await makeDevice(request, tenant, 'Slow');
  const answers: ((status: number) => void)[] = [];
  // A contact has devices too, below its own heading.
  const devices = page.getByRole('heading', { name: 'Devices', level: 1 });
  await page.route(`**/contacts/${contact.id}`, async (route) => {
    if (route.request().method() !== 'PUT') return route.continue();
    const status = await new Promise<number>((resolve) => {
      answers.push(resolve);
    });
    if (status === 200) return route.continue();
    const json = { type: 'about:blank', title: 'Busy', status, detail: 'The server is busy.' };
    return route.fulfill({ status, contentType: 'application/problem+json', json });
  });
  const saveAndLeave = async (company: string) => {
    await page.goto(`/t/${tenant.slug}/contacts/${contact.id}`);
    await page.getByRole('textbox', { name: 'Company' }).fill(company);
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('link', { name: 'Devices', exact: true }).click();
    const dialog = page.getByRole('dialog', { name: 'Leave without saving?' });
    await dialog.getByRole('button', { name: 'Leave without saving' }).click();
    await expect(devices).toBeVisible();
    await expect.poll(() => answers.length).toBe(1);
    return answers.pop();
  };

  const refuse = await saveAndLeave('Refused');
  refuse?.(503);
  await expect(page.getByRole('alertdialog')).toContainText(
    'What you sent before was refused: The server is busy.',
  );

  const take = await saveAndLeave('Taken');
  take?.(200);
  await expect(page.getByRole('alertdialog').filter({ hasText: 'Slow Tester was saved' })).toBeVisible();
  await expect(devices).toBeVisible();
});

test('settings that somebody else changed meanwhile are compared too', async ({ page, request }) => {
  const tenant = await makeTenant(request, `Settings ${Date.now()}`);
  await page.goto(`/t/${tenant.slug}/settings/retention`);
  const days = page.getByLabel('Days that calls are kept');
  await days.fill('30');
  const path = `/api/v1/tenants/${tenant.id}/settings/retention`;
  expect((await request.put(path, { data: { days: 90 } })).ok()).toBe(true);
  await page.getByRole('button', { name: 'Save' }).click();
  const dialog = page.getByRole('dialog', { name: 'Someone else changed this' });
  await expect(dialog).toContainText('90');
  await dialog.getByRole('button', { name: 'Keep all of mine' }).click();
  await dialog.getByRole('button', { name: 'Save this' }).click();
  await expect(dialog).toHaveCount(0);
  await expect.poll(async () => ((await (await request.get(path)).json()) as { days: number }).days).toBe(30);
});

test('what is read anew in the background never replaces what is being typed', async ({ page, request }) => {
  const tenant = await makeTenant(request, `Background ${Date.now()}`);
  const path = `/api/v1/tenants/${tenant.id}/settings/retention`;
  await page.clock.install();
  /** What happens when somebody comes back to a window after a while. */
  const comeBack = async () => {
    const answer = page.waitForResponse((response) => response.url().endsWith(path));
    await page.clock.fastForward(60_000);
    await page.evaluate(() => window.dispatchEvent(new Event('visibilitychange')));
    await (await answer).finished();
  };
  await page.goto(`/t/${tenant.slug}/settings/retention`);
  const days = page.getByLabel('Days that calls are kept');
  await expect(days).not.toHaveValue('');

  await test.step('nothing is typed yet: the new value is shown', async () => {
    expect((await request.put(path, { data: { days: 77 } })).ok()).toBe(true);
    await comeBack();
    await expect(days).toHaveValue('77');
  });

  await test.step('something is typed: it stays, and so does the cursor', async () => {
    await days.fill('');
    await days.pressSequentially('12');
    expect((await request.put(path, { data: { days: 90 } })).ok()).toBe(true);
    await comeBack();
    await days.pressSequentially('3');
    await expect(days).toHaveValue('123');
    await expect(days).toBeFocused();
  });

  await test.step('when it is saved both are compared', async () => {
    await page.getByRole('button', { name: 'Save' }).click();
    const dialog = page.getByRole('dialog', { name: 'Someone else changed this' });
    await dialog.getByRole('button', { name: 'Keep all of mine' }).click();
    await dialog.getByRole('button', { name: 'Save this' }).click();
    await expect
      .poll(async () => ((await (await request.get(path)).json()) as { days: number }).days)
      .toBe(123);
  });

  await test.step('what was saved is where one goes on from', async () => {
    const save = page.getByRole('button', { name: 'Save' });
    await expect(save).not.toHaveAttribute('data-pending');
    await days.fill('124');
    await save.click();
    await expect
      .poll(async () => ((await (await request.get(path)).json()) as { days: number }).days)
      .toBe(124);
    await expect(page.getByRole('dialog')).toHaveCount(0);
  });

  await test.step('what is typed while it is being saved stays', async () => {
    let release: (() => void) | undefined;
    const held = new Promise<void>((done) => (release = done));
    await page.route(`**${path}`, async (route) => {
      if (route.request().method() === 'PUT') await held;
      await route.continue();
    });
    const save = page.getByRole('button', { name: 'Save' });
    await expect(save).not.toHaveAttribute('data-pending');
    await days.fill('125');
    await save.click();
    await days.fill('126');
    const saved = page.waitForResponse((answer) => answer.request().method() === 'PUT');
    release?.();
    await (await saved).finished();
    await comeBack();
    await expect(days).toHaveValue('126');
    expect(((await (await request.get(path)).json()) as { days: number }).days).toBe(125);
  });
});

test('Enter takes what was typed, not what was found before', async ({ page, request }) => {
  const tenant = await makeTenant(request, `Entered ${Date.now()}`);
  await makeDevice(request, tenant, 'Anna');
  await makeDevice(request, tenant, 'Zoe');
  let release: (() => void) | undefined;
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  await page.route(/\/contacts\?.*search=Zoe/, async (route) => {
    await held;
    await route.continue();
  });
  await page.goto(`/t/${tenant.slug}/devices/new`);
  const person = page.getByRole('combobox', { name: 'Contact' });
  await person.focus();
  await expect(page.getByRole('option', { name: /Anna Tester/ })).toBeVisible();
  await person.pressSequentially('Zoe');
  await person.press('Enter');
  await expect(person).toHaveValue('Zoe');
  release?.();
  await expect(person).toHaveValue('Zoe Tester');
  await expect(page.getByRole('option')).toHaveCount(0);
});

test('a device is given to somebody else, and it is said what changes on the phone', async ({
  page,
  request,
}) => {
  const tenant = await makeTenant(request, `Moved ${Date.now()}`);
  const { device } = await makeDevice(request, tenant, 'Anna');
  const other = await makeDevice(request, tenant, 'Zoe');
  const contactOf = async () => {
    const answer = await request.get(`/api/v1/tenants/${tenant.id}/devices/${device.id}`);
    return ((await answer.json()) as { contact: { name: string } }).contact.name;
  };

  await test.step('from its row, all by keyboard', async () => {
    await page.goto(`/t/${tenant.slug}/devices`);
    const move = page.getByRole('button', { name: 'Move Anna to somebody else' });
    await page.getByRole('row', { name: 'Anna' }).focus();
    await page.keyboard.press('ArrowLeft');
    await expect(move).toBeFocused();
    // A list that changes by itself leaves whoever uses the keyboard where they are.
    const path = `/api/v1/tenants/${tenant.id}/devices/${other.device.id}`;
    const { contact, accounts } = (await (await request.get(path)).json()) as {
      contact: { id: string };
      accounts: { id: string }[];
    };
    const renamed = { name: 'Renamed', contact_id: contact.id, account_ids: accounts.map(({ id }) => id) };
    expect((await request.put(path, { data: renamed })).ok()).toBe(true);
    await expect(page.getByRole('row', { name: 'Renamed' })).toBeVisible();
    await expect(move).toBeFocused();
    await page.keyboard.press('Enter');
    const dialog = page.getByRole('dialog', { name: 'Move Anna to somebody else' });
    await expect(dialog).toContainText("It is Anna Tester's now.");
    await dialog.getByRole('combobox', { name: 'New person' }).fill('Zoe');
    await page.keyboard.press('Enter');
    await expect(dialog.getByRole('list', { name: 'What changes' })).toContainText(
      "in the company directory their numbers are Zoe Tester's",
    );
    await expect(dialog).toContainText('not activated yet');
    expect((await new AxeBuilder({ page }).analyze()).violations).toEqual([]);
    await page.screenshot({ path: `${environment.folder}/screens/device-move-1280.png` });
    await dialog.getByRole('button', { name: 'Move' }).click();
    await expect(dialog).toHaveCount(0);
    expect(await contactOf()).toBe('Zoe Tester');
  });

  await test.step('in its form', async () => {
    await page.goto(`/t/${tenant.slug}/devices/${device.id}/edit`);
    await search(page, 'Contact', 'Anna');
    await expect(page.getByRole('list', { name: 'What changes' })).toContainText("Anna Tester's");
    await page.screenshot({ path: `${environment.folder}/screens/device-move-form-1280.png` });
    await page.getByRole('button', { name: 'Save' }).click();
    await expect(page.getByRole('heading', { name: 'Anna', level: 1 })).toBeVisible();
    expect(await contactOf()).toBe('Anna Tester');
  });
});

test('a device has at most four lines, in an order that the keyboard changes', async ({ page, request }) => {
  const tenant = await firstTenant(request);
  const names = ['One', 'Two', 'Three', 'Four', 'Five'];
  for (const name of names) await makeDevice(request, tenant, name);
  await page.goto(`/t/${tenant.slug}/devices/new`);
  const lines = page.getByRole('list', { name: 'Lines' });
  for (const name of names.slice(0, 4)) {
    await search(page, /First line|One more line/, `${name} line`);
  }
  await expect(lines.getByRole('listitem')).toHaveCount(4);
  await expect(page.getByRole('combobox', { name: 'One more line' })).toHaveCount(0);
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

test.describe('in German', () => {
  test.use({ locale: 'de-DE' });

  test('what the server refuses is said in German', async ({ page, request }) => {
    const tenant = await firstTenant(request);
    const { account, contact } = await makeDevice(request, tenant, 'Vergeben');
    await page.goto(`/t/${tenant.slug}/accounts/new`);
    await page.getByLabel('Name', { exact: true }).fill('Noch eines');
    await page.getByLabel('SIP-Benutzername').fill(account.username);
    await page.getByRole('button', { name: 'Anlegen' }).click();
    await expect(page.getByText('Das ist schon vergeben.')).toBeVisible();

    await page.goto(`/t/${tenant.slug}/contacts/${contact.id}`);
    const json = {
      type: 'about:blank',
      title: 'Busy',
      status: 503,
      detail: 'The server is busy. Please try again.',
    };
    await page.route(`**/contacts/${contact.id}`, (route) =>
      route.request().method() === 'PUT'
        ? route.fulfill({ status: 503, contentType: 'application/problem+json', json })
        : route.continue(),
    );
    await page.getByRole('textbox', { name: 'Firma' }).fill('Neu');
    await page.getByRole('button', { name: 'Speichern' }).click();
    await expect(page.getByRole('alert')).toHaveText(
      'Der Server ist beschäftigt. Bitte versuchen Sie es noch einmal.',
    );
  });
});

test('a contact shows the caller IDs of their phones, and is taken along as text', async ({
  page,
  request,
}) => {
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  const tenant = await makeTenant(request, `Callers ${Date.now()}`);
  const { account, contact } = await makeDevice(request, tenant, 'Ida');
  await page.goto(`/t/${tenant.slug}/contacts/${contact.id}`);
  const calls = page.locator('section', { hasText: 'When they call' });
  await expect(calls).toContainText(account.username);
  await expect(calls).toContainText('None: no device has an account of another provider.');
  await page.getByRole('button', { name: 'Copy contact as text' }).click();
  await expect(page.getByRole('button', { name: 'Copied' })).toBeVisible();
  const text = await page.evaluate(() => navigator.clipboard.readText());
  expect(text).toContain('Ida Tester');
  expect(text).toContain(`Caller ID inside: ${account.username}`);
});

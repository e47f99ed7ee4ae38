/**
 * Inviting somebody, who accepts and works; another role; a forgotten password; and the links of mails.
 */
import { AxeBuilder } from '@axe-core/playwright';
import { expect, test, type APIRequestContext, type Page } from '@playwright/test';

import { environment, password } from './environment';
import { sticksOut } from './pages';
import { confirmPerson, firstTenant } from './portal';

async function looksRight(page: Page, name: string) {
  for (const width of [360, 1440]) {
    await page.setViewportSize({ width, height: 900 });
    const path = `${environment.folder}/screens/${name}-${width}.png`;
    await page.screenshot({ path, fullPage: true, animations: 'disabled' });
    expect(await sticksOut(page), `${name} at ${width}`).toBe(0);
  }
  // What the library reads out about a button stays for a moment when the button is gone, without its name.
  const { violations } = await new AxeBuilder({ page }).exclude('[data-live-announcer]').analyze();
  expect(violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)])).toEqual([]);
}

/** The link in the newest mail to somebody with this subject. */
async function linkTo(api: APIRequestContext, address: string, subject: RegExp): Promise<string> {
  let link: string | undefined;
  await expect(async () => {
    const listed = await api.get('/api/v1/mailbox?limit=200');
    const { items } = (await listed.json()) as { items: { id: string; to: string; subject: string }[] };
    const mail = items.find((item) => item.to.includes(address) && subject.test(item.subject));
    const read = await api.get(`/api/v1/mailbox/${mail?.id}`);
    const { text } = (await read.json()) as { text: string };
    link = /https?:\/\/\S+#\S+/.exec(text)?.[0];
    expect(link).toBeDefined();
  }).toPass();
  return link ?? '';
}

test('somebody is invited, comes, forgets the password, and gets another role', async ({
  page,
  request,
  browser,
}) => {
  test.setTimeout(120_000);
  await confirmPerson(request);
  const tenant = await firstTenant(request);
  const address = `grace${Date.now()}@example.com`;
  await page.goto(`/t/${tenant.slug}/team`);
  await expect(page.getByText('The last owner can neither go')).toBeVisible();
  await page.getByRole('button', { name: 'Invite' }).click();
  const dialog = page.getByRole('dialog', { name: 'Invite somebody' });
  await dialog.getByRole('textbox', { name: 'E-mail' }).fill('nonsense');
  await dialog.getByRole('button', { name: 'Invite' }).click();
  await expect(dialog.getByText(/Please enter an e-mail address/)).toBeVisible();
  await dialog.getByRole('textbox', { name: 'E-mail' }).fill(address);
  await dialog.getByRole('radio', { name: /Read-only/ }).check({ force: true });
  await looksRight(page, 'team-invite');
  await dialog.getByRole('button', { name: 'Invite' }).click();
  await expect(dialog).toHaveCount(0);
  const waiting = page.getByRole('list', { name: 'Invitations' }).getByRole('listitem');
  await expect(waiting.filter({ hasText: address })).toContainText('Waiting');
  await looksRight(page, 'team-invited');

  const context = await browser.newContext({ storageState: { cookies: [], origins: [] } });
  const theirs = await context.newPage();
  const told = await test.step('without a mail server the link is told to be passed on, once', async () => {
    const mailed = await linkTo(request, address, /invites you/);
    await page.getByRole('button', { name: `New link for ${address}` }).click();
    const shown = page.getByRole('dialog', { name: `New link for ${address}` });
    const link = shown.getByText(/^http.*\/invitation#/);
    await expect(link).toBeVisible();
    await looksRight(page, 'team-link');
    const text = (await link.textContent()) ?? '';
    await shown.getByRole('button', { name: 'Close' }).click();
    await expect(shown).toHaveCount(0);
    await theirs.goto(mailed);
    await expect(
      theirs.getByRole('heading', { name: 'This invitation does not work any more' }),
    ).toBeVisible();
    return text;
  });
  await test.step('the link leads to an access of their own', async () => {
    await theirs.goto('about:blank');
    await theirs.goto(told);
    await expect(theirs.getByRole('heading', { name: `You are invited to ${tenant.name}` })).toBeVisible();
    await looksRight(theirs, 'invitation');
    await theirs.getByRole('button', { name: 'Accept the invitation' }).click();
    await expect(theirs.getByText('Fill this in.').first()).toBeVisible();
    await theirs.getByRole('textbox', { name: 'First name' }).fill('Grace');
    await theirs.getByRole('textbox', { name: 'Last name' }).fill('Hopper');
    await theirs.getByRole('textbox', { name: 'Password', exact: true }).fill(password);
    await theirs.getByRole('textbox', { name: 'Password again' }).fill(password);
    await theirs.getByRole('button', { name: 'Accept the invitation' }).click();
    await expect(theirs).toHaveURL(new RegExp(`/t/${tenant.slug}$`));
    await expect(theirs.getByText('You may look at everything here but not change it.')).toBeVisible();
  });

  await test.step('a forgotten password is replaced by a mail', async () => {
    await theirs.goto('/sign-in');
    await theirs.getByRole('link', { name: 'Forgot your password?' }).click();
    await theirs.getByRole('textbox', { name: 'E-mail' }).fill(address);
    await theirs.getByRole('button', { name: 'Send the link' }).click();
    await expect(theirs.getByRole('alert')).toContainText(`If ${address} has access here`);
    await looksRight(theirs, 'forgot-password');
    const link = await linkTo(request, address, /Choose a new password/);
    await theirs.goto(link);
    await looksRight(theirs, 'new-password');
    for (const name of ['New password', 'New password again']) {
      await theirs.getByRole('textbox', { name, exact: true }).fill('other words that are long');
    }
    await theirs.getByRole('button', { name: 'Set password' }).click();
    await expect(theirs.getByRole('heading', { name: 'Sign in' })).toBeVisible();
    expect((await theirs.request.get('/api/v1/session')).status()).toBe(401);
    await theirs.goto(link);
    for (const name of ['New password', 'New password again']) {
      await theirs.getByRole('textbox', { name, exact: true }).fill('other words that are long');
    }
    await theirs.getByRole('button', { name: 'Set password' }).click();
    await expect(theirs.getByRole('alert')).toContainText('does not work any more');
  });

  await test.step('another role, and gone', async () => {
    await page.goto(`/t/${tenant.slug}/team`);
    const member = page.getByRole('row').filter({ hasText: address });
    const change = member.getByRole('button', { name: 'Change Grace Hopper' });
    // Into the table, down to the row, and over its cells to the button.
    await page.getByRole('row').nth(1).focus();
    await page.keyboard.press('ControlOrMeta+End');
    for (let cell = 0; cell < 4; cell += 1) await page.keyboard.press('ArrowRight');
    await expect(change).toBeFocused();
    await page.keyboard.press('Enter');
    await page.getByRole('menuitemradio', { name: 'Administrator' }).click();
    await expect(page.getByText('Grace Hopper is Administrator now')).toBeVisible();
    await expect(member).toContainText('Administrator');
    await looksRight(page, 'team-member');
    await change.click();
    await page.getByRole('menuitem', { name: 'Remove' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Remove', exact: true }).click();
    await expect(page.getByText('Grace Hopper was removed')).toBeVisible();
    await expect(member).toHaveCount(0);
  });
  await context.close();
});

test('members are searched and narrowed by their role, and the view is kept', async ({ page, request }) => {
  const tenant = await firstTenant(request);
  const name = `Owners ${Date.now()}`;
  await page.goto(`/t/${tenant.slug}/team`);
  await expect(page.getByRole('row').filter({ hasText: 'You' })).toHaveCount(1);
  await page.getByRole('button', { name: 'Role', exact: true }).click();
  await page.getByRole('menuitemcheckbox', { name: 'Owner' }).click();
  await page.keyboard.press('Escape');
  await expect(page).toHaveURL(/role=owner/);
  await page.getByRole('button', { name: 'Views' }).click();
  await page.getByRole('menuitem', { name: 'Save this view…' }).click();
  await page.getByRole('dialog').getByLabel('Name').fill(name);
  await page.getByRole('dialog').getByRole('button', { name: 'Save view' }).click();
  await page.getByRole('searchbox', { name: 'Search members' }).fill('nobody is called this');
  await expect(page.getByText('Nothing matches')).toBeVisible();
  await page.goto(`/t/${tenant.slug}/team`);
  await page.getByRole('button', { name: 'Views' }).click();
  await page.getByRole('menuitem', { name }).click();
  await expect(page).toHaveURL(/role=owner/);
  await page.getByRole('button', { name }).click();
  await page.getByRole('menuitem', { name: `Delete “${name}”` }).click();
});

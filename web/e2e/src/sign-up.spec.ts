/**
 * Signing up: the form, the mail, and the tenant that is there afterwards.
 */
import { AxeBuilder } from '@axe-core/playwright';
import { expect, test, type APIRequestContext, type Page } from '@playwright/test';

import { environment, password } from './environment';
import { sticksOut, watch } from './pages';

test.use({ storageState: { cookies: [], origins: [] } });

async function looksRight(page: Page, name: string) {
  for (const width of [360, 1440]) {
    await page.setViewportSize({ width, height: 900 });
    const path = `${environment.folder}/screens/${name}-${width}.png`;
    await page.screenshot({ path, fullPage: true, animations: 'disabled' });
    expect(await sticksOut(page), `${name} at ${width}`).toBe(0);
  }
  const { violations } = await new AxeBuilder({ page }).exclude('[data-live-announcer]').analyze();
  expect(violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)])).toEqual([]);
}

/** The text of the newest mail to somebody, from the mailbox of the installation. */
async function mailTo(administrator: APIRequestContext, address: string): Promise<string> {
  let text = '';
  await expect(async () => {
    const listed = await administrator.get('/api/v1/mailbox?limit=200');
    const { items } = (await listed.json()) as { items: { id: string; to: string }[] };
    const mail = items.find((item) => item.to.includes(address));
    const read = await administrator.get(`/api/v1/mailbox/${mail?.id}`);
    ({ text } = (await read.json()) as { text: string });
    expect(text).toBeTruthy();
  }).toPass();
  return text;
}

async function fill(page: Page, address: string) {
  await page.getByRole('textbox', { name: 'First name' }).fill('Nora');
  await page.getByRole('textbox', { name: 'Last name' }).fill('New');
  await page.getByRole('textbox', { name: 'Company' }).fill('Nora & Daughters');
  await page.getByRole('textbox', { name: 'E-mail' }).fill(address);
  await page.getByRole('textbox', { name: 'Phone number' }).fill('+49 30 1234567');
  await page.getByRole('button', { name: /Country/ }).click();
  await page.getByRole('option', { name: 'Germany' }).click();
  await page.getByRole('textbox', { name: 'Password', exact: true }).fill(password);
  await page.getByRole('textbox', { name: 'Password again' }).fill(password);
  await page.getByText('I agree to the terms of use').click({ position: { x: 5, y: 5 } });
  await page.getByText('I agree to the privacy statement').click({ position: { x: 5, y: 5 } });
}

test('somebody signs up, confirms and owns a tenant; the address is told nothing twice', async ({
  page,
  playwright,
  browser,
}) => {
  test.setTimeout(120_000);
  const administrator = await playwright.request.newContext({
    baseURL: environment.url,
    storageState: `${environment.folder}/session.json`,
  });
  const complaints = watch(page);
  const address = `nora${Date.now()}@new.test`;

  await test.step('the form says what is missing, then mails a link', async () => {
    await page.goto('/sign-in');
    await page.getByRole('link', { name: 'Sign up' }).click();
    await page.getByRole('button', { name: 'Sign up' }).click();
    await expect(page.getByText('Agree, to sign up.')).toHaveCount(2);
    await looksRight(page, 'sign-up-missing');
    await fill(page, address);
    await looksRight(page, 'sign-up-filled');
    await page.getByRole('button', { name: 'Sign up' }).click();
    await expect(page.getByText(`We have sent a mail to ${address}`)).toBeVisible();
    await looksRight(page, 'sign-up-mailed');
  });

  await test.step('the link makes the tenant', async () => {
    const link = /https?:\/\/\S+#\S+/.exec(await mailTo(administrator, address))?.[0] ?? '';
    await page.goto(link);
    const chosen = page.getByRole('textbox', { name: 'Password that you chose' });
    const confirm = page.getByRole('button', { name: 'Confirm and go on' });
    await chosen.fill('the password of somebody else');
    await confirm.click();
    await expect(page.getByText('This is not the password that was chosen')).toBeVisible();
    await looksRight(page, 'sign-up-confirm');
    await chosen.fill(password);
    await confirm.click();
    await expect(page).toHaveURL(/\/t\/nora-daughters/);
    await expect(page.getByText('Nora & Daughters').first()).toBeVisible();
    // A refused password is an answer, not an error of the page.
    expect(complaints.filter((text) => !/responded with a status of 422/.test(text))).toEqual([]);
  });

  await test.step('once more with the same address: the same words, another mail', async () => {
    const context = await browser.newContext({
      locale: 'de-DE',
      storageState: { cookies: [], origins: [] },
    });
    const again = await context.newPage();
    await again.goto('/sign-up');
    await expect(again.getByRole('heading', { name: 'Registrieren' })).toBeVisible();
    await looksRight(again, 'sign-up-de');
    await context.close();
    const others = await browser.newContext({ storageState: { cookies: [], origins: [] } });
    const second = await others.newPage();
    await second.goto('/sign-up');
    await fill(second, address);
    await second.getByRole('button', { name: 'Sign up' }).click();
    await expect(second.getByText(`We have sent a mail to ${address}`)).toBeVisible();
    await others.close();
    await expect(async () => {
      expect(await mailTo(administrator, address)).toContain('You have access already');
    }).toPass();
  });
  await administrator.dispose();
});

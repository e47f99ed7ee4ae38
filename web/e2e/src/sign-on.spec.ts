/**
 * Single sign-on with a real provider: set up and tried, signed in through it, refused by it, turned off.
 */
import { AxeBuilder } from '@axe-core/playwright';
import { expect, test, type Page } from '@playwright/test';

import { environment } from './environment';
import { sticksOut, watch } from './pages';
import { choose, confirmPerson, makeTenant } from './portal';
import { CLIENT, DOMAIN, startProvider, type Company } from './provider';

let company: Company;
test.beforeAll(async () => {
  company = await startProvider();
});
test.afterAll(() => {
  company.server.close();
});

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

test('a company signs its people in through its provider', async ({ page, request, browser }) => {
  test.setTimeout(180_000);
  await confirmPerson(request);
  const tenant = await makeTenant(request, `Company ${Date.now()}`);

  await test.step('an owner sets the provider up and tries it', async () => {
    await page.goto(`/t/${tenant.slug}/settings/sign-on`);
    await expect(page.getByText(`${environment.url}/signed-on`)).toBeVisible();
    await page.getByRole('textbox', { name: 'Name' }).fill('Company login');
    await page.getByRole('textbox', { name: 'Issuer' }).fill(`${company.issuer}/`);
    await page.getByRole('textbox', { name: 'Client ID' }).fill(CLIENT.id);
    await page.getByRole('textbox', { name: 'Client secret' }).fill('wrong');
    await page.getByRole('textbox', { name: 'Domains' }).fill(DOMAIN);
    await choose(page, /Who is not in the team yet/, /May look at everything/);
    await page.getByRole('button', { name: 'Try it' }).click();
    await expect(page.getByText('The provider calls itself by another issuer.')).toBeVisible();
    await page.getByRole('textbox', { name: 'Issuer' }).fill(company.issuer);
    await page.getByRole('button', { name: 'Try it' }).click();
    await expect(page.getByText('The provider does not know this client')).toBeVisible();
    await looksRight(page, 'sign-on-settings-wrong');
    await page.getByRole('textbox', { name: 'Client secret' }).fill(CLIENT.secret);
    await page.getByRole('button', { name: 'Try it' }).click();
    await expect(page.getByText('All is well.')).toBeVisible();
    await page.getByRole('button', { name: 'Save' }).click();
    await expect(page.getByText(`${environment.url}/sign-on/${tenant.slug}`)).toBeVisible();
    await expect(page.getByText('A secret is stored.')).toBeVisible();
    await looksRight(page, 'sign-on-settings');
  });

  const context = await browser.newContext({ storageState: { cookies: [], origins: [] } });
  const theirs = await context.newPage();
  await test.step('somebody new comes by the domain of their address', async () => {
    await theirs.goto('/sign-in');
    await theirs.getByRole('link', { name: 'Single sign-on' }).click();
    await looksRight(theirs, 'sign-on-find');
    await theirs.getByRole('textbox', { name: /E-mail, or short name/ }).fill('nora@nowhere.test');
    await theirs.keyboard.press('Enter');
    await expect(theirs.getByText('No provider was found for this.')).toBeVisible();
    await theirs.getByRole('textbox', { name: /E-mail, or short name/ }).fill(`nora@${DOMAIN}`);
    await theirs.keyboard.press('Enter');
    await expect(theirs.getByRole('heading', { name: `Sign in to ${tenant.name}` })).toBeVisible();
    await looksRight(theirs, 'sign-on-offer');
    await theirs.getByRole('button', { name: 'Sign in with Company login' }).click();
    await theirs.locator('input[name=login]').fill('nora');
    await theirs.locator('input[name=password]').fill('anything');
    await theirs.locator('button[type=submit]').click();
    await theirs.getByRole('button', { name: 'Continue' }).click();
    await expect(theirs).toHaveURL(new RegExp(`/t/${tenant.slug}$`));
    await expect(theirs.getByText('You may look at everything here but not change it.')).toBeVisible();
  });

  await test.step('what is about the person elsewhere is left to their password', async () => {
    // Not before: the provider's own pages want fonts from elsewhere.
    const complaints = watch(theirs);
    await theirs.goto('/security');
    await expect(theirs.getByText('You were signed in by Company login')).toBeVisible();
    await expect(theirs.getByText('Second factor')).toHaveCount(1);
    await looksRight(theirs, 'security-by-provider');
    expect(complaints).toEqual([]);
  });

  await test.step('who turns back at the provider is told so, in German', async () => {
    const german = await browser.newContext({
      locale: 'de-DE',
      storageState: { cookies: [], origins: [] },
    });
    const turned = await german.newPage();
    await turned.goto(`/sign-on/${tenant.slug}?next=/security`);
    await turned.getByRole('button', { name: 'Mit Company login anmelden' }).click();
    await turned.getByRole('link', { name: /Cancel/ }).click();
    await expect(turned.getByText('Der Anbieter hat Sie nicht angemeldet.')).toBeVisible();
    await expect(turned).toHaveURL(`${environment.url}/signed-on`);
    await looksRight(turned, 'sign-on-refused-de');
    await german.close();
  });

  await test.step('turned off, whom the provider signed in is out', async () => {
    await page.reload();
    await page.getByRole('button', { name: 'Turn single sign-on off' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Turn single sign-on off' }).click();
    await expect(page.getByText('Single sign-on is off')).toBeVisible();
    await theirs.goto('/');
    await expect(theirs).toHaveURL(/\/sign-in/);
  });
  await context.close();
});

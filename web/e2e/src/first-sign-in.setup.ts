/**
 * The first administrator signs in with the one-time password and has to replace it.
 */
import { expect, test } from '@playwright/test';

import { environment, password, sessionFile } from './environment';

test('a one-time password has to be replaced at the first sign-in', async ({ page }) => {
  await page.goto('/');
  await expect(page.getByRole('heading', { name: 'Sign in' })).toBeVisible();

  await test.step('a wrong password is refused without saying what was wrong', async () => {
    await page.getByLabel('E-mail').fill(environment.email);
    await page.getByRole('textbox', { name: 'Password' }).fill('not the password');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await expect(page.getByRole('alert')).toHaveText('E-mail or password is wrong.');
    await expect(page.getByLabel('E-mail')).toHaveValue(environment.email);
  });

  await page.getByRole('textbox', { name: 'Password' }).fill(environment.oneTimePassword);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await expect(page.getByRole('heading', { name: 'Choose a new password' })).toBeVisible();

  await test.step('no other page opens before', async () => {
    await page.goto('/');
    await expect(page.getByRole('heading', { name: 'Choose a new password' })).toBeVisible();
  });

  await test.step('what is wrong is said beside the field', async () => {
    // It was entered a moment ago.
    await expect(page.getByRole('textbox', { name: 'One-time password' })).toHaveCount(0);
    await page.getByRole('textbox', { name: 'New password', exact: true }).fill('short');
    await page.getByRole('textbox', { name: 'New password again' }).fill('other');
    await page.getByRole('button', { name: 'Set password' }).click();
    await expect(page.getByText('At least 12 characters.', { exact: true })).toBeVisible();
    await expect(page.getByText('The two are not the same.')).toBeVisible();
  });

  await page.getByRole('textbox', { name: 'New password', exact: true }).fill(password);
  await page.getByRole('textbox', { name: 'New password again' }).fill(password);
  await page.getByRole('button', { name: 'Set password' }).click();
  await expect(page).toHaveURL(/\/t\/[a-z0-9-]+$/);
  await page.context().storageState({ path: sessionFile });
});

/**
 * How the tenant sends mail: where mails go now, the settings, a test, and how mails look.
 */
import { readMailSettings, useMailSettings, useSaveMailSettings, type MailSettings } from '@tandem/api';
import { PageHead, Section, toast } from '@tandem/ui';
import { useTranslation } from 'react-i18next';

import { Choose } from '../forms/choose';
import { Fields, Form, PasswordField, TextField, Toggle } from '../forms/form';
import { useSavedForm } from '../forms/saved-form';
import { Absent } from '../pages/absent';
import { useTenant } from '../tenant';
import { formOf, inputOf, LANGUAGES, mailSchema, SECURITIES, SYSTEMS, USUAL_PORT } from './model';
import { Previews } from './previews';
import { Test } from './test';
import { Way } from './way';

export function MailPage() {
  const { t } = useTranslation();
  const { tenant } = useTenant();
  const { data, error, refetch } = useMailSettings(tenant.id);
  return (
    <>
      <PageHead title={t('mail.title')} lead={t('mail.lead')} />
      <Absent data={data} error={error} onRetry={() => void refetch()} />
      {data && (
        <div className="flex max-w-3xl flex-col gap-6">
          <Way settings={data} />
          <Section title={t('mail.settings')}>
            <Settings settings={data} />
          </Section>
          <Test />
          <Previews />
        </div>
      )}
    </>
  );
}

function Settings({ settings }: { settings: MailSettings }) {
  const { t } = useTranslation();
  const { tenant } = useTenant();
  const save = useSaveMailSettings(tenant.id);
  const form = useSavedForm({
    schema: mailSchema,
    values: formOf(settings),
    versioned: {
      version: settings.version,
      read: async () => {
        const now = await readMailSettings(tenant.id);
        return { values: formOf(now), version: now.version };
      },
      fields: {
        own: { label: t('mail.own'), show: (on) => t(on ? 'yes' : 'no') },
        server: {
          label: t('mail.host'),
          show: (server) =>
            [
              server.host,
              server.port,
              t(`mail.security.${server.security}`),
              server.username,
              // It belongs to this server and goes with it.
              server.password !== '' && t('mail.password_typed'),
              server.sender_name,
              server.sender_address,
            ]
              .filter(Boolean)
              .join(' · '),
        },
        reply_to: { label: t('mail.reply_to') },
        language: { label: t('mail.language_title'), show: (id) => t(`mail.language.${id}`) },
        apps: { label: t('mail.apps'), show: (links) => Object.values(links).filter(Boolean).join(', ') },
      },
    },
    save: async (values, version) => {
      await save.mutateAsync({ version, input: inputOf(values) });
      toast.success(t('mail.saved'));
    },
  });
  const own = form.form.watch('own');
  const security = form.form.watch('server.security');
  return (
    <Form {...form} action={t('save')}>
      <Toggle name="own" label={t('mail.own')} description={t('mail.own_help')} />
      {own && (
        <>
          <Fields>
            <TextField
              name="server.host"
              label={t('mail.host')}
              placeholder="smtp.example.com"
              autoComplete="off"
              technical
            />
            <Choose
              name="server.security"
              label={t('mail.security_title')}
              description={t(`mail.security_help.${security}`)}
              choices={SECURITIES.map((id) => ({ id, label: t(`mail.security.${id}`) }))}
            />
            <TextField
              name="server.port"
              label={t('mail.port')}
              placeholder={String(USUAL_PORT[security])}
              inputMode="numeric"
              optional
            />
            <TextField
              name="server.username"
              label={t('mail.username')}
              autoComplete="off"
              technical
              optional
            />
            <PasswordField
              name="server.password"
              label={t('mail.password')}
              description={t(settings.server?.has_password ? 'mail.password_kept' : 'mail.password_help')}
              autoComplete="new-password"
              optional
            />
            <TextField
              name="server.sender_address"
              label={t('mail.sender_address')}
              type="email"
              placeholder="phones@example.com"
              autoComplete="off"
            />
            <TextField
              name="server.sender_name"
              label={t('mail.sender_name')}
              placeholder={tenant.name}
              autoComplete="off"
              optional
            />
          </Fields>
        </>
      )}
      <Fields>
        <TextField
          name="reply_to"
          label={t('mail.reply_to')}
          description={t('mail.reply_to_help')}
          type="email"
          autoComplete="off"
          optional
        />
        <Choose
          name="language"
          label={t('mail.language_title')}
          description={t('mail.language_help')}
          choices={LANGUAGES.map((id) => ({ id, label: t(`mail.language.${id}`) }))}
        />
      </Fields>
      <fieldset className="flex flex-col gap-5">
        <legend className="mb-1 text-sm font-semibold">{t('mail.apps')}</legend>
        <p className="text-xs text-muted">{t('mail.apps_help')}</p>
        <Fields>
          {SYSTEMS.map((system) => (
            <TextField
              key={system}
              name={`apps.${system}`}
              label={t(`mail.system.${system}`)}
              type="url"
              placeholder="https://"
              autoComplete="off"
              technical
              optional
            />
          ))}
        </Fields>
      </fieldset>
    </Form>
  );
}

/**
 * A new key: what it is called, what it may do, until when; and then the key itself, this once.
 */
import { useCreateApiKey, type NewApiKey } from '@tandem/api';
import { ButtonLink, CodeBlock, Notice, PageHead, Section } from '@tandem/ui';
import { useState } from 'react';
import { useFormContext } from 'react-hook-form';
import { useTranslation } from 'react-i18next';

import { Choose } from '../forms/choose';
import { useErrorText } from '../forms/error-text';
import { Fields, Form, TextField } from '../forms/form';
import { useSavedForm } from '../forms/saved-form';
import { LeaveGuard, useKept } from '../forms/leave-guard';
import { usePlace } from '../forms/places';
import { useTenant } from '../tenant';
import { AREAS, inputOf, keySchema, levelsOf, LIVES, newKey, type KeyForm } from './model';

export function NewApiKeyPage() {
  const { t } = useTranslation();
  const { path } = useTenant();
  const [made, setMade] = useState<NewApiKey>();
  return (
    <>
      <PageHead
        title={made ? t('api_keys.made', { name: made.name }) : t('api_keys.new')}
        lead={made ? undefined : t('api_keys.new_lead')}
        up={{ href: path('/api-keys'), label: t('api_keys.title') }}
      />
      <div className="max-w-3xl">{made ? <Made made={made} /> : <NewKey onMade={setMade} />}</div>
    </>
  );
}

function NewKey({ onMade }: { onMade: (made: NewApiKey) => void }) {
  const { t } = useTranslation();
  const { tenant, path } = useTenant();
  const create = useCreateApiKey(tenant.id);
  const form = useSavedForm({
    schema: keySchema,
    values: newKey,
    save: async (values) => onMade(await create.mutateAsync(inputOf(values))),
  });
  const life = form.form.watch('life');
  return (
    <Form {...form} action={t('api_keys.create')} cancel={path('/api-keys')}>
      <div className="card flex flex-col gap-5 p-5 sm:p-6">
        <TextField
          name="name"
          label={t('api_keys.name')}
          description={t('api_keys.name_help')}
          placeholder={t('api_keys.name_example')}
          autoComplete="off"
          autoFocus
        />
        <Fields>
          <Choose
            name="life"
            label={t('api_keys.life_title')}
            description={life === 'never' ? t('api_keys.life_never_help') : undefined}
            choices={LIVES.map((id) => ({ id, label: t(`api_keys.life.${id}`) }))}
          />
          {life === 'own' && (
            <TextField name="days" label={t('api_keys.days')} inputMode="numeric" autoComplete="off" />
          )}
        </Fields>
      </div>
      <Section title={t('api_keys.scopes')} lead={t('api_keys.scopes_lead')}>
        <Scopes />
      </Section>
    </Form>
  );
}

function Scopes() {
  const { t } = useTranslation();
  const { tenant } = useTenant();
  const { formState } = useFormContext<KeyForm>();
  const errorText = useErrorText();
  const wrong = errorText(firstMessage(formState.errors.scopes));
  usePlace('scopes');
  return (
    <div className="flex flex-col gap-5">
      {wrong && (
        <Notice tone="danger" alert>
          {wrong}
        </Notice>
      )}
      <Fields>
        {AREAS.map((area) => (
          <Choose
            key={area}
            name={`scopes.${area}`}
            label={t(`api_keys.area.${area}`)}
            description={t(`api_keys.area_help.${area}`)}
            choices={levelsOf(area, tenant.role).map((id) => ({ id, label: t(`api_keys.level.${id}`) }))}
          />
        ))}
      </Fields>
    </div>
  );
}

/** Of the whole, or of one of its parts, which the server counts. */
function firstMessage(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  if ('message' in error && typeof error.message === 'string') return error.message;
  return Object.values(error).map(firstMessage).find(Boolean);
}

function Made({ made }: { made: NewApiKey }) {
  const { t } = useTranslation();
  const { isKept, onKept } = useKept();
  const { tenant, path } = useTenant();
  const area = made.scopes[0]?.split(':')[0] ?? 'contacts';
  const example = [
    'curl -H "Authorization: Bearer $TANDEM_KEY" \\',
    `  ${window.location.origin}/api/v1/tenants/${tenant.id}/${EXAMPLES[area] ?? area}`,
  ].join('\n');
  return (
    <div className="flex flex-col gap-5">
      <LeaveGuard lost="told" isKept={isKept} />
      <Notice tone="warning" alert>
        {t('api_keys.once')}
      </Notice>
      <CodeBlock label={t('api_keys.key')} copyLabel={t('api_keys.copy')} text={made.key} onCopied={onKept} />
      <CodeBlock label={t('api_keys.example')} copyLabel={t('api_keys.copy_example')} text={example} />
      <div className="flex flex-wrap gap-2">
        <ButtonLink href={path('/api-keys')} onPress={onKept}>
          {t('api_keys.kept_it')}
        </ButtonLink>
        <ButtonLink href={path('/api')} variant="secondary">
          {t('interface.title')}
        </ButtonLink>
      </div>
    </div>
  );
}

/** What can be read with a scope, where it is not called like the scope. */
const EXAMPLES: Partial<Record<string, string>> = {
  activations: 'devices',
  mail: 'mails',
  retention: 'settings/retention',
};

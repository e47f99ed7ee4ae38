/**
 * For how long calls are kept.
 */
import { readRetention, useRetention, useSetRetention, type KnownRetention } from '@tandem/api';
import { PageHead, Section, toast } from '@tandem/ui';
import { useTranslation } from 'react-i18next';
import { z } from 'zod';

import { Form, TextField } from '../forms/form';
import { useSavedForm } from '../forms/saved-form';
import { Absent } from '../pages/absent';
import { useTenant } from '../tenant';

const MAX_DAYS = 3650;

const schema = z.object({
  days: z
    .string()
    .trim()
    .refine((text) => /^\d{1,4}$/.test(text) && Number(text) <= MAX_DAYS, 'invalid.days'),
});

export function RetentionPage() {
  const { t } = useTranslation();
  const { tenant } = useTenant();
  const { data, error, refetch } = useRetention(tenant.id);
  return (
    <>
      <PageHead title={t('retention.title')} lead={t('retention.lead')} />
      {data && <Retention retention={data} />}
      <Absent data={data} error={error} onRetry={() => void refetch()} />
    </>
  );
}

function Retention({ retention }: { retention: KnownRetention }) {
  const { t } = useTranslation();
  const { tenant, mayChange } = useTenant();
  const set = useSetRetention(tenant.id);
  const form = useSavedForm({
    schema,
    values: { days: String(retention.days) },
    versioned: {
      version: retention.version,
      read: async () => {
        const { days, version } = await readRetention(tenant.id);
        return { values: { days: String(days) }, version };
      },
      fields: { days: { label: t('retention.days') } },
    },
    save: async ({ days }, version) => {
      await set.mutateAsync({ days: Number(days), version });
      toast.success(t('saved', { name: t('retention.title') }));
    },
  });
  return (
    <div className="max-w-3xl">
      <Section title={t('retention.calls')}>
        {mayChange ? (
          <Form {...form} action={t('save')}>
            <TextField
              name="days"
              label={t('retention.days')}
              description={t('retention.help')}
              inputMode="numeric"
              autoComplete="off"
            />
          </Form>
        ) : (
          <p>
            {retention.days === 0
              ? t('retention.for_ever')
              : t('retention.for_days', { count: retention.days })}
          </p>
        )}
      </Section>
    </div>
  );
}

/**
 * The form of a webhook: what it is called, where it is told, and of what.
 */
import { Button, Section, Tick } from '@tandem/ui';
import { useTranslation } from 'react-i18next';

import { Form, TextField, Toggle, useField } from '../forms/form';
import type { SavedForm } from '../forms/saved-form';
import { useTenant } from '../tenant';
import { EVENTS, GROUPS, wordOf, type Group, type WebhookForm } from './model';

interface WebhookFieldsProps {
  form: SavedForm<WebhookForm>;
  action: string;
  /** It is all that the page has, so the first field is where one begins. */
  alone?: boolean;
}

export function WebhookFields({ form, action, alone }: WebhookFieldsProps) {
  const { t } = useTranslation();
  const { path } = useTenant();
  return (
    <Form {...form} action={action} cancel={path('/webhooks')}>
      <div className="card flex flex-col gap-5 p-5 sm:p-6">
        <TextField
          name="name"
          label={t('webhooks.name')}
          description={t('webhooks.name_help')}
          autoComplete="off"
          autoFocus={alone ?? false}
        />
        <TextField
          name="url"
          label={t('webhooks.url')}
          description={t('webhooks.url_help')}
          placeholder="https://example.com/events"
          inputMode="url"
          autoComplete="off"
          technical
        />
        <Toggle name="enabled" label={t('webhooks.enabled')} description={t('webhooks.enabled_help')} />
      </div>
      <Section title={t('webhooks.events')} lead={t('webhooks.events_lead')}>
        <Events />
      </Section>
    </Form>
  );
}

function Events() {
  const { t } = useTranslation();
  const { value, onChange, attach, error } = useField('events');
  const chosen = new Set(value as string[]);
  const set = (events: readonly string[], wanted: boolean) => {
    const next = new Set(chosen);
    for (const event of events) {
      if (wanted) next.add(event);
      else next.delete(event);
    }
    onChange(EVENTS.filter((event) => next.has(event)));
  };
  const all = EVENTS.every((event) => chosen.has(event));
  return (
    <div className="flex flex-col gap-5">
      <div className="flex flex-wrap items-center justify-between gap-3">
        {/* The focus comes here when nothing was chosen. */}
        <p ref={attach} tabIndex={-1} role={error ? 'alert' : undefined} className="text-sm text-danger">
          {error}
        </p>
        <Button type="button" size="sm" variant="secondary" onPress={() => set(EVENTS, !all)}>
          {t(all ? 'webhooks.choose_none' : 'webhooks.choose_all')}
        </Button>
      </div>
      <div className="grid gap-x-6 gap-y-5 sm:grid-cols-2">
        {(Object.keys(GROUPS) as Group[]).map((group) => (
          <fieldset key={group} className="flex flex-col gap-2">
            <legend className="mb-2 text-sm font-semibold">{t(`webhooks.group.${group}`)}</legend>
            {GROUPS[group].map((event) => (
              <Tick key={event} value={chosen.has(event)} onChange={(wanted) => set([event], wanted)}>
                <span>
                  {t(`webhooks.event.${wordOf(event) as 'call_ended'}`)}{' '}
                  <span className="font-mono text-xs text-muted">{event}</span>
                </span>
              </Tick>
            ))}
          </fieldset>
        ))}
      </div>
    </div>
  );
}

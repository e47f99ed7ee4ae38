/**
 * Several contacts, or all that match, deleted or shown in the directory or hidden from it: what it means is said
 * before, and what was left afterwards.
 */
import {
  useContactsBulk,
  useWithDevices,
  type BulkAction,
  type BulkOutcome,
  type BulkTarget,
  type Contact,
} from '@tandem/api';
import { Button, ConfirmDialog, Link, Notice, Placeholder, ProgressBar, toast } from '@tandem/ui';
import { Eye, EyeOff, Trash2 } from 'lucide-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';

import { RefusedNotice } from '../forms/refused-notice';
import type { Picked } from '../lists/list-frame';
import { useTenant } from '../tenant';
import { nameOf } from './model';

const MOST_NAMED = 5;

const ACTIONS = [
  { action: 'show_in_directory', icon: Eye, variant: 'secondary' },
  { action: 'hide_from_directory', icon: EyeOff, variant: 'secondary' },
  { action: 'delete', icon: Trash2, variant: 'danger-soft' },
] as const;

export function ContactsBulk({ picked }: { picked: Picked<Contact> }) {
  const { t } = useTranslation();
  // What was asked about stays the same, whatever is selected meanwhile.
  const [asking, setAsking] = useState<{ action: BulkAction; picked: Picked<Contact> }>();
  return (
    <>
      {ACTIONS.map(({ action, icon: Sign, variant }) => (
        <Button key={action} size="sm" variant={variant} onPress={() => setAsking({ action, picked })}>
          <Sign aria-hidden />
          {t(`contacts_bulk.${action}.action`)}
        </Button>
      ))}
      {asking && <Asking {...asking} onClose={() => setAsking(undefined)} />}
    </>
  );
}

interface AskingProps {
  action: BulkAction;
  picked: Picked<Contact>;
  onClose: () => void;
}

function Asking({ action, picked, onClose }: AskingProps) {
  const { t } = useTranslation();
  const { tenant } = useTenant();
  const bulk = useContactsBulk(tenant.id);
  const [through, setThrough] = useState(0);
  const { matching, items, count, onDone } = picked;
  const target: BulkTarget = matching
    ? { matching: { search: matching.search, filters: matching.filters } }
    : { ids: items.map(({ id }) => id) };

  function confirm() {
    setThrough(0);
    bulk.mutate(
      { action, target, onStep: setThrough },
      {
        onSuccess: (outcome) => {
          if (outcome.done > 0) toast.success(t(`contacts_bulk.${action}.done`, { count: outcome.done }));
          if (outcome.refusedCount === 0) leave(outcome);
        },
      },
    );
  }

  /** Who stayed is selected from then on; before, the selection holds what is said here. */
  function leave(outcome: BulkOutcome | undefined) {
    if (bulk.isPending && !outcome) return;
    if (outcome) onDone(outcome.refused.map(({ id }) => id));
    onClose();
  }

  return (
    <ConfirmDialog
      title={t(`contacts_bulk.${action}.title`, { count })}
      open
      onClose={() => leave(bulk.data)}
      confirm={t(`contacts_bulk.${action}.action`)}
      onConfirm={confirm}
      pending={bulk.isPending}
      impossible={bulk.isSuccess}
    >
      {bulk.isIdle && (
        <div className="flex flex-col gap-3">
          <p>{t(`contacts_bulk.${action}.text`)}</p>
          {matching ? <p>{t('contacts_bulk.all')}</p> : <Names contacts={items} />}
          {action === 'delete' && <InUse picked={picked} target={target} />}
        </div>
      )}
      {bulk.isPending && (
        <ProgressBar label={t('contacts_bulk.running')} value={Math.min(through, count)} most={count} />
      )}
      <RefusedNotice error={bulk.error} />
      {bulk.data && bulk.data.refusedCount > 0 && <Left outcome={bulk.data} />}
    </ConfirmDialog>
  );
}

function Names({ contacts }: { contacts: readonly Contact[] }) {
  const { t } = useTranslation();
  return (
    <ul className="list-disc ps-5">
      {contacts.slice(0, MOST_NAMED).map((contact) => (
        <li key={contact.id}>{nameOf(contact)}</li>
      ))}
      {contacts.length > MOST_NAMED && (
        <li>{t('remove_many.more', { count: contacts.length - MOST_NAMED })}</li>
      )}
    </ul>
  );
}

/** Who cannot be deleted, because of a device. */
function InUse({ picked, target }: { picked: Picked<Contact>; target: BulkTarget }) {
  const { t } = useTranslation();
  const { tenant } = useTenant();
  const matching = 'matching' in target ? target.matching : { search: '', filters: {} };
  const asked = useWithDevices(tenant.id, matching, MOST_NAMED, picked.matching !== undefined);
  const own = picked.items.filter(({ devices }) => devices.length > 0);
  if (picked.matching && !asked.data) {
    return asked.error ? null : <Placeholder rows={1} />;
  }
  const { first, count } = picked.matching && asked.data ? asked.data : { first: own, count: own.length };
  if (count === 0) return null;
  return (
    <Notice tone="warning">
      <p>{t('contacts_bulk.in_use', { count })}</p>
      <ul className="mt-1 list-disc ps-5">
        {first.slice(0, MOST_NAMED).map((contact) => (
          <li key={contact.id}>
            {t('contacts_bulk.has', {
              name: nameOf(contact),
              devices: contact.devices.map(({ name }) => name).join(', '),
            })}
          </li>
        ))}
        {count > MOST_NAMED && <li>{t('remove_many.more', { count: count - MOST_NAMED })}</li>}
      </ul>
    </Notice>
  );
}

const MOST_LEFT = 20;

function Left({ outcome }: { outcome: BulkOutcome }) {
  const { t } = useTranslation();
  const { path } = useTenant();
  const { refused, refusedCount } = outcome;
  return (
    <div role="alert">
      <p>{t('contacts_bulk.left', { count: refusedCount })}</p>
      <ul className="mt-3 flex max-h-60 flex-col gap-1 overflow-y-auto">
        {refused.slice(0, MOST_LEFT).map(({ id, name, reason, dependents = [] }) => (
          <li key={id}>
            {reason === 'not_found' ? (
              t('contacts_bulk.gone')
            ) : (
              <>
                <Link className="link" href={path(`/contacts/${id}`)}>
                  {name}
                </Link>
                {dependents.length > 0 && ` – ${dependents.map((device) => device.name).join(', ')}`}
              </>
            )}
          </li>
        ))}
        {refusedCount > MOST_LEFT && <li>{t('remove_many.more', { count: refusedCount - MOST_LEFT })}</li>}
      </ul>
    </div>
  );
}

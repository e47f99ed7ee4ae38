/**
 * Deleting what is selected, one after the other, with what came of each.
 */
import { useDeleteMany, type CollectionName } from '@tandem/api';
import { Button, ConfirmDialog, Notice, ProgressBar, toast } from '@tandem/ui';
import { Trash2 } from 'lucide-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';

import { useErrorText } from '../forms/error-text';
import { messagesOf } from '../forms/refused';
import { useRefusalText } from '../refusals/use-sentence';
import { useTenant } from '../tenant';

interface Named {
  id: string;
  title: string;
  /** What is in the way of deleting it. */
  users: string[];
}

interface RemoveManyProps {
  name: CollectionName;
  items: readonly Named[];
  /** Hears the ids that could not be deleted. */
  onDone: (left: string[]) => void;
}

const MOST_NAMED = 5;

export function RemoveMany({ name, items, onDone }: RemoveManyProps) {
  const { t } = useTranslation();
  const { tenant } = useTenant();
  const remove = useDeleteMany({ tenant: tenant.id, name });
  const errorText = useErrorText();
  const refusalText = useRefusalText();
  const [asking, setAsking] = useState<readonly Named[]>();
  const [through, setThrough] = useState(0);
  const titles = new Map(asking?.map(({ id, title }) => [id, title]));
  const failed = remove.data?.failed ?? [];

  function confirm(chosen: readonly Named[]) {
    setThrough(0);
    remove.mutate(
      { ids: chosen.map(({ id }) => id), onStep: setThrough },
      {
        onSuccess: (result) => {
          if (result.done.length > 0) toast.success(t('remove_many.done', { count: result.done.length }));
          onDone(result.failed.map(({ id }) => id));
          if (result.failed.length === 0) setAsking(undefined);
        },
      },
    );
  }

  return (
    <>
      <Button
        size="sm"
        variant="danger-soft"
        onPress={() => {
          remove.reset();
          setAsking(items);
        }}
      >
        <Trash2 aria-hidden />
        {t('remove.action')}
      </Button>
      {asking && (
        <ConfirmDialog
          title={t('remove_many.title', { count: asking.length })}
          open
          onClose={() => !remove.isPending && setAsking(undefined)}
          confirm={t('remove.action')}
          onConfirm={() => confirm(asking)}
          pending={remove.isPending}
          impossible={remove.isSuccess}
        >
          {remove.isIdle && (
            <>
              <p>{t('remove_many.text')}</p>
              <ul className="mt-3 list-disc ps-5">
                {asking.slice(0, MOST_NAMED).map(({ id, title }) => (
                  <li key={id}>{title}</li>
                ))}
                {asking.length > MOST_NAMED && (
                  <li>{t('remove_many.more', { count: asking.length - MOST_NAMED })}</li>
                )}
              </ul>
              <InUse items={asking} />
            </>
          )}
          {remove.isPending && (
            <ProgressBar label={t('remove_many.running')} value={through} most={asking.length} />
          )}
          {remove.error && (
            <Notice tone="danger" alert>
              {errorText(messagesOf(remove.error, []).whole)}
            </Notice>
          )}
          {failed.length > 0 && (
            <div role="alert">
              <p>{t('remove_many.failed', { count: failed.length })}</p>
              <ul className="mt-3 flex flex-col gap-2">
                {failed.map(({ id, error }) => (
                  <li key={id}>
                    <span className="font-medium text-foreground">{titles.get(id)}</span>
                    <span className="block">{refusalText(error)}</span>
                  </li>
                ))}
              </ul>
            </div>
          )}
        </ConfirmDialog>
      )}
    </>
  );
}

/** What will stay, because something uses it. */
function InUse({ items }: { items: readonly Named[] }) {
  const { t } = useTranslation();
  const used = items.filter(({ users }) => users.length > 0);
  if (used.length === 0) return null;
  return (
    <div className="mt-3">
      <Notice tone="warning">
        <p>{t('remove_many.in_use', { count: used.length })}</p>
        <ul className="mt-1 list-disc ps-5">
          {used.slice(0, MOST_NAMED).map(({ id, title, users }) => (
            <li key={id}>{t('remove_many.used_by', { title, users: users.join(', ') })}</li>
          ))}
          {used.length > MOST_NAMED && <li>{t('remove_many.more', { count: used.length - MOST_NAMED })}</li>}
        </ul>
      </Notice>
    </div>
  );
}

/**
 * Deleting an item, after saying what that means. What is in use elsewhere cannot be deleted and says by what.
 */
import { Refusal, useDelete, useDependents, type CollectionName, type Dependent } from '@tandem/api';
import { Button, DeleteDialog, Notice, Placeholder, toast } from '@tandem/ui';
import { useRouter } from '@tanstack/react-router';
import { Trash2 } from 'lucide-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';

import { useErrorText } from '../forms/error-text';
import { messagesOf } from '../forms/refused';
import { useTenant } from '../tenant';

interface RemoveProps {
  name: CollectionName;
  id: string;
  title: string;
}

const PAGES: Record<Dependent['kind'], string> = { account: '/accounts', device: '/devices' };

export function Remove({ name, id, title }: RemoveProps) {
  const { t } = useTranslation();
  const { tenant, path } = useTenant();
  const router = useRouter();
  const remove = useDelete({ tenant: tenant.id, name });
  const errorText = useErrorText();
  const [asking, setAsking] = useState(false);
  // Nothing depends on a device.
  const dependedOn = name !== 'devices';
  const place = { tenant: tenant.id, name: dependedOn ? name : 'contacts' } as const;
  const dependents = useDependents(place, id, asking && dependedOn);

  function confirm() {
    remove.mutate(id, {
      onSuccess: () => {
        setAsking(false);
        toast.success(t('remove.done', { title }));
        // What was typed about it does not matter any more.
        router.history.push(path(`/${name}`), undefined, { ignoreBlocker: true });
      },
    });
  }

  const users = (dependents.data?.items ?? []).map((dependent) => ({
    href: path(`${PAGES[dependent.kind]}/${dependent.id}`),
    name: dependent.name,
    kind: `${t(`remove.kind.${dependent.kind}`)} – ${t(`remove.effect.${dependent.effect}`)}`,
  }));
  const inUse = users.length > 0;
  const looking = dependedOn && dependents.isPending && asking;
  const more = (dependents.data?.count ?? 0) - users.length;
  const refused = remove.error && errorText(messagesOf(remove.error, []).whole);
  return (
    <>
      <Button
        variant="danger-soft"
        onPress={() => {
          remove.reset();
          setAsking(true);
        }}
      >
        <Trash2 aria-hidden />
        {t('remove.action')}
      </Button>
      <DeleteDialog
        title={t('remove.title', { title })}
        open={asking}
        onClose={() => setAsking(false)}
        references={users}
        confirm={t('remove.action')}
        onConfirm={confirm}
        pending={remove.isPending}
        impossible={looking || inUse || (remove.error instanceof Refusal && remove.error.kind === 'in-use')}
      >
        {looking ? <Placeholder rows={1} /> : <p>{t(inUse ? `${name}.in_use` : `${name}.remove`)}</p>}
        {more > 0 && <p className="mt-2">{t('remove.more', { count: more })}</p>}
        {refused && (
          <div className="mt-4">
            <Notice tone="danger" alert>
              {refused}
            </Notice>
          </div>
        )}
      </DeleteDialog>
    </>
  );
}

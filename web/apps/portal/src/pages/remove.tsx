/**
 * Deleting an item, after saying what that means. What is in use elsewhere cannot be deleted and says by what.
 */
import { Refusal, useDelete, type CollectionName } from '@tandem/api';
import { Button, DeleteDialog, Notice, toast, type Reference } from '@tandem/ui';
import { useRouter } from '@tanstack/react-router';
import { Trash2 } from 'lucide-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';

import { useErrorText } from '../forms/form';
import { messagesOf } from '../forms/refused';
import { useTenant } from '../tenant';

interface RemoveProps {
  name: CollectionName;
  id: string;
  title: string;
  /** What uses it. Not empty: it cannot be deleted. */
  users?: Reference[];
}

export function Remove({ name, id, title, users = [] }: RemoveProps) {
  const { t } = useTranslation();
  const { tenant, path } = useTenant();
  const router = useRouter();
  const remove = useDelete({ tenant: tenant.id, name });
  const errorText = useErrorText();
  const [asking, setAsking] = useState(false);

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

  const inUse = users.length > 0;
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
        impossible={inUse || (remove.error instanceof Refusal && remove.error.kind === 'in-use')}
      >
        <p>{t(inUse ? `${name}.in_use` : `${name}.remove`)}</p>
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

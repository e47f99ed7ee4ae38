/**
 * Taking an import back, and forgetting it: what each of them means is said before.
 */
import { useForgetImport, useUndoImport, type Import } from '@tandem/api';
import { Button, ConfirmDialog, DateTime, toast } from '@tandem/ui';
import { Trash2, Undo2 } from 'lucide-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';

import { RefusedNotice } from '../forms/refused-notice';
import { useTenant } from '../tenant';

interface ActionProps {
  plan: Import;
  /** In a row: the sign alone. */
  small?: boolean;
}

export function Undo({ plan, small }: ActionProps) {
  const { t } = useTranslation();
  const { tenant } = useTenant();
  const [asking, setAsking] = useState(false);
  const undo = useUndoImport(tenant.id);
  const title = t('imports.undo_title', { name: plan.file_name });
  return (
    <>
      <Button
        variant="secondary"
        size={small ? 'sm' : 'md'}
        isIconOnly={small ?? false}
        {...(small && { 'aria-label': title })}
        onPress={() => {
          undo.reset();
          setAsking(true);
        }}
      >
        <Undo2 aria-hidden />
        {!small && t('imports.undo')}
      </Button>
      <ConfirmDialog
        title={title}
        open={asking}
        onClose={() => setAsking(false)}
        confirm={t('imports.undo')}
        pending={undo.isPending}
        onConfirm={() => undo.mutate(plan.id, { onSuccess: () => setAsking(false) })}
      >
        <p>{t('imports.undo_text')}</p>
        {plan.undo_until && (
          <p className="mt-2">
            {t('imports.undo_until')} <DateTime at={plan.undo_until} />.
          </p>
        )}
        <div className="mt-4 empty:hidden">
          <RefusedNotice error={undo.error} />
        </div>
      </ConfirmDialog>
    </>
  );
}

export function Forget({ plan }: ActionProps) {
  const { t } = useTranslation();
  const { tenant } = useTenant();
  const [asking, setAsking] = useState(false);
  const forget = useForgetImport(tenant.id);
  const title = t('imports.forget_title', { name: plan.file_name });
  // The row is gone when it has worked: what follows must not depend on it.
  const confirm = async () => {
    try {
      await forget.mutateAsync(plan.id);
    } catch {
      return;
    }
    toast.success(t('imports.forgotten', { name: plan.file_name }));
  };
  return (
    <>
      <Button
        variant="secondary"
        size="sm"
        isIconOnly
        aria-label={title}
        onPress={() => {
          forget.reset();
          setAsking(true);
        }}
      >
        <Trash2 aria-hidden />
      </Button>
      <ConfirmDialog
        title={title}
        open={asking}
        onClose={() => setAsking(false)}
        confirm={t('imports.forget')}
        pending={forget.isPending}
        onConfirm={() => void confirm()}
      >
        <p>{t(plan.state === 'committed' ? 'imports.forget_done' : 'imports.forget_text')}</p>
        <div className="mt-4 empty:hidden">
          <RefusedNotice error={forget.error} />
        </div>
      </ConfirmDialog>
    </>
  );
}

/**
 * One row of an import, with everything that is known of it.
 */
import type { ImportRow } from '@tandem/api';
import { Button, ButtonLink, Dialog, FieldDiff, Notice, StatusBadge } from '@tandem/ui';
import { useTranslation } from 'react-i18next';

import { useTenant } from '../tenant';
import { RESULT_TONES } from './model';
import { useRowWords } from './row-words';

interface RowDialogProps {
  row: ImportRow;
  onClose: () => void;
}

export function RowDialog({ row, onClose }: RowDialogProps) {
  const { t } = useTranslation(['portal', 'ui']);
  const { path } = useTenant();
  const { errorsOf, changesOf } = useRowWords();
  const title = row.name || t('imports.row', { number: row.row });
  const changes = changesOf(row);
  const errors = errorsOf(row);
  return (
    <Dialog
      title={title}
      open
      wide
      onClose={onClose}
      footer={
        <>
          {row.contact_id && exists(row) && (
            <ButtonLink href={path(`/contacts/${row.contact_id}`)} variant="secondary">
              {t('imports.open_contact')}
            </ButtonLink>
          )}
          <Button variant="secondary" onPress={onClose} autoFocus>
            {t('ui:close')}
          </Button>
        </>
      }
    >
      <div className="flex flex-col gap-4">
        <p className="flex flex-wrap items-center gap-2">
          <StatusBadge tone={RESULT_TONES[row.result]}>{t(`imports.row_result.${row.result}`)}</StatusBadge>
          {t('imports.place', { row: row.row, line: row.line })}
        </p>
        {errors.length > 0 && (
          <Notice tone="danger">
            <ul>
              {errors.map((text) => (
                <li key={text}>{text}</li>
              ))}
            </ul>
          </Notice>
        )}
        {changes.length > 0 && <FieldDiff label={t('imports.changes', { name: title })} changes={changes} />}
        {changes.length === 0 && errors.length === 0 && <p>{t('imports.no_changes')}</p>}
      </div>
    </Dialog>
  );
}

/** Whether the contact is there: one that would be made is not yet, one that was taken back is no more. */
function exists({ result, state }: ImportRow): boolean {
  return result !== 'create' || state === 'done' || state === 'kept';
}

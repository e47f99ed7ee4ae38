/**
 * A row of an import in words.
 */
import type { ImportRow } from '@tandem/api';
import type { FieldChange } from '@tandem/ui';
import { useTranslation } from 'react-i18next';

import { useSentence } from '../refusals/use-sentence';
import { changesOf } from './model';
import { useFieldTitle } from './words';

export interface RowWords {
  /** What is wrong with it, a sentence each. */
  errorsOf: (row: Pick<ImportRow, 'errors'>) => string[];
  changesOf: (row: Pick<ImportRow, 'changes'>) => FieldChange[];
  /** What is wrong, or else what each field would be. */
  linesOf: (row: Pick<ImportRow, 'errors' | 'changes' | 'result'>) => string[];
}

export function useRowWords(): RowWords {
  const { t } = useTranslation();
  const field = useFieldTitle();
  const sentence = useSentence();
  const words = { yes: t('yes'), no: t('no'), field };
  const errors: RowWords['errorsOf'] = (row) =>
    row.errors.map(({ field: name, message }) =>
      name === ''
        ? sentence(message)
        : t('imports.field_says', { field: field(name), text: sentence(message) }),
    );
  return {
    errorsOf: errors,
    changesOf: (row) => changesOf(row, words),
    linesOf: (row) =>
      row.errors.length > 0
        ? errors(row)
        : changesOf(
            { changes: row.result === 'create' ? withoutNames(row.changes) : row.changes },
            words,
          ).map(({ name, after }) =>
            t('imports.field_says', {
              field: name,
              text: after?.replaceAll('\n', ', ') ?? t('imports.emptied'),
            }),
          ),
  };
}

/** Whoever is new stands beside with the name already. */
function withoutNames({ first_name: _first, last_name: _last, ...changes }: ImportRow['changes']) {
  return changes;
}

/**
 * Choosing the file.
 */
import { importTemplateAddress } from '@tandem/api';
import { FileDrop, Link } from '@tandem/ui';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';

import { useTenant } from '../tenant';
import { FILE_KINDS, MOST_BYTES, MOST_ROWS } from './model';

interface FileStepProps {
  onFile: (file: File) => void;
}

export function FileStep({ onFile }: FileStepProps) {
  const { t } = useTranslation();
  const { tenant } = useTenant();
  const [unreadable, setUnreadable] = useState(false);
  // Into memory: another program may write the file while it is looked at here.
  async function read(file: File) {
    try {
      const bytes = await file.arrayBuffer();
      setUnreadable(false);
      onFile(new File([bytes], file.name, { lastModified: file.lastModified }));
    } catch {
      setUnreadable(true);
    }
  }
  return (
    <div>
      <FileDrop
        label={t('imports.drop')}
        description={t('imports.drop_help', { megabytes: MOST_BYTES / 1_000_000, rows: MOST_ROWS })}
        accept={FILE_KINDS}
        most={MOST_BYTES}
        onFile={(file) => void read(file)}
        error={unreadable ? t('imports.unreadable') : undefined}
      />
      <p className="mt-3 text-sm text-muted">
        {t('imports.from_spreadsheet')}{' '}
        <Link className="link" href={importTemplateAddress(tenant.id)} target="_blank">
          {t('imports.template')}
        </Link>
      </p>
    </div>
  );
}

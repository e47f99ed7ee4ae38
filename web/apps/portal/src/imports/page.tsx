/**
 * Contacts from a file: the file, its columns, and the imports there have been.
 */
import { useImport } from '@tandem/api';
import { ButtonLink, PageHead, Placeholder } from '@tandem/ui';
import { getRouteApi } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';

import { useTenant } from '../tenant';
import { ColumnsStep } from './columns-step';
import { FileStep } from './file-step';
import { History } from './history';
import { keptFile } from './kept';
import { Steps } from './steps';

const route = getRouteApi('/t/$slug/shell/contacts/import');

export function ImportsPage() {
  const { t } = useTranslation();
  const { path, mayChange } = useTenant();
  const { again, corrects } = route.useSearch();
  const kept = keptFile(again);
  const [file, setFile] = useState(kept?.file);
  const forget = () => setFile(undefined);
  return (
    <>
      <PageHead
        title={t('imports.title')}
        lead={t('imports.lead')}
        up={{ href: path('/contacts'), label: t('contacts.title') }}
      />
      {mayChange && <Steps current={file ? 'columns' : 'file'} {...(file && { onBack: forget })} />}
      <div className="flex flex-col gap-8">
        {mayChange && !file && <FileStep onFile={setFile} />}
        {mayChange && file && corrects !== undefined && (
          <CorrectedStep file={file} corrects={corrects} onBack={forget} />
        )}
        {mayChange && file && corrects === undefined && (
          <ColumnsStep
            file={file}
            kept={kept?.file === file ? kept : undefined}
            replaces={kept && again}
            onBack={forget}
          />
        )}
        {!file && <History />}
        {!mayChange && (
          <div>
            <ButtonLink href={path('/contacts')} variant="secondary">
              {t('contacts.title')}
            </ButtonLink>
          </div>
        )}
      </div>
    </>
  );
}

interface CorrectedProps {
  file: File;
  /** The plan of the file as it was. */
  corrects: string;
  onBack: () => void;
}

function CorrectedStep({ file, corrects, onBack }: CorrectedProps) {
  const { tenant } = useTenant();
  const { data, isPending } = useImport(tenant.id, corrects);
  if (isPending) return <Placeholder rows={4} />;
  return (
    <ColumnsStep file={file} kept={undefined} earlier={data} replaces={data && corrects} onBack={onBack} />
  );
}

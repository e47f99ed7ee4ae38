/**
 * How the file is read and what each of its columns fills, with what stands in the first rows.
 */
import {
  useCheckImport,
  useForgetImport,
  useImportPreview,
  type FileToCheck,
  type ImportPreview,
  type Reading,
} from '@tandem/api';
import { Button, ChoiceField, Notice, Placeholder, Section } from '@tandem/ui';
import { useRouter } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';

import { RefusedNotice } from '../forms/refused-notice';
import { useTenant } from '../tenant';
import { keepFile } from './kept';
import { ENCODINGS, missingOf, offeredFields, SEPARATORS, withColumn } from './model';
import { useFieldTitle } from './words';

type Columns = readonly (string | undefined)[];

interface ColumnsStepProps {
  file: File;
  /** What was said of this file before. */
  kept: FileToCheck | undefined;
  /** The plan that is made anew. */
  replaces: string | undefined;
  onBack: () => void;
}

export function ColumnsStep({ file, kept, replaces, onBack }: ColumnsStepProps) {
  const { t } = useTranslation();
  const { tenant } = useTenant();
  const [reading, setReading] = useState<Reading>({ encoding: kept?.encoding, separator: kept?.separator });
  const [said, setSaid] = useState(kept && { of: keyOf(kept), columns: kept.columns });
  const { data, error, isPlaceholderData } = useImportPreview(tenant.id, file, reading);
  const shown = error || isPlaceholderData ? undefined : data;
  const recognised = shown?.columns.map(({ field }) => field ?? undefined) ?? [];
  // Read in another way these are other columns.
  const columns = said?.of === keyOf(reading) ? said.columns : recognised;
  return (
    <Section
      title={file.name}
      lead={shown && t('imports.rows', { count: shown.rows })}
      action={
        <Button variant="secondary" size="sm" onPress={onBack}>
          {t('imports.other_file')}
        </Button>
      }
    >
      <div className="flex flex-col gap-6">
        <div className="grid gap-4 sm:grid-cols-2">
          <ChoiceField
            label={t('imports.encoding_title')}
            description={t('imports.encoding_help')}
            value={reading.encoding ?? shown?.encoding ?? ''}
            onChange={(id) => setReading({ ...reading, encoding: ENCODINGS.find((known) => known === id) })}
            choices={ENCODINGS.map((id) => ({ id, label: t(`imports.encoding.${id}`) }))}
          />
          <ChoiceField
            label={t('imports.separator_title')}
            description={t('imports.separator_help')}
            value={reading.separator ?? shown?.separator ?? ''}
            onChange={(id) => setReading({ ...reading, separator: SEPARATORS.find((known) => known === id) })}
            choices={SEPARATORS.map((id) => ({ id, label: t(`imports.separator.${id}`) }))}
          />
        </div>
        <RefusedNotice error={error} />
        {!shown && !error && <Placeholder rows={4} />}
        {shown && (
          <>
            <Mapping
              preview={shown}
              columns={columns}
              onChange={(next) => setSaid({ of: keyOf(reading), columns: next })}
            />
            <Check file={{ file, columns, ...reading }} replaces={replaces} />
          </>
        )}
      </div>
    </Section>
  );
}

function keyOf({ encoding, separator }: Reading): string {
  return `${encoding ?? ''} ${separator ?? ''}`;
}

const NOTHING = 'nothing';

interface MappingProps {
  preview: ImportPreview;
  columns: Columns;
  onChange: (columns: Columns) => void;
}

function Mapping({ preview, columns, onChange }: MappingProps) {
  const { t } = useTranslation();
  const title = useFieldTitle();
  const offered = offeredFields(preview.columns.map(({ field }) => field ?? undefined));
  const choices = [
    { id: NOTHING, label: t('imports.leave_out') },
    ...offered.map((id) => ({ id, label: title(id) })),
  ];
  return (
    <fieldset>
      <legend className="text-sm font-semibold">{t('imports.columns')}</legend>
      <p className="mb-3 text-muted">{t('imports.columns_help')}</p>
      <ul className="divide-y divide-separator">
        {preview.columns.map(({ heading, samples }, at) => (
          // Headings may be there twice; a column is known by its place.
          // oxlint-disable-next-line react/no-array-index-key
          <li key={at} className="grid items-start gap-x-6 gap-y-2 py-3 sm:grid-cols-[16rem_minmax(0,1fr)]">
            <ChoiceField
              label={heading || t('imports.column', { number: at + 1 })}
              value={columns[at] ?? NOTHING}
              onChange={(id) => onChange(withColumn(columns, at, id === NOTHING ? undefined : id))}
              choices={choices}
            />
            <Samples samples={samples} />
          </li>
        ))}
      </ul>
    </fieldset>
  );
}

/** What stands in the first rows, each once. */
function Samples({ samples }: { samples: readonly string[] }) {
  const { t } = useTranslation();
  const different = [...new Set(samples.filter(Boolean))];
  if (different.length === 0) return <p className="text-sm text-muted sm:pt-8">{t('imports.no_samples')}</p>;
  return (
    <ul
      aria-label={t('imports.samples')}
      className="flex min-w-0 flex-wrap gap-x-1.5 gap-y-1 text-sm text-muted sm:pt-8"
    >
      {different.map((sample) => (
        <li key={sample} className="max-w-full truncate rounded bg-default px-1.5 py-0.5">
          {sample}
        </li>
      ))}
    </ul>
  );
}

interface CheckProps {
  file: FileToCheck;
  replaces: string | undefined;
}

function Check({ file, replaces }: CheckProps) {
  const { t } = useTranslation();
  const { tenant, path } = useTenant();
  const router = useRouter();
  const check = useCheckImport(tenant.id);
  const forget = useForgetImport(tenant.id);
  const missing = missingOf(file.columns);

  async function go() {
    const plan = await check.mutateAsync(file).catch(() => undefined);
    if (!plan) return;
    // Its time would come anyway; what is left of it is of no use.
    if (replaces !== undefined) forget.mutate(replaces);
    keepFile(plan.id, file);
    router.history.push(path(`/contacts/import/${plan.id}`));
  }

  return (
    <div className="flex flex-col gap-4">
      {missing && (
        <Notice tone={missing === 'person' ? 'danger' : 'warning'}>{t(`imports.missing.${missing}`)}</Notice>
      )}
      <RefusedNotice error={check.error} />
      <div className="flex flex-wrap items-center gap-3">
        <Button isPending={check.isPending} isDisabled={missing === 'person'} onPress={() => void go()}>
          {t('imports.check')}
        </Button>
        <p className="text-sm text-muted">{t('imports.check_help')}</p>
      </div>
    </div>
  );
}

/**
 * How the file is read and what each of its columns fills, with what stands in the first rows.
 */
import {
  useCheckImport,
  useForgetImport,
  useImportPreview,
  useImports,
  type FileToCheck,
  type Import,
  type ImportPreview,
  type Reading,
} from '@tandem/api';
import { Button, ChoiceField, Notice, Placeholder, Section } from '@tandem/ui';
import { useRouter } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';

import { RefusedNotice } from '../forms/refused-notice';
import { countriesWithNumbers } from '../countries';
import { useTenant } from '../tenant';
import { keepFile } from './kept';
import { columnsLike, ENCODINGS, isNumber, missingOf, offeredFields, SEPARATORS, withColumn } from './model';
import { Samples } from './samples';
import { useFieldTitle } from './words';

type Columns = readonly (string | undefined)[];

interface ColumnsStepProps {
  file: File;
  /** What was said of this file before. */
  kept: FileToCheck | undefined;
  /** The plan of an earlier version of the file. */
  earlier?: Import | undefined;
  /** The plan that is made anew. */
  replaces: string | undefined;
  onBack: () => void;
}

export function ColumnsStep({ file, kept, earlier, replaces, onBack }: ColumnsStepProps) {
  const { t } = useTranslation();
  const { tenant } = useTenant();
  const [reading, setReading] = useState<Reading>({ encoding: kept?.encoding, separator: kept?.separator });
  const [said, setSaid] = useState(kept && { of: keyOf(kept), columns: kept.columns });
  const [country, setCountry] = useCountry(kept ?? earlier);
  const { data, error } = useImportPreview(tenant.id, file, { ...reading, country });
  const shown = error ? undefined : data;
  const recognised = shown ? columnsLike(earlier?.columns, shown.columns) : [];
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
            {columns.some(isNumber) && <CountryOfNumbers country={country} onChange={setCountry} />}
            <Check file={{ file, columns, ...reading, country }} replaces={replaces} />
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
        {preview.columns.map(({ heading, samples, numbers }, at) => (
          // Headings may be there twice; a column is known by its place.
          // oxlint-disable-next-line react/no-array-index-key
          <li key={at} className="grid items-start gap-x-6 gap-y-2 py-3 sm:grid-cols-[16rem_minmax(0,1fr)]">
            <ChoiceField
              label={heading || t('imports.column', { number: at + 1 })}
              value={columns[at] ?? NOTHING}
              onChange={(id) => onChange(withColumn(columns, at, id === NOTHING ? undefined : id))}
              choices={choices}
            />
            <Samples samples={samples} numbers={isNumber(columns[at]) ? numbers : undefined} />
          </li>
        ))}
      </ul>
    </fieldset>
  );
}

/** The country that was said here or for the file before, else the one that the last import of this company had. */
function useCountry(before: Pick<Reading, 'country'> | Pick<Import, 'country'> | undefined) {
  const { tenant } = useTenant();
  const { data: imports } = useImports(tenant.id);
  const [said, setSaid] = useState<string | undefined>(before ? (before.country ?? NONE) : undefined);
  const country = said ?? imports?.find((plan) => plan.country)?.country;
  return [country === NONE ? undefined : (country ?? undefined), setSaid] as const;
}

const NONE = 'none';

interface CountryProps {
  country: string | undefined;
  onChange: (country: string) => void;
}

function CountryOfNumbers({ country, onChange }: CountryProps) {
  const { t, i18n } = useTranslation();
  return (
    <div className="max-w-md">
      <ChoiceField
        label={t('imports.country_title')}
        description={t('imports.country_help')}
        value={country ?? NONE}
        onChange={onChange}
        choices={[{ id: NONE, label: t('imports.no_country') }, ...countriesWithNumbers(i18n.language)]}
      />
    </div>
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

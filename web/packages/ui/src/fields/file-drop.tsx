/**
 * A place to drop a file on, or to choose one.
 */
import { Button } from '@heroui/react';
import { Upload } from 'lucide-react';
import { useState } from 'react';
import { DropZone, FileTrigger, type DropItem } from 'react-aria-components';
import { useTranslation } from 'react-i18next';

interface FileDropProps {
  label: string;
  description?: string;
  /** Media types and endings, such as `text/csv` and `.csv`. */
  accept: readonly string[];
  /** Bytes. */
  most: number;
  onFile: (file: File) => void;
  error?: string | undefined;
}

export function FileDrop({ label, description, accept, most, onFile, error }: FileDropProps) {
  const { t, i18n } = useTranslation('ui');
  const [wrong, setWrong] = useState<'type' | 'size' | 'several'>();

  function take(files: readonly File[]) {
    const [file] = files;
    if (!file) return;
    const reason = files.length > 1 ? 'several' : refusal(file, accept, most);
    setWrong(reason);
    if (!reason) onFile(file);
  }

  const message = wrong
    ? t(`file.${wrong}`, { most: megabytes(most, i18n.language), types: accept.join(', ') })
    : error;
  return (
    <div>
      <DropZone
        aria-label={label}
        onDrop={(event) => void filesOf(event.items).then(take)}
        className={`focusable flex flex-col items-center gap-3 rounded-xl border border-dashed px-4 py-8 text-center data-[drop-target]:border-accent data-[drop-target]:bg-accent-soft ${message ? 'border-danger' : 'border-field-border'}`}
      >
        <Upload className="size-6 text-muted" aria-hidden />
        <div>
          <p className="font-medium">{label}</p>
          {description && <p className="text-xs text-muted">{description}</p>}
        </div>
        <FileTrigger acceptedFileTypes={accept} onSelect={(list) => take([...(list ?? [])])}>
          <Button size="sm" variant="secondary">
            {t('file.choose')}
          </Button>
        </FileTrigger>
      </DropZone>
      {message && (
        <p role="alert" className="mt-1.5 text-xs text-danger">
          {message}
        </p>
      )}
    </div>
  );
}

/** Why a file is not taken. */
export function refusal(
  file: Pick<File, 'name' | 'size' | 'type'>,
  accept: readonly string[],
  most: number,
): 'type' | 'size' | undefined {
  const known = accept.some((kind) =>
    kind.startsWith('.') ? file.name.toLowerCase().endsWith(kind) : file.type === kind,
  );
  if (!known) return 'type';
  return file.size > most ? 'size' : undefined;
}

function megabytes(bytes: number, language: string): string {
  return new Intl.NumberFormat(language, {
    style: 'unit',
    unit: 'megabyte',
    maximumFractionDigits: 1,
  }).format(bytes / 1_000_000);
}

async function filesOf(items: readonly DropItem[]): Promise<File[]> {
  return Promise.all(items.filter((item) => item.kind === 'file').map((item) => item.getFile()));
}

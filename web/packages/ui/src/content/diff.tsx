/**
 * Before and after: of the fields of a thing, or of a text line by line.
 */
import { diffLines } from 'diff';
import { useTranslation } from 'react-i18next';

export interface FieldChange {
  name: string;
  /** Absent: there was nothing. */
  before?: string | undefined;
  /** Absent: nothing is left. */
  after?: string | undefined;
}

export function FieldDiff({ label, changes }: { label: string; changes: readonly FieldChange[] }) {
  const { t } = useTranslation('ui');
  return (
    <div className="overflow-x-auto rounded-lg border border-border">
      <table aria-label={label} className="w-full text-left text-sm">
        <thead>
          <tr className="border-b border-border bg-surface-secondary text-xs text-muted">
            <th className="px-3 py-2 font-semibold">{t('diff.field')}</th>
            <th className="px-3 py-2 font-semibold">{t('diff.before')}</th>
            <th className="px-3 py-2 font-semibold">{t('diff.after')}</th>
          </tr>
        </thead>
        <tbody className="divide-y divide-separator">
          {changes.map(({ name, before, after }) => (
            <tr key={name}>
              <th scope="row" className="px-3 py-2 align-top font-medium">
                {name}
              </th>
              <td className="px-3 py-2 align-top wrap-anywhere whitespace-pre-line">
                {before !== undefined && <Removed text={before} />}
              </td>
              <td className="px-3 py-2 align-top wrap-anywhere whitespace-pre-line">
                {after !== undefined && <Added text={after} />}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

interface TextDiffProps {
  label: string;
  before: string;
  after: string;
}

export function TextDiff({ label, before, after }: TextDiffProps) {
  const { t } = useTranslation('ui');
  const parts = diffLines(before, after);
  return (
    <figure aria-label={label} className="overflow-hidden rounded-lg border border-border">
      {/* What scrolls must be reachable with the keyboard. */}
      {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex */}
      <pre tabIndex={0} className="focusable max-h-96 overflow-auto py-2 font-mono text-[0.8125rem]">
        {linesOf(parts).map(({ id, sign, text }) => (
          <div key={id} className={`px-3 ${LOOKS[sign]}`}>
            <span aria-hidden className="inline-block w-5 select-none">
              {sign}
            </span>
            {sign !== ' ' && (
              <span className="sr-only">{t(sign === '+' ? 'diff.added' : 'diff.removed')} </span>
            )}
            {text}
          </div>
        ))}
      </pre>
    </figure>
  );
}

const LOOKS = {
  '+': 'bg-success-soft text-success-soft-foreground',
  '-': 'bg-danger-soft text-danger-soft-foreground',
  ' ': '',
} as const;

interface Line {
  id: string;
  sign: keyof typeof LOOKS;
  text: string;
}

function linesOf(parts: ReturnType<typeof diffLines>): Line[] {
  return parts.flatMap(({ value, added, removed }, part) =>
    value
      .replace(/\n$/, '')
      .split('\n')
      .map((text, line) => ({ id: `${part} ${line}`, sign: added ? '+' : removed ? '-' : ' ', text })),
  );
}

function Removed({ text }: { text: string }) {
  return (
    <del className="rounded bg-danger-soft px-1 text-danger-soft-foreground decoration-from-font">{text}</del>
  );
}

function Added({ text }: { text: string }) {
  return <ins className="rounded bg-success-soft px-1 text-success-soft-foreground no-underline">{text}</ins>;
}

/**
 * Recovery codes, told once: to be copied, saved as a file or printed.
 */
import { Button, CopyButton, Notice } from '@tandem/ui';
import { Download, Printer } from 'lucide-react';
import { useTranslation } from 'react-i18next';

import { LeaveGuard, useKept } from '../forms/leave-guard';

interface RecoveryCodesProps {
  codes: string[];
  onDone: () => void;
}

export function RecoveryCodes({ codes, onDone }: RecoveryCodesProps) {
  const { t } = useTranslation();
  const { isKept, onKept } = useKept();
  const text = [t('second_factor.file', { host: window.location.host }), '', ...codes, ''].join('\n');
  const file = `data:text/plain;charset=utf-8,${encodeURIComponent(text)}`;
  return (
    <div className="flex flex-col gap-4">
      <LeaveGuard lost="told" isKept={isKept} />
      <Notice tone="warning" alert>
        {t('second_factor.codes_once')}
      </Notice>
      <ul
        aria-label={t('second_factor.codes')}
        className="grid gap-x-8 gap-y-1.5 rounded-lg border border-border bg-surface-secondary p-4 font-mono text-sm sm:grid-cols-2"
      >
        {codes.map((code) => (
          <li key={code} className="tracking-wide">
            {code}
          </li>
        ))}
      </ul>
      <div className="no-print flex flex-wrap items-center gap-2">
        <CopyButton text={codes.join('\n')} label={t('second_factor.copy_codes')} onCopied={onKept} />
        <a
          className="button button--sm button--secondary"
          href={file}
          download="tandem-recovery-codes.txt"
          onClick={onKept}
        >
          <Download aria-hidden />
          {t('second_factor.save_codes')}
        </a>
        <Button
          variant="secondary"
          size="sm"
          onPress={() => {
            window.print();
            onKept();
          }}
        >
          <Printer aria-hidden />
          {t('print.print')}
        </Button>
      </div>
      <div className="no-print">
        <Button onPress={onDone}>{t('second_factor.codes_kept')}</Button>
      </div>
    </div>
  );
}

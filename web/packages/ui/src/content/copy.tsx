/**
 * Something to be taken along: the text, and a button that puts it on the clipboard.
 */
import { Button } from '@heroui/react';
import { Check, Copy } from 'lucide-react';
import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';

/** How long the button shows that it worked. */
const SHOWN_MS = 2000;

interface CopyButtonProps {
  text: string;
  /** What is copied, for those who cannot see what stands beside the button. */
  label: string;
  /** Says what is copied, as large as the buttons beside it: nothing else shows it. */
  alone?: boolean;
  /** Hears that it is on the clipboard. */
  onCopied?: (() => void) | undefined;
}

export function CopyButton({ text, label, alone, onCopied }: CopyButtonProps) {
  const { t } = useTranslation('ui');
  const [copied, setCopied] = useState(false);

  useEffect(() => {
    if (!copied) return;
    const timer = setTimeout(() => setCopied(false), SHOWN_MS);
    return () => clearTimeout(timer);
  }, [copied]);

  async function copy() {
    const done = await writeClipboard(text);
    setCopied(done);
    if (done) onCopied?.();
  }

  return (
    <Button
      size={alone ? 'md' : 'sm'}
      variant="secondary"
      aria-label={copied ? t('copied') : label}
      onPress={() => void copy()}
    >
      {copied ? <Check aria-hidden /> : <Copy aria-hidden />}
      <span aria-live="polite">{copied ? t('copied') : alone ? label : t('copy')}</span>
    </Button>
  );
}

/** Whether it worked. Browsers offer the clipboard only to secure pages; a plain selection works everywhere. */
async function writeClipboard(text: string): Promise<boolean> {
  if (window.isSecureContext) {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      // Not permitted: try the other way.
    }
  }
  const area = document.createElement('textarea');
  area.value = text;
  area.readOnly = true;
  area.style.position = 'fixed';
  area.style.opacity = '0';
  document.body.append(area);
  area.select();
  const done = document.execCommand('copy');
  area.remove();
  return done;
}

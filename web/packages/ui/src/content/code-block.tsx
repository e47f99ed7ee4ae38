/**
 * Lines to be taken along as they are: a configuration, a command, an answer of the server.
 */
import { CopyButton } from './copy';

interface CodeBlockProps {
  /** What it is, for those who cannot see it. */
  label: string;
  copyLabel: string;
  text: string;
  /** Hears that it is on the clipboard. */
  onCopied?: () => void;
}

export function CodeBlock({ label, copyLabel, text, onCopied }: CodeBlockProps) {
  return (
    <figure
      aria-label={label}
      className="overflow-hidden rounded-lg border border-border bg-surface-secondary"
    >
      <figcaption className="flex items-center justify-between gap-3 border-b border-border px-3 py-1.5 text-xs text-muted">
        {label}
        <CopyButton text={text} label={copyLabel} onCopied={onCopied} />
      </figcaption>
      {/* What scrolls must be reachable with the keyboard. */}
      {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex */}
      <pre tabIndex={0} className="focusable max-h-96 overflow-auto p-3 font-mono text-[0.8125rem]">
        <code>{text}</code>
      </pre>
    </figure>
  );
}

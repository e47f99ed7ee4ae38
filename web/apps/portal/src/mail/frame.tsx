/**
 * A mail as its reader sees it, in a frame that runs no scripts and has no access to this page. Its links open a
 * tab of their own.
 */
interface MailFrameProps {
  html: string;
  title: string;
}

export function MailFrame({ html, title }: MailFrameProps) {
  return (
    <iframe
      title={title}
      srcDoc={html}
      sandbox="allow-popups allow-popups-to-escape-sandbox"
      referrerPolicy="no-referrer"
      className="h-[42rem] w-full rounded-lg border border-border bg-white"
    />
  );
}

/** Text as it is, line by line. */
export function Verbatim({ text, label }: { text: string; label: string }) {
  return (
    <pre
      role="region"
      aria-label={label}
      className="rounded-lg border border-border bg-surface-secondary p-4 font-mono text-xs break-words whitespace-pre-wrap"
    >
      {text}
    </pre>
  );
}

/**
 * The mark: two circles side by side, and what they share.
 */
export function BrandMark({ className = 'size-7' }: { className?: string }) {
  return (
    <svg viewBox="0 0 32 32" className={className} aria-hidden="true" role="presentation">
      <rect width="32" height="32" rx="9" className="fill-accent" />
      <g className="fill-accent-foreground">
        <circle cx="12.6" cy="16" r="7" fillOpacity="0.62" />
        <circle cx="19.4" cy="16" r="7" fillOpacity="0.62" />
        <path d="M16 9.88a7 7 0 0 1 0 12.24 7 7 0 0 1 0-12.24Z" />
      </g>
    </svg>
  );
}

export function Brand() {
  return (
    <span className="flex items-center gap-2.5">
      <BrandMark />
      <span className="text-[1.0625rem] font-semibold tracking-tight">Tandem</span>
    </span>
  );
}

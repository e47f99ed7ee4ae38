/**
 * The field above a list.
 */
import { Search, X } from 'lucide-react';
import { Button, Input, SearchField } from 'react-aria-components';
import { useTranslation } from 'react-i18next';

interface SearchBoxProps {
  label: string;
  value: string;
  onChange: (text: string) => void;
}

export function SearchBox({ label, value, onChange }: SearchBoxProps) {
  const { t } = useTranslation('ui');
  return (
    <SearchField
      aria-label={label}
      value={value}
      onChange={onChange}
      className="group relative w-full sm:max-w-xs"
    >
      <Search
        className="pointer-events-none absolute start-3 top-1/2 z-1 size-4 -translate-y-1/2 text-muted"
        aria-hidden
      />
      <Input
        placeholder={label}
        className="input input--full-width ps-9 pe-9 [&::-webkit-search-cancel-button]:hidden"
      />
      <Button
        aria-label={t('search_box.clear')}
        className="focusable absolute end-1.5 top-1/2 grid size-7 -translate-y-1/2 place-items-center rounded-md text-muted group-data-[empty]:hidden"
      >
        <X className="size-4" aria-hidden />
      </Button>
    </SearchField>
  );
}

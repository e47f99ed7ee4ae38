/**
 * What a short list does not have yet, each as a button that puts it there.
 */
import { Button } from '@tandem/ui';
import { Plus } from 'lucide-react';
import { useTranslation } from 'react-i18next';

interface AddButtonsProps {
  choices: { id: string; label: string }[];
  onAdd: (id: string) => void;
}

export function AddButtons({ choices, onAdd }: AddButtonsProps) {
  const { t } = useTranslation();
  return (
    <div className="mt-2 flex flex-wrap gap-2 empty:hidden">
      {choices.map(({ id, label }) => (
        <Button
          key={id}
          size="sm"
          variant="secondary"
          aria-label={t('add', { name: label })}
          onPress={() => onAdd(id)}
        >
          <Plus aria-hidden />
          {label}
        </Button>
      ))}
    </div>
  );
}

/**
 * The design system: tokens and look in styles.css, behaviour from React Aria, shapes from HeroUI.
 *
 * Components here know nothing of the server, of routes or of forms. They get values and callbacks; an action
 * that is not possible is absent.
 */
export { Button, Dropdown, Spinner, Toast, toast } from '@heroui/react';
export { Header, I18nProvider, Link, RouterProvider } from 'react-aria-components';
export { CodeBlock } from './content/code-block';
export { CopyButton } from './content/copy';
export { DateTime } from './content/date-time';
export { useNow } from './content/now';
export { FieldDiff, TextDiff, type FieldChange } from './content/diff';
export { Qr } from './content/qr';
export { ConfirmDialog, Dialog } from './dialogs/dialog';
export { DeleteDialog, type Reference } from './dialogs/delete-dialog';
export { EmptyState, Failure, NothingFound, Notice, Placeholder, type Icon } from './feedback/feedback';
export { ProgressBar } from './feedback/progress';
export { Skeleton } from './feedback/skeleton';
export { StatusBadge, type Tone } from './feedback/status';
export { Advanced } from './fields/advanced';
export { SearchChoice } from './fields/combo';
export { ChoiceField, type Choice } from './fields/choice';
export { PasswordInput, SwitchField, TextInput } from './fields/fields';
export { FileDrop } from './fields/file-drop';
export { NumberInput } from './fields/number';
export { OrderedList, type OrderedItem } from './fields/ordered-list';
export { RadioField, type RadioChoice } from './fields/radio';
export { SearchBox } from './fields/search-box';
export { Brand, BrandMark } from './frame/brand';
export { ButtonLink, Fact, Facts, PageHead, Section, useTitle } from './frame/page';
export { AppShell, type NavigationGroup, type NavigationItem } from './frame/shell';
export { Tick } from './fields/tick';
export { useMedia } from './frame/media';
export { Stepper, type Step } from './frame/stepper';
export { Tabs, type TabItem } from './frame/tabs';
export { CommandPalette } from './palette/command-palette';
export type { Command, CommandGroup } from './palette/match';
export { ShortcutHelp } from './shortcuts/help';
export { Keys } from './shortcuts/keys';
export { useShortcut, useShortcuts, type Shortcut } from './shortcuts/shortcuts';
export { BulkBar } from './table/bulk-bar';
export { keepColumns, keptColumns, shownColumns, type TableColumn } from './table/columns';
export { DataTable, TableWaiting, type Total } from './table/data-table';
export {
  isPlain,
  listSearch,
  paramsOf,
  placeOf,
  PLAIN,
  sameState,
  sortOf,
  sortText,
  stateOf,
  type ListPlace,
  type ListState,
  type Sort,
} from './table/list-state';
export type { Period } from './table/days';
export { PeriodChip } from './table/period';
export { ColumnChoice, TableTools, type TableFilter } from './table/tools';
export { ViewMenu } from './table/view-menu';
export type { SavedView, ViewStore } from './table/views';
export {
  chooseDensity,
  chooseTheme,
  DENSITIES,
  startTheme,
  THEMES,
  useDensity,
  useTheme,
  type Density,
  type Theme,
} from './theme/theme';

/**
 * The design system: tokens and look in styles.css, behaviour from React Aria, shapes from HeroUI.
 *
 * Components here know nothing of the server, of routes or of forms. They get values and callbacks; an action
 * that is not possible is absent.
 */
export { Button, Dropdown, Spinner, Toast, toast } from '@heroui/react';
export { Header, I18nProvider, Link, RouterProvider } from 'react-aria-components';
export { CopyButton } from './content/copy';
export { ConfirmDialog, Dialog } from './dialogs/dialog';
export { EmptyState, Failure, NothingFound, Notice, Placeholder, type Icon } from './feedback/feedback';
export { StatusBadge, type Tone } from './feedback/status';
export { Advanced } from './fields/advanced';
export { ChoiceField, PasswordInput, SwitchField, TextInput, type Choice } from './fields/fields';
export { OrderedList, type OrderedItem } from './fields/ordered-list';
export { SearchBox, useSettled } from './fields/search-box';
export { Brand, BrandMark } from './frame/brand';
export { ButtonLink, Fact, Facts, PageHead, Section, useTitle } from './frame/page';
export { AppShell, type NavigationGroup, type NavigationItem } from './frame/shell';
export { DataTable, type TableColumn } from './table/data-table';
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

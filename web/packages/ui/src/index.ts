/**
 * The design system: tokens and look in styles.css, behaviour from React Aria, shapes from HeroUI.
 *
 * Components here know nothing of the server, of routes or of forms. They get values and callbacks; an action
 * that is not possible is absent.
 */
export { Button, Dropdown, Spinner, Toast, toast } from '@heroui/react';
export { Header, I18nProvider, Link, RouterProvider } from 'react-aria-components';
export { Advanced } from './components/advanced';
export { Brand, BrandMark } from './components/brand';
export { CopyButton } from './components/copy';
export { DataTable, type TableColumn } from './components/data-table';
export { ConfirmDialog, Dialog } from './components/dialog';
export { EmptyState, Failure, NothingFound, Notice, Placeholder, type Icon } from './components/feedback';
export { ChoiceField, PasswordInput, SwitchField, TextInput, type Choice } from './components/fields';
export { OrderedList, type OrderedItem } from './components/ordered-list';
export { ButtonLink, Fact, Facts, PageHead, Section, useTitle } from './components/page';
export { SearchBox, useSettled } from './components/search-box';
export { AppShell, type NavigationItem } from './components/shell';
export { StatusBadge, type Tone } from './components/status';
export { chooseTheme, startTheme, THEMES, useTheme, type Theme } from './theme';

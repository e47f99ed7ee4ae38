/**
 * Everything the pages know about the server: typed requests, the session, the live channel.
 *
 * `openapi.json` beside this folder is printed by the server and `schema.d.ts` is generated from it; both are
 * committed, and a test of the server compares the first with what it would print today.
 */
export { qrAddress, useActivation, useResetActivation } from './activation';
export { useAddresses } from './addresses';
export { useApiKeys, useCreateApiKey, useRevokeApiKey } from './api-keys';
export { auditExportAddress, useAudit, useVerifyAudit, type AuditFilter } from './audit';
export {
  contactExportAddress,
  useContactsBulk,
  useWithDevices,
  type BulkOutcome,
  type BulkTarget,
  type Matching,
} from './bulk';
export {
  callExportAddress,
  readRetention,
  useCall,
  useCalls,
  useEraseCall,
  useEraseCalls,
  useRetention,
  useSetRetention,
  type CallFilter,
  type KnownRetention,
} from './calls';
export {
  findRows,
  itemQuery,
  rowsQuery,
  tenantKey,
  useChoices,
  useCount,
  useCreate,
  useDependents,
  useDelete,
  useDeleteMany,
  useItem,
  useNewest,
  useRows,
  useUpdate,
  type DependedOn,
  type Place,
  type Rows,
  type RowsWanted,
  type Total,
} from './collection';
export { confirmation } from './confirmation';
export { useSetUpDeskPhone } from './desk-phone';
export { nextUsernameQuery, useEquip } from './equip';
export {
  importTemplateAddress,
  isUnderWay,
  useCheckImport,
  useCommitImport,
  useForgetImport,
  useImport,
  useImportPreview,
  useImportRows,
  useImports,
  useUndoImport,
  type FileToCheck,
  type Reading,
} from './imports';
export {
  useAccountLive,
  useConnection,
  useDeviceLive,
  useDevicesLive,
  useLiveChannel,
  type Connection,
} from './live';
export {
  readMailSettings,
  useMailbox,
  useMailboxMail,
  useMailPreview,
  useMails,
  useMailSettings,
  useSaveMailSettings,
  useSendInstructions,
  useShowActivation,
  useTestMail,
} from './mail';
export { tryProvider } from './provider-test';
export { isNotFound, isSignedOut, mustSetPassword, Refusal, Unreachable } from './refusal';
export {
  useAcceptInvitation,
  useChangeEmail,
  useConfirmEmail,
  useForgotPassword,
  useInvitation,
  useJoin,
  useNewPassword,
} from './recovery';
export {
  useBeginSecondFactor,
  useConfirm,
  useConfirmSecondFactor,
  useEndOtherSessions,
  useEndSession,
  useOwnSessions,
  useRemoveSecondFactor,
  useReplaceRecoveryCodes,
  useSecondFactor,
} from './security';
export {
  isHalf,
  sessionQuery,
  useCreateTenant,
  useSecondStep,
  useSession,
  useSetPassword,
  useSignIn,
  useSignOut,
} from './session';
export {
  findSignOn,
  readSignOnSettings,
  useBeginSignOn,
  useCompleteSignOn,
  useConfirmAtProvider,
  useDeleteSignOn,
  useSaveSignOn,
  useSignOnOffer,
  useSignOnSettings,
  useTestSignOn,
} from './sign-on';
export { makePuzzle, useConfirmSignUp, useSignUp, useSignUpOffer } from './sign-up';
export {
  useInvitationLink,
  useInvitations,
  useInvite,
  useMembers,
  useOwnerCount,
  useRemoveMember,
  useRequireSecondFactor,
  useResendInvitation,
  useResetSecondFactor,
  useSetRole,
  useTenantSecurity,
  useWithdrawInvitation,
  type MemberRow,
} from './team';
export { findEverything } from './search';
export { useSavedViews } from './views';
export {
  readWebhook,
  useCreateWebhook,
  useRedeliver,
  useRemoveWebhook,
  useReplaceWebhookSecret,
  useTestWebhook,
  useUpdateWebhook,
  useWebhook,
  useWebhookDeliveries,
  useWebhookDelivery,
  useWebhooks,
} from './webhooks';
export type * from './types';

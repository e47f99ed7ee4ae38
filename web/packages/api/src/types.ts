/**
 * Short names for the wire types that the pages use.
 *
 * The shapes themselves are generated from the server's description (`npm run gen`); nothing is declared
 * twice here.
 */
import type { components } from './schema';

type Schemas = components['schemas'];

export type AcceptInvitation = Schemas['AcceptInvitation'];
export type Account = Schemas['Account'];
export type AccountInput = Schemas['AccountInput'];
export type AccountLive = Schemas['AccountLive'];
export type AccountStatus = Schemas['AccountStatus'];
export type Activation = Schemas['Activation'];
export type DeskPhone = Schemas['DeskPhone'];
export type DeskPhoneMake = Schemas['DeskPhoneMake'];
export type Addresses = Schemas['Addresses'];
export type AddressHint = Schemas['AddressHint'];
export type AddressPurpose = Schemas['AddressPurpose'];
export type AddressRule = Schemas['AddressRule'];
export type ApiKey = Schemas['ApiKey'];
export type ApiKeyInput = Schemas['ApiKeyInput'];
export type AuditEntry = Schemas['AuditEntry'];
export type AuditVerification = Schemas['AuditVerification'];
export type BulkAction = Schemas['BulkAction'];
export type BulkRefused = Schemas['BulkRefused'];
export type BulkResult = Schemas['BulkResult'];
export type Call = Schemas['Call'];
export type CallDetail = Schemas['CallDetail'];
export type CallDirection = Schemas['CallDirection'];
export type CallLadder = Schemas['CallLadder'];
export type CallOutcome = Schemas['CallOutcome'];
export type CallParty = Schemas['CallParty'];
export type CallRetention = Schemas['CallRetention'];
export type Codec = Schemas['Codec'];
export type Confirmation = Schemas['Confirmation'];
export type Contact = Schemas['Contact'];
export type ContactInput = Schemas['ContactInput'];
export type Dependent = Schemas['Dependent'];
export type Dependents = Schemas['Dependents'];
export type Device = Schemas['Device'];
export type DeviceInput = Schemas['DeviceInput'];
export type DeviceLive = Schemas['DeviceLive'];
export type DeviceStatus = Schemas['DeviceStatus'];
export type DialingRule = Schemas['DialingRule'];
export type EmailLabel = Schemas['EmailLabel'];
export type HalfSignIn = Schemas['HalfSignIn'];
export type EquipInput = Schemas['EquipInput'];
export type Equipped = Schemas['Equipped'];
export type Found = Schemas['Found'];
export type FoundGroup = Schemas['FoundGroup'];
export type FoundKind = Schemas['FoundKind'];
export type Import = Schemas['Import'];
export type ImportEncoding = Schemas['ImportEncoding'];
export type ImportPreview = Schemas['ImportPreview'];
export type ImportPreviewColumn = Schemas['ImportPreviewColumn'];
export type ImportResult = Schemas['ImportResult'];
export type ImportRow = Schemas['ImportRow'];
export type ImportRowState = Schemas['ImportRowState'];
export type ImportSeparator = Schemas['ImportSeparator'];
export type ImportState = Schemas['ImportState'];
export type InstructionsInput = Schemas['InstructionsInput'];
export type Invitation = Schemas['Invitation'];
export type InvitationInput = Schemas['InvitationInput'];
export type Language = Schemas['Language'];
export type LiveFrame = Schemas['LiveFrame'];
export type LiveList = Schemas['LiveList'];
export type LivePosition = Schemas['LivePosition'];
export type Mail = Schemas['Mail'];
export type MailboxItem = Schemas['MailboxItem'];
export type MailKind = Schemas['MailKind'];
export type MailReason = Schemas['MailReason'];
export type MailSecurity = Schemas['MailSecurity'];
export type MailSettings = Schemas['MailSettings'];
export type MailSettingsInput = Schemas['MailSettingsInput'];
export type MailTest = Schemas['MailTest'];
export type Member = Schemas['Member'];
export type NewApiKey = Schemas['NewApiKey'];
export type NewPassword = Schemas['NewPassword'];
export type OwnSession = Schemas['OwnSession'];
export type PasswordChange = Schemas['PasswordChange'];
export type Problem = Schemas['Problem'];
export type Puzzle = Schemas['Puzzle'];
export type Provider = Schemas['Provider'];
export type ProviderInput = Schemas['ProviderInput'];
export type ProviderTestEvent = Schemas['ProviderTestEvent'];
export type ProviderTestInput = Schemas['ProviderTestInput'];
export type ProviderTestResult = Schemas['ProviderTestResult'];
export type Role = Schemas['Role'];
export type SecondFactor = Schemas['SecondFactor'];
export type SecondFactorKey = Schemas['SecondFactorKey'];
export type SecondStep = Schemas['SecondStep'];
export type Session = Schemas['Session'];
export type SessionUser = Schemas['SessionUser'];
export type SessionTenant = Schemas['SessionTenant'];
export type ShownInvitation = Schemas['ShownInvitation'];
export type SignIn = Schemas['SignIn'];
export type SignedOn = Schemas['SignedOn'];
export type SignOnAnswer = Schemas['SignOnAnswer'];
export type SignOnBegin = Schemas['SignOnBegin'];
export type SignOnInput = Schemas['SignOnInput'];
export type SignOnOffer = Schemas['SignOnOffer'];
export type SignOnReason = Schemas['SignOnReason'];
export type SignOnSettings = Schemas['SignOnSettings'];
export type SignOnTest = Schemas['SignOnTest'];
export type SignOnTestInput = Schemas['SignOnTestInput'];
export type SignUpConfirmation = Schemas['SignUpConfirmation'];
export type SignUpInput = Schemas['SignUpInput'];
export type SignUpOffer = Schemas['SignUpOffer'];
export type Tenant = Schemas['Tenant'];
export type TenantInput = Schemas['TenantInput'];
export type Transport = Schemas['Transport'];
export type View = Schemas['View'];
export type ViewInput = Schemas['ViewInput'];
export type ViewList = Schemas['ViewList'];
export type NewWebhook = Schemas['NewWebhook'];
export type Webhook = Schemas['Webhook'];
export type WebhookDelivery = Schemas['WebhookDelivery'];
export type WebhookDeliveryState = Schemas['WebhookDeliveryState'];
export type WebhookEvent = Schemas['WebhookEvent'];
export type WebhookInput = Schemas['WebhookInput'];

/** The four collections of a tenant: what is read and what is written. */
export interface Collections {
  providers: { item: Provider; input: ProviderInput };
  accounts: { item: Account; input: AccountInput };
  contacts: { item: Contact; input: ContactInput };
  devices: { item: Device; input: DeviceInput };
}

export type CollectionName = keyof Collections;

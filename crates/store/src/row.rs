//! Rows as they lie in the database. They never leave the crate: each aggregate turns its rows into
//! domain values. The tables and their constraints are in `migrations`.
#![expect(
    unreachable_pub,
    reason = "the entity derive wants the types around it to be pub"
)]

/// What every entity is made of.
mod columns {
    pub(super) use crate::micros::UnixMicros;
    pub(super) use sea_orm::entity::prelude::*;
}

macro_rules! entity {
    ($module:ident, $table:literal, { $($(#[$attribute:meta])* $field:ident: $kind:ty,)+ }) => {
        pub(crate) mod $module {
            use super::columns::*;

            #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
            #[sea_orm(table_name = $table)]
            pub struct Model { $($(#[$attribute])* pub $field: $kind,)+ }

            #[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
            pub enum Relation {}

            impl ActiveModelBehavior for ActiveModel {}
        }
    };
}

entity!(tenant, "tenants", {
    #[sea_orm(primary_key, auto_increment = false)]
    id: Uuid,
    slug: String,
    name: String,
    sort_name: String,
    sip_domain: String,
    demonstration: bool,
    created_at: UnixMicros,
    version: i64,
    call_retention_days: i64,
    second_factor_required: bool,
    sign_on_required: bool,
});

entity!(user, "users", {
    #[sea_orm(primary_key, auto_increment = false)]
    id: Uuid,
    email: String,
    email_key: String,
    first_name: String,
    last_name: String,
    password_phc: String,
    must_set_password: bool,
    installation_administrator: bool,
    created_at: UnixMicros,
    version: i64,
});

entity!(membership, "memberships", {
    #[sea_orm(primary_key, auto_increment = false)]
    tenant_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    user_id: Uuid,
    role: String,
    created_at: UnixMicros,
});

entity!(session, "sessions", {
    #[sea_orm(primary_key, auto_increment = false)]
    token_hash: Vec<u8>,
    user_id: Uuid,
    created_at: UnixMicros,
    last_seen_at: UnixMicros,
    expires_at: UnixMicros,
    browser: Option<String>,
    address: Option<String>,
    confirmed_at: Option<UnixMicros>,
    sign_on_tenant_id: Option<Uuid>,
    second_factor_elsewhere: bool,
});

entity!(known_browser, "known_browsers", {
    #[sea_orm(primary_key, auto_increment = false)]
    user_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    token_hash: Vec<u8>,
    last_used_at: UnixMicros,
});

entity!(second_factor, "second_factors", {
    #[sea_orm(primary_key, auto_increment = false)]
    user_id: Uuid,
    secret_sealed: Vec<u8>,
    secret_version: i64,
    confirmed_at: Option<UnixMicros>,
    last_step: i64,
    created_at: UnixMicros,
});

entity!(recovery_code, "recovery_codes", {
    #[sea_orm(primary_key, auto_increment = false)]
    user_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    code_hash: Vec<u8>,
});

entity!(half_sign_in, "half_sign_ins", {
    #[sea_orm(primary_key, auto_increment = false)]
    token_hash: Vec<u8>,
    user_id: Uuid,
    expires_at: UnixMicros,
    sign_on_tenant_id: Option<Uuid>,
});

entity!(sign_on_settings, "sign_on_settings", {
    #[sea_orm(primary_key, auto_increment = false)]
    tenant_id: Uuid,
    name: String,
    issuer: String,
    client_id: String,
    client_secret_sealed: Option<Vec<u8>>,
    secret_version: i64,
    new_people: String,
    trusts_addresses: bool,
    trusts_second_factor: bool,
    version: i64,
});

entity!(sign_on_domain, "sign_on_domains", {
    #[sea_orm(primary_key, auto_increment = false)]
    domain: String,
    tenant_id: Uuid,
});

entity!(sign_on_identity, "sign_on_identities", {
    #[sea_orm(primary_key, auto_increment = false)]
    tenant_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    issuer: String,
    #[sea_orm(primary_key, auto_increment = false)]
    subject: String,
    user_id: Uuid,
    created_at: UnixMicros,
});

entity!(sign_on_attempt, "sign_on_attempts", {
    #[sea_orm(primary_key, auto_increment = false)]
    state_hash: Vec<u8>,
    browser_hash: Vec<u8>,
    tenant_id: Uuid,
    confirms_user_id: Option<Uuid>,
    next: Option<String>,
    expires_at: UnixMicros,
});

entity!(sign_up, "sign_ups", {
    #[sea_orm(primary_key, auto_increment = false)]
    id: Uuid,
    email: String,
    email_key: String,
    first_name: String,
    last_name: String,
    company: Option<String>,
    phone: String,
    country: String,
    news: bool,
    terms: String,
    privacy: String,
    password_phc: Option<String>,
    token_hash: Option<Vec<u8>>,
    created_at: UnixMicros,
    expires_at: UnixMicros,
    confirmed_at: Option<UnixMicros>,
    tenant_id: Option<Uuid>,
});

entity!(solved_puzzle, "solved_puzzles", {
    #[sea_orm(primary_key, auto_increment = false)]
    puzzle_hash: Vec<u8>,
    expires_at: UnixMicros,
});

entity!(idempotency_key, "idempotency_keys", {
    #[sea_orm(primary_key, auto_increment = false)]
    id: Uuid,
    user_id: Uuid,
    tenant_id: Option<Uuid>,
    key_hash: Vec<u8>,
    request_hash: Vec<u8>,
    attempt: Uuid,
    attempt_until: UnixMicros,
    done: bool,
    status: Option<i64>,
    etag: Option<String>,
    answer_sealed: Option<Vec<u8>>,
    created_at: UnixMicros,
});

entity!(invitation, "invitations", {
    #[sea_orm(primary_key, auto_increment = false)]
    id: Uuid,
    tenant_id: Uuid,
    email: String,
    email_key: String,
    role: String,
    invited_by: String,
    token_hash: Vec<u8>,
    created_at: UnixMicros,
    expires_at: UnixMicros,
});

entity!(api_key, "api_keys", {
    #[sea_orm(primary_key, auto_increment = false)]
    id: Uuid,
    tenant_id: Uuid,
    user_id: Uuid,
    name: String,
    prefix: String,
    key_hash: Vec<u8>,
    scopes: String,
    created_at: UnixMicros,
    expires_at: Option<UnixMicros>,
    last_used_at: Option<UnixMicros>,
    second_factor_elsewhere: bool,
});

entity!(one_time_link, "one_time_links", {
    #[sea_orm(primary_key, auto_increment = false)]
    token_hash: Vec<u8>,
    purpose: String,
    user_id: Option<Uuid>,
    value: Option<String>,
    expires_at: UnixMicros,
});

entity!(provider, "providers", {
    #[sea_orm(primary_key, auto_increment = false)]
    id: Uuid,
    tenant_id: Uuid,
    name: String,
    sort_name: String,
    server: String,
    port: Option<i64>,
    transport: String,
    outbound_proxy: Option<String>,
    own: bool,
    created_at: UnixMicros,
    version: i64,
});

entity!(account, "sip_accounts", {
    #[sea_orm(primary_key, auto_increment = false)]
    id: Uuid,
    tenant_id: Uuid,
    provider_id: Uuid,
    name: String,
    sort_name: String,
    username: String,
    auth_username: Option<String>,
    password_sealed: Option<Vec<u8>>,
    secret_version: i64,
    enter_on_device: bool,
    transport: Option<String>,
    display_name: Option<String>,
    codecs: String,
    dialing_rules: String,
    push: bool,
    enabled: bool,
    created_at: UnixMicros,
    version: i64,
});

entity!(contact, "contacts", {
    #[sea_orm(primary_key, auto_increment = false)]
    id: Uuid,
    tenant_id: Uuid,
    first_name: String,
    last_name: String,
    sort_name: String,
    company: Option<String>,
    sort_company: Option<String>,
    job_title: Option<String>,
    in_directory: bool,
    created_at: UnixMicros,
    version: i64,
});

entity!(contact_number, "contact_numbers", {
    #[sea_orm(primary_key, auto_increment = false)]
    contact_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    position: i64,
    tenant_id: Uuid,
    number: String,
    label: String,
});

entity!(contact_email, "contact_emails", {
    #[sea_orm(primary_key, auto_increment = false)]
    contact_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    position: i64,
    tenant_id: Uuid,
    address: String,
    label: String,
});

entity!(contact_search, "contact_search", {
    #[sea_orm(primary_key)]
    seq: i64,
    tenant_id: Uuid,
    contact_id: Uuid,
    text: String,
    sort_name: Option<String>,
});

// The same rows without their text, which is looked at in the database alone.
entity!(contact_place, "contact_search", {
    #[sea_orm(primary_key, auto_increment = false)]
    contact_id: Uuid,
    tenant_id: Uuid,
    sort_name: Option<String>,
});

entity!(directory, "directories", {
    #[sea_orm(primary_key, auto_increment = false)]
    tenant_id: Uuid,
    epoch: Uuid,
    forgotten: i64,
});

entity!(directory_entry, "directory_entries", {
    #[sea_orm(primary_key, auto_increment = false)]
    contact_id: Uuid,
    tenant_id: Uuid,
    change: i64,
    present: bool,
});

entity!(device, "devices", {
    #[sea_orm(primary_key, auto_increment = false)]
    id: Uuid,
    tenant_id: Uuid,
    contact_id: Uuid,
    name: String,
    sort_name: String,
    configuration_version: i64,
    applied_version: Option<i64>,
    app_version: Option<String>,
    platform: Option<String>,
    public_key: Option<Vec<u8>>,
    credential_generation: i64,
    activated_at: Option<UnixMicros>,
    revoked_at: Option<UnixMicros>,
    last_seen_at: Option<UnixMicros>,
    created_at: UnixMicros,
    version: i64,
});

entity!(device_account, "device_accounts", {
    #[sea_orm(primary_key, auto_increment = false)]
    device_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    position: i64,
    tenant_id: Uuid,
    account_id: Uuid,
});

entity!(activation, "activations", {
    #[sea_orm(primary_key, auto_increment = false)]
    id: Uuid,
    tenant_id: Uuid,
    device_id: Uuid,
    token_hash: Vec<u8>,
    code_hash: Vec<u8>,
    token_sealed: Option<Vec<u8>>,
    code_sealed: Option<Vec<u8>>,
    created_at: UnixMicros,
    expires_at: UnixMicros,
    used_at: Option<UnixMicros>,
    mail_id: Option<Uuid>,
    hidden: bool,
});

entity!(desk_phone, "desk_phones", {
    #[sea_orm(primary_key, auto_increment = false)]
    device_id: Uuid,
    tenant_id: Uuid,
    make: String,
    token_hash: Vec<u8>,
    made_at: UnixMicros,
    fetched_at: Option<UnixMicros>,
});

entity!(device_nonce, "device_nonces", {
    #[sea_orm(primary_key, auto_increment = false)]
    device_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    nonce: String,
    expires_at: UnixMicros,
});

entity!(contact_import, "contact_imports", {
    #[sea_orm(primary_key, auto_increment = false)]
    id: Uuid,
    tenant_id: Uuid,
    made_by: String,
    file_name: String,
    encoding: String,
    separator: String,
    columns: String,
    country: Option<String>,
    state: String,
    created: i64,
    updated: i64,
    unchanged: i64,
    refused: i64,
    progress: i64,
    kept: i64,
    acted_by: Option<String>,
    created_at: UnixMicros,
    committed_at: Option<UnixMicros>,
    undone_at: Option<UnixMicros>,
});

entity!(contact_import_row, "contact_import_rows", {
    #[sea_orm(primary_key, auto_increment = false)]
    id: Uuid,
    import_id: Uuid,
    number: i64,
    line: i64,
    result: String,
    state: String,
    name: String,
    contact_id: Option<Uuid>,
    version: Option<i64>,
    fields: Option<String>,
    before: Option<String>,
    errors: String,
});

entity!(view, "views", {
    #[sea_orm(primary_key, auto_increment = false)]
    id: Uuid,
    tenant_id: Uuid,
    user_id: Uuid,
    list: String,
    name: String,
    search: String,
    sort: String,
    filters: String,
    columns: Option<String>,
    created_at: UnixMicros,
});

entity!(registration, "registrations", {
    #[sea_orm(primary_key, auto_increment = false)]
    id: i64,
    expires_at: i64,
    bindings: Vec<u8>,
});

entity!(call, "calls", {
    #[sea_orm(primary_key, auto_increment = false)]
    id: Uuid,
    tenant_id: Uuid,
    call_id: Uuid,
    source: String,
    direction: String,
    started_at: UnixMicros,
    answered_at: Option<UnixMicros>,
    ended_at: Option<UnixMicros>,
    outcome: String,
    reason: Option<String>,
    status: Option<i64>,
    link: Option<String>,
    linked_by: Option<String>,
    caller_account_id: Option<Uuid>,
    caller_device_id: Option<Uuid>,
    caller_address: Option<String>,
    caller_name: Option<String>,
    caller_number: Option<String>,
    callee_account_id: Option<Uuid>,
    callee_device_id: Option<Uuid>,
    callee_address: Option<String>,
    callee_name: Option<String>,
    callee_number: Option<String>,
    dialled: String,
    sip_call_id: Option<String>,
});

entity!(call_number, "call_numbers", {
    #[sea_orm(primary_key, auto_increment = false)]
    tenant_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    number: String,
});

entity!(audit_entry, "audit_entries", {
    #[sea_orm(primary_key, auto_increment = false)]
    id: Uuid,
    tenant_id: Option<Uuid>,
    at: UnixMicros,
    actor: String,
    action: String,
    subject: String,
    detail: String,
    object_id: Option<Uuid>,
    source: Option<String>,
    changes: Option<String>,
    sequence: Option<i64>,
    hash: Option<Vec<u8>>,
});

entity!(audit_chain, "audit_chains", {
    #[sea_orm(primary_key, auto_increment = false)]
    chain: Uuid,
    sequence: i64,
    hash: Vec<u8>,
});

entity!(mail, "mails", {
    #[sea_orm(primary_key, auto_increment = false)]
    id: Uuid,
    tenant_id: Option<Uuid>,
    activation_id: Option<Uuid>,
    kind: String,
    recipient: String,
    state: String,
    reason: Option<String>,
    detail: Option<String>,
    attempts: i64,
    next_attempt_at: Option<UnixMicros>,
    created_at: UnixMicros,
    ended_at: Option<UnixMicros>,
    content_sealed: Option<Vec<u8>>,
});

entity!(mail_settings, "mail_settings", {
    #[sea_orm(primary_key, auto_increment = false)]
    tenant_id: Uuid,
    language: String,
    reply_to: Option<String>,
    download_windows: Option<String>,
    download_macos: Option<String>,
    download_linux: Option<String>,
    download_android: Option<String>,
    download_ios: Option<String>,
    host: Option<String>,
    port: Option<i64>,
    security: Option<String>,
    sender_name: Option<String>,
    sender_address: Option<String>,
    username: Option<String>,
    password_sealed: Option<Vec<u8>>,
    secret_version: i64,
    version: i64,
});

entity!(webhook, "webhooks", {
    #[sea_orm(primary_key, auto_increment = false)]
    id: Uuid,
    tenant_id: Uuid,
    name: String,
    url: String,
    events: String,
    enabled: bool,
    off_reason: Option<String>,
    secret_sealed: Vec<u8>,
    secret_version: i64,
    previous_sealed: Option<Vec<u8>>,
    previous_until: Option<UnixMicros>,
    failing_since: Option<UnixMicros>,
    dropped: i64,
    created_at: UnixMicros,
    version: i64,
});

entity!(webhook_event, "webhook_events", {
    #[sea_orm(primary_key, auto_increment = false)]
    id: Uuid,
    tenant_id: Uuid,
    kind: String,
    object_id: Option<Uuid>,
    occurred_at: UnixMicros,
    data: Option<String>,
});

entity!(webhook_delivery, "webhook_deliveries", {
    #[sea_orm(primary_key, auto_increment = false)]
    id: Uuid,
    tenant_id: Uuid,
    webhook_id: Uuid,
    event_id: Uuid,
    state: String,
    attempts: i64,
    next_attempt_at: Option<UnixMicros>,
    created_at: UnixMicros,
    attempted_at: Option<UnixMicros>,
    ended_at: Option<UnixMicros>,
    reason: Option<String>,
    status: Option<i64>,
    excerpt: Option<String>,
    took_ms: Option<i64>,
});

entity!(webhook_watch, "webhook_watches", {
    #[sea_orm(primary_key, auto_increment = false)]
    tenant_id: Uuid,
    created_at: UnixMicros,
});

entity!(webhook_present, "webhook_present", {
    #[sea_orm(primary_key, auto_increment = false)]
    tenant_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    object_id: Uuid,
});

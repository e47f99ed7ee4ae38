//! Signing up: what is agreed to, the puzzle, the form, and the link that confirms it.
//!
//! An address that has access already is not told to who asks: the same work is done, and its owner gets a mail.

use std::time::Instant;

use api::{FieldError, Puzzle, SignUpConfirmation, SignUpInput, SignUpOffer};
use axum::{
    Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use axum_extra::extract::CookieJar;
use serde_json::json;
use store::{
    Secret, StoreError, Transaction, begin, commit,
    sign_up::{self, NewSignUp, SIGN_UP_LIFE, SignUp},
    tenant::{NewTenant, Tenant},
    user::{NewUser, User},
};
use time::OffsetDateTime;

use super::{
    Refused,
    session::{Proved, begin_session},
    tenants::free_slug,
};
use crate::{
    app::App,
    audit::Deed,
    config::SignUpConfig,
    error::ApiError,
    extract::{Body, Source},
    limits::Mailed,
    mail::{Letter, LinkLetter, SecurityEvent},
    notice,
    proof::{self, email_key},
    puzzle::{self, Solved},
    validate::{Fields, slug_of},
    visit::Visit,
};

/// Whether people may sign up here, and what they agree to.
#[utoipa::path(get, operation_id = "sign_up_show", path = "/sign-up", tag = "session",
    responses((status = 200, body = SignUpOffer), Refused))]
pub(crate) async fn show(State(app): State<App>) -> Json<SignUpOffer> {
    let offered = app.config.sign_up.as_ref();
    Json(SignUpOffer {
        open: offered.is_some(),
        terms: offered.map(|offered| offered.terms.clone()),
        privacy: offered.map(|offered| offered.privacy.clone()),
    })
}

/// A puzzle for the browser, solved while its person fills in the form.
#[utoipa::path(post, operation_id = "sign_up_puzzle", path = "/sign-up/puzzle", tag = "session",
    responses((status = 200, body = Puzzle), Refused))]
pub(crate) async fn make_puzzle(State(app): State<App>) -> Result<Json<Puzzle>, ApiError> {
    let bits = offered(&app)?.puzzle_bits;
    let now = OffsetDateTime::now_utc();
    Ok(Json(Puzzle {
        text: puzzle::make(bits, &app.vault, now),
        bits,
        expires_at: now + puzzle::PUZZLE_LIFE,
    }))
}

/// Sign up. A link is mailed that confirms it. The answer says nothing about whether the address is known.
#[utoipa::path(post, operation_id = "sign_up_begin", path = "/sign-up", tag = "session", request_body = SignUpInput,
    responses((status = 202), Refused))]
pub(crate) async fn begin_sign_up(
    State(app): State<App>,
    Source(source): Source,
    visit: Visit,
    Body(input): Body<SignUpInput>,
) -> Result<StatusCode, ApiError> {
    let offered = offered(&app)?;
    let checked = check(&input)?;
    let (tried, now) = (Instant::now(), OffsetDateTime::now_utc());
    app.limits.sign_ups.take(source, tried)?;
    let solved = solved(&input, offered, now, &app)?;
    let mailed = (Mailed::SignUp, email_key(&checked.email));
    app.limits.all_sign_ups.check(&(), tried)?;
    app.limits.mailed_to.check(&mailed, tried)?;
    use_puzzle(&input.puzzle, solved, &app).await?;
    // What others share counts only who worked for it: nobody is kept out for nothing.
    app.limits.all_sign_ups.take((), tried)?;
    app.limits.mailed_to.take(mailed, tried)?;
    let phc = Secret::new(app.passwords.hash(input.password).await?);
    let new = NewSignUp {
        email: &checked.email,
        first_name: &checked.first_name,
        last_name: &checked.last_name,
        company: checked.company.as_deref(),
        phone: &checked.phone,
        country: &checked.country,
        news: input.news,
        terms: &offered.terms,
        privacy: &offered.privacy,
        password_phc: &phc,
    };
    let transaction = begin(&app.db).await?;
    let known = store::user::find_by_email(&checked.email, &transaction).await?;
    // For an address that has access the row is made too, with a token that nobody gets.
    let token = sign_up::insert(&new, now, &transaction).await?;
    match known {
        Some((user, _)) => {
            let event = SecurityEvent::SignedUpAgain;
            notice::queue(event, &user, &visit, now, &app, &transaction).await?;
        }
        None => {
            let letter = Letter::SignUp(LinkLetter {
                name: checked.first_name.clone(),
                link: format!("{}/confirm#{}", app.config.public_url, token.reveal()),
                expires: now + SIGN_UP_LIFE,
            });
            notice::send(&letter, &checked.email, &visit, now, &app, &transaction).await?;
        }
    }
    let deed = Deed::new("sign_up.create", &checked.email);
    visit
        .note_in(None, &checked.email, &deed, now, &transaction)
        .await?;
    commit(transaction).await?;
    app.mail.wake();
    Ok(StatusCode::ACCEPTED)
}

/// Confirm a sign-up by the link and the password that was chosen: makes the tenant and its owner, who is signed in.
///
/// The link proves whose mailbox it is; who has only asked for the mail chose another password than its reader.
#[utoipa::path(post, operation_id = "sign_up_complete", path = "/sign-up/confirmation", tag = "session", request_body = SignUpConfirmation,
    responses((status = 200, body = api::Session), Refused))]
pub(crate) async fn complete(
    State(app): State<App>,
    Source(source): Source,
    visit: Visit,
    jar: CookieJar,
    Body(input): Body<SignUpConfirmation>,
) -> Result<Response, ApiError> {
    offered(&app)?;
    let tried = Instant::now();
    app.limits.links.check(&source, tried)?;
    let now = OffsetDateTime::now_utc();
    let Some((email, phc)) = sign_up::find(&input.token, now, &app.db).await? else {
        app.limits.links.take(source, tried)?;
        return Err(ApiError::LinkRefused);
    };
    if !proof::chosen_password(&email, &phc, input.password, visit.address, &app).await? {
        let mut fields = Fields::default();
        fields.wrong("password", NOT_CHOSEN);
        fields.finish()?;
    }
    let transaction = begin(&app.db).await?;
    let confirmed = sign_up::confirm(&input.token, now, &transaction).await?;
    let confirmed = confirmed.ok_or(ApiError::LinkRefused)?;
    let user = make_owner(&confirmed, now, &transaction).await?;
    let tenant = make_tenant(&confirmed, &user, now, &transaction, &app).await?;
    sign_up::belongs_to(confirmed.id, tenant.id, &transaction).await?;
    let agreed = json!({"name": tenant.name, "slug": tenant.slug, "phone": confirmed.phone, "country": confirmed.country,
        "news": confirmed.news, "terms": confirmed.terms, "privacy": confirmed.privacy});
    let deed = Deed::new("tenant.create", &tenant.name)
        .of(tenant.id)
        .made(&agreed);
    visit
        .note_in(Some(tenant.id), &user.email, &deed, now, &transaction)
        .await?;
    commit(transaction).await?;
    let begun = begin_session(Proved::own(user), &visit, jar, now, &app).await?;
    Ok(begun.into_response())
}

/// What people sign up to; where they may not, there is nothing here.
fn offered(app: &App) -> Result<&SignUpConfig, ApiError> {
    app.config.sign_up.as_ref().ok_or(ApiError::NotFound)
}

fn solved(
    input: &SignUpInput,
    offered: &SignUpConfig,
    now: OffsetDateTime,
    app: &App,
) -> Result<Solved, ApiError> {
    let (text, bits) = (&input.puzzle, offered.puzzle_bits);
    puzzle::check(text, input.solution, bits, &app.vault, now).ok_or_else(puzzle_refused)
}

async fn use_puzzle(text: &str, solved: Solved, app: &App) -> Result<(), ApiError> {
    if sign_up::use_puzzle(text, solved.expires_at, &app.db).await? {
        Ok(())
    } else {
        Err(puzzle_refused())
    }
}

fn puzzle_refused() -> ApiError {
    ApiError::Invalid(vec![FieldError {
        field: "puzzle".to_owned(),
        message: "Your browser has to prove anew that you are no program. Please try again."
            .to_owned(),
    }])
}

/// What somebody said of themselves, in form.
struct Checked {
    first_name: String,
    last_name: String,
    company: Option<String>,
    email: String,
    phone: String,
    country: String,
}

fn check(input: &SignUpInput) -> Result<Checked, ApiError> {
    let mut fields = Fields::default();
    let checked = Checked {
        first_name: fields.text("first_name", &input.first_name, 100),
        last_name: fields.text("last_name", &input.last_name, 100),
        company: fields.optional_text("company", input.company.as_deref(), 100),
        email: fields.email("email", &input.email),
        phone: fields.e164("phone", &input.phone),
        country: fields.country("country", &input.country),
    };
    fields.new_password("password", &input.password);
    for (field, agreed) in [("terms", input.terms), ("privacy", input.privacy)] {
        if !agreed {
            fields.wrong(field, "Please agree, to sign up.");
        }
    }
    fields.finish()?;
    Ok(checked)
}

async fn make_owner(
    confirmed: &SignUp,
    now: OffsetDateTime,
    transaction: &Transaction,
) -> Result<User, ApiError> {
    let new = NewUser {
        email: &confirmed.email,
        first_name: &confirmed.first_name,
        last_name: &confirmed.last_name,
        installation_administrator: false,
        password_phc: &confirmed.password_phc,
    };
    let made = match store::user::insert(&new, now, transaction).await {
        // Invited and accepted meanwhile, say.
        Err(StoreError::Conflict { .. }) => {
            return Err(ApiError::Conflict {
                field: "",
                message: "You have access already. Please sign in.",
            });
        }
        made => made?,
    };
    store::user::set_password(made.id, &confirmed.password_phc, transaction).await?;
    Ok(store::user::load(made.id, transaction).await?)
}

/// Named after the company, or after the person.
async fn make_tenant(
    confirmed: &SignUp,
    owner: &User,
    now: OffsetDateTime,
    transaction: &Transaction,
    app: &App,
) -> Result<Tenant, ApiError> {
    let name = match &confirmed.company {
        Some(company) => company.clone(),
        None => format!("{} {}", confirmed.first_name, confirmed.last_name),
    };
    let name: String = name.chars().take(100).collect();
    let slug = free_slug(&slug_of(&name), transaction).await?;
    let new = NewTenant {
        slug: &slug,
        name: &name,
        sip_domain: &app.config.sip_domain(&slug),
        demonstration: false,
        owner: owner.id,
    };
    Ok(store::tenant::insert(&new, now, transaction).await?)
}

const NOT_CHOSEN: &str = "This is not the password that was chosen. If you did not sign up, or forgot it, please sign up anew.";

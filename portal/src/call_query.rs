//! Which calls a request asks for: its query parameters as a filter and a page.

use api::CallQuery;
use axum::{extract::FromRequestParts, http::request::Parts};
use store::{
    PageRequest,
    call::{CallFilter, CallSort},
};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use crate::{app::App, error::ApiError, extract::Asked, validate::Fields};

/// What a search may have at most, in characters.
const MAX_SEARCH: usize = 100;

/// Which calls are asked for.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    /// As it was asked, for the audit log.
    pub(crate) query: CallQuery,
    pub(crate) filter: CallFilter,
    pub(crate) page: PageRequest<CallSort>,
}

impl FromRequestParts<App> for Wanted {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let Asked(query) = Asked::<CallQuery>::from_request_parts(parts, app).await?;
        let mut fields = Fields::default();
        let sort = fields.sort("sort", query.sort.as_deref());
        let limit = fields.limit(query.limit);
        let after = fields.after(query.after.as_deref());
        fields.finish()?;
        Ok(Self {
            filter: filter(&query)?,
            page: PageRequest {
                limit,
                after,
                search: None,
                sort,
                total: query.total.unwrap_or(false),
            },
            query,
        })
    }
}

fn filter(query: &CallQuery) -> Result<CallFilter, ApiError> {
    let mut fields = Fields::default();
    let from = moment("from", query.from.as_deref(), &mut fields);
    let until = moment("until", query.until.as_deref(), &mut fields);
    if let (Some(from), Some(until)) = (from, until)
        && until <= from
    {
        fields.wrong("until", "Please enter a time after the beginning.");
    }
    let search = fields.optional_text("search", query.search.as_deref(), MAX_SEARCH);
    let outcomes = fields.words("outcome", query.outcome.as_deref());
    let directions = fields.words("direction", query.direction.as_deref());
    fields.finish()?;
    Ok(CallFilter {
        contact: query.contact_id,
        account: query.account_id,
        from,
        until,
        outcomes,
        directions,
        search,
    })
}

fn moment(field: &str, text: Option<&str>, fields: &mut Fields) -> Option<OffsetDateTime> {
    let text = text.filter(|text| !text.is_empty())?;
    let parsed = OffsetDateTime::parse(text, &Rfc3339).ok();
    if parsed.is_none() {
        fields.wrong(
            field,
            "Please enter a time as in RFC 3339, such as 2026-11-23T08:00:00Z.",
        );
    }
    parsed
}

//! Which calls a request asks for: its query parameters as a filter and a page.

use api::CallQuery;
use axum::{
    extract::{FromRequestParts, Query},
    http::{StatusCode, request::Parts},
};
use store::{PageRequest, call::CallFilter};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use crate::{app::App, call_wire, error::ApiError, validate::Fields};

/// What a search may have at most, in characters.
const MAX_SEARCH: usize = 100;

/// Which calls are asked for.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    /// As it was asked, for the audit log.
    pub(crate) query: CallQuery,
    pub(crate) filter: CallFilter,
    pub(crate) page: PageRequest,
}

impl FromRequestParts<App> for Wanted {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let malformed = |detail: String| ApiError::Malformed {
            status: StatusCode::BAD_REQUEST,
            detail,
        };
        let Query(query) = Query::<CallQuery>::from_request_parts(parts, app)
            .await
            .map_err(|rejection| malformed(rejection.body_text()))?;
        let after = query.after.as_deref().map(str::parse).transpose();
        let after =
            after.map_err(|_| malformed("`after` is not the `next` of a list.".to_owned()))?;
        let limit = query.limit.unwrap_or(PageRequest::default().limit);
        Ok(Self {
            filter: filter(&query)?,
            query,
            page: PageRequest {
                limit,
                after,
                search: None,
            },
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
    fields.finish()?;
    Ok(CallFilter {
        contact: query.contact_id,
        account: query.account_id,
        from,
        until,
        outcome: query.outcome.map(call_wire::stored_outcome),
        direction: query.direction.map(call_wire::stored_direction),
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

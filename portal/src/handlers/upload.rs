//! A file in the body of a request: its bytes and how the description of the interface speaks of them. What is in it is its reader's concern.

use axum::{
    body::Bytes,
    extract::{FromRequest, Request},
    http::{StatusCode, header::CONTENT_TYPE},
};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{Object, RefOr, Schema, schema::SchemaType},
};

use super::imports::too_large;
use crate::{app::App, error::ApiError};

/// The schema of a body whose bytes may be any, in any encoding: the empty one, as OpenAPI 3.1 wants it (4.8.14, "Considerations for File Uploads"),
/// since each other would call some files wrong.
#[derive(Debug)]
pub(crate) struct AnyBytes;

impl PartialSchema for AnyBytes {
    fn schema() -> RefOr<Schema> {
        Object::with_type(SchemaType::AnyValue).into()
    }
}

impl ToSchema for AnyBytes {}

/// The bytes of a file in the body.
#[derive(Debug)]
pub(crate) struct Upload(pub(super) Bytes);

impl FromRequest<App> for Upload {
    type Rejection = ApiError;

    async fn from_request(request: Request, app: &App) -> Result<Self, ApiError> {
        let kind = request.headers().get(CONTENT_TYPE);
        let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        if !kind.to_ascii_lowercase().starts_with("text/csv") {
            return Err(ApiError::Malformed {
                status: StatusCode::UNSUPPORTED_MEDIA_TYPE,
                detail: "The body must be the file (Content-Type: text/csv).".to_owned(),
            });
        }
        match Bytes::from_request(request, app).await {
            Ok(bytes) => Ok(Self(bytes)),
            Err(rejection) if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => {
                Err(too_large("The file is larger than 5 MB. Please split it."))
            }
            Err(rejection) => Err(ApiError::Malformed {
                status: rejection.status(),
                detail: rejection.body_text(),
            }),
        }
    }
}

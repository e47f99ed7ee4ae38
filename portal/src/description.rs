//! The description of the HTTP interface (OpenAPI 3.1): what stands in it once for all operations.
//!
//! Each handler describes its own operation; here is what they share: who may call it, said by the table of rights, and the fields of
//! headers that several take.

use utoipa::{
    OpenApi,
    openapi::{
        self, PathItem, RefOr, Schema, SecurityRequirement,
        path::{Operation, Parameter},
        security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme},
    },
};

use crate::{
    access::{Who, rules},
    extract::SESSION_COOKIE,
    idempotency, router,
};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Tandem portal",
        description = "Accounts, devices, activation and provisioning. Errors are problem details (RFC 9457). A request that \
            creates something may carry an `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header-07), a string that was never used \
            before: sent again within 24 hours, the same request with the same key gets the first answer and creates nothing more."
    ),
    components(schemas(
        api::LiveFrame,
        api::LiveRequest,
        api::DeviceFrame,
        api::DeviceUpload,
        api::Problem,
        api::WebhookTest
    ))
)]
struct Description;

/// The description without operations.
pub(crate) fn general() -> openapi::OpenApi {
    let mut general = Description::openapi();
    let components = general.components.get_or_insert_default();
    let bearer = || HttpBuilder::new().scheme(HttpAuthScheme::Bearer);
    for (name, scheme) in [
        (
            SESSION,
            SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::new(SESSION_COOKIE))),
        ),
        (KEY, SecurityScheme::Http(bearer().build())),
        (
            "device",
            SecurityScheme::Http(bearer().bearer_format("JWT").build()),
        ),
    ] {
        components.add_security_scheme(name, scheme);
    }
    general
}

/// Somebody signed in.
const SESSION: &str = "session";
/// A program with an API key.
const KEY: &str = "key";

/// The description of the interface (OpenAPI 3.1), as JSON.
///
/// # Panics
///
/// If the description cannot be written as JSON, which a test excludes.
pub fn openapi_json() -> String {
    let (_, mut described) = router::interface().split_for_parts();
    for operation in described.paths.paths.values_mut().flat_map(operations) {
        admit_programs(operation);
        for parameter in operation.parameters.iter_mut().flatten() {
            if let RefOr::T(parameter) = parameter {
                bound_key(parameter);
            }
        }
    }
    described
        .to_pretty_json()
        .expect("the description is plain data")
}

fn operations(path: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    let PathItem {
        get,
        put,
        post,
        delete,
        ..
    } = path;
    [get, put, post, delete].into_iter().flatten()
}

/// What programs may call besides people is known to the table of rights alone.
fn admit_programs(operation: &mut Operation) {
    let id = operation.operation_id.as_deref();
    let rule = rules().iter().find(|rule| Some(rule.operation) == id);
    let admitted = rule.is_some_and(|rule| {
        matches!(rule.who, Who::Member(..)) && !rule.people_only && !rule.confirmed
    });
    if admitted {
        let key = SecurityRequirement::new(KEY, Vec::<String>::new());
        operation.security.get_or_insert_default().push(key);
    }
}

/// Says how a key looks.
fn bound_key(parameter: &mut Parameter) {
    if parameter.name.eq_ignore_ascii_case(idempotency::FIELD)
        && let Some(RefOr::T(Schema::Object(text))) = &mut parameter.schema
    {
        text.pattern = Some(idempotency::PATTERN.to_owned());
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn programs_are_admitted_where_the_table_admits_them() {
        let described: Value = serde_json::from_str(&openapi_json()).unwrap();
        let security = |path: &str, method: &str| {
            described["paths"][format!("/api/v1/tenants/{{tenant}}/{path}")][method]["security"]
                .clone()
        };
        let people = json!([{"session": []}]);
        assert_eq!(
            security("contacts", "post"),
            json!([{"session": []}, {"key": []}])
        );
        assert_eq!(
            security("contacts/equip", "post"),
            people,
            "for people only"
        );
        assert_eq!(
            security("api-keys", "post"),
            people,
            "after a confirmation only"
        );
        let of_device = &described["paths"]["/api/v1/device/configuration"]["get"]["security"];
        assert_eq!(*of_device, json!([{"device": []}]));
    }
}

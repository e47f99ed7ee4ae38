//! What the audit log says of a change: which fields, from what to what.
//!
//! Changes are made of wire types, which hold no secrets; a secret that was replaced is noted by its name
//! alone. Values that follow from other things (status, version) are left out.
//!
//! A deed also carries the object as a whole, which webhooks are told.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Map, Value, json};
use store::{
    Role,
    audit::{AuditEntry, NewAuditEntry},
};
use uuid::Uuid;

use crate::access::{Access, Area};

/// Something that was done to an object.
#[derive(Clone, Debug)]
pub(crate) struct Deed<'a> {
    action: &'static str,
    subject: &'a str,
    object: Option<Uuid>,
    changes: Option<String>,
    /// The object as it is now or, if it is gone, as it was.
    shown: Option<Value>,
}

impl<'a> Deed<'a> {
    /// `action` is `object.verb`; `subject` what people call the object.
    pub(crate) fn new(action: &'static str, subject: &'a str) -> Self {
        Self {
            action,
            subject,
            object: None,
            changes: None,
            shown: None,
        }
    }

    /// To this object.
    pub(crate) fn of(self, object: Uuid) -> Self {
        Self {
            object: Some(object),
            ..self
        }
    }

    /// The object was made, and is this.
    pub(crate) fn made(self, after: &impl Serialize) -> Self {
        self.difference(Map::new(), fields(after)).showing(after)
    }

    /// The object was this, and is gone.
    pub(crate) fn removed(self, before: &impl Serialize) -> Self {
        self.difference(fields(before), Map::new()).showing(before)
    }

    /// The object was changed.
    pub(crate) fn changed(self, before: &impl Serialize, after: &impl Serialize) -> Self {
        self.difference(fields(before), fields(after))
            .showing(after)
    }

    /// The object is this, whether or not its fields have changed.
    pub(crate) fn showing(self, object: &impl Serialize) -> Self {
        Self {
            shown: serde_json::to_value(object).ok(),
            ..self
        }
    }

    /// A secret of the object was replaced.
    pub(crate) fn replaced(mut self, secret: &str) -> Self {
        let mut changes: Map<_, _> = self
            .changes
            .and_then(|text| serde_json::from_str(&text).ok())
            .unwrap_or_default();
        changes.insert(secret.to_owned(), json!([HIDDEN, HIDDEN]));
        self.changes = Some(Value::Object(changes).to_string());
        self
    }

    fn difference(self, mut before: Map<String, Value>, after: Map<String, Value>) -> Self {
        let mut changes = Map::new();
        for (field, new) in after {
            let old = before.remove(&field).unwrap_or_default();
            if old != new && !(is_empty(&old) && is_empty(&new)) {
                changes.insert(field, json!([old, new]));
            }
        }
        for (field, old) in before {
            if !is_empty(&old) {
                changes.insert(field, json!([old, null]));
            }
        }
        let mut text = Value::Object(changes.clone()).to_string();
        if text.len() > MAX_CHANGES_BYTES {
            for value in changes.values_mut() {
                *value = json!([HIDDEN, HIDDEN]);
            }
            text = Value::Object(changes).to_string();
        }
        Self {
            changes: Some(text),
            ..self
        }
    }

    pub(crate) fn action(&self) -> &'static str {
        self.action
    }

    pub(crate) fn object(&self) -> Option<Uuid> {
        self.object
    }

    /// The object as it is now or, if it is gone, as it was.
    pub(crate) fn shown(&self) -> Option<&Value> {
        self.shown.as_ref()
    }

    /// The entry without its actor.
    pub(crate) fn entry(&self) -> NewAuditEntry<'_> {
        NewAuditEntry {
            action: self.action,
            subject: self.subject,
            object: self.object,
            changes: self.changes.as_deref(),
            ..NewAuditEntry::default()
        }
    }
}

/// Each field that differs, with its value before and after.
pub(crate) fn differences(
    before: Option<&impl Serialize>,
    after: &impl Serialize,
) -> BTreeMap<String, [Value; 2]> {
    let mut before = before.map(fields).unwrap_or_default();
    let each = fields(after).into_iter().map(|(field, new)| {
        let old = before.remove(&field).unwrap_or_default();
        (field, [old, new])
    });
    let differs = |change: &(String, [Value; 2])| {
        let [old, new] = &change.1;
        old != new && !(is_empty(old) && is_empty(new))
    };
    each.filter(differs).collect()
}

fn fields(object: &impl Serialize) -> Map<String, Value> {
    let Ok(Value::Object(mut fields)) = serde_json::to_value(object) else {
        return Map::new();
    };
    fields.retain(|name, _| !DERIVED.contains(&name.as_str()));
    fields
}

/// The changes of an entry as somebody with this role may see them: of what they may not look at elsewhere only which fields
/// were changed.
pub(crate) fn changes_for(role: Role, entry: &AuditEntry) -> BTreeMap<String, [Value; 2]> {
    let changes = entry.changes.as_deref();
    let mut changes: BTreeMap<String, [Value; 2]> = changes
        .and_then(|text| serde_json::from_str(text).ok())
        .unwrap_or_default();
    if area_of(&entry.action).is_some_and(|area| !area.allows(Access::Read, role)) {
        for value in changes.values_mut() {
            *value = [HIDDEN, HIDDEN].map(Value::from);
        }
    }
    changes
}

/// What an action is about, where looking at that takes more than looking at the audit log.
fn area_of(action: &str) -> Option<Area> {
    match action.split_once('.')?.0 {
        "mail_settings" => Some(Area::Mail),
        "sign_on" => Some(Area::SignOn),
        "webhook" => Some(Area::Webhooks),
        "api_key" => Some(Area::ApiKeys),
        _ => None,
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        _ => false,
    }
}

/// Follow from other things, or are said elsewhere in the entry.
const DERIVED: &[&str] = &[
    "id",
    "status",
    "version",
    "not_started",
    "pending_update",
    "last_seen_at",
];
/// Stands for a value that is not told.
const HIDDEN: &str = "***";
/// Beyond this only the names of the fields are kept.
const MAX_CHANGES_BYTES: usize = 16 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    fn changes(deed: &Deed<'_>) -> Value {
        serde_json::from_str(deed.entry().changes.unwrap()).unwrap()
    }

    #[test]
    fn only_fields_that_differ_are_noted() {
        let before =
            json!({"id": 1, "version": 3, "name": "Front desk", "codecs": [], "port": 5060});
        let after =
            json!({"id": 1, "version": 4, "name": "Reception", "codecs": null, "port": 5060});
        let deed = Deed::new("account.update", "Reception").changed(&before, &after);
        assert_eq!(changes(&deed), json!({"name": ["Front desk", "Reception"]}));
    }

    #[test]
    fn what_was_made_or_removed_is_noted_whole() {
        let object = json!({"name": "Reception", "company": null});
        let made = Deed::new("contact.create", "").made(&object);
        assert_eq!(changes(&made), json!({"name": [null, "Reception"]}));
        let removed = Deed::new("contact.delete", "").removed(&object);
        assert_eq!(changes(&removed), json!({"name": ["Reception", null]}));
    }

    #[test]
    fn of_secrets_and_of_long_values_only_the_names_are_noted() {
        let (before, after) = (json!({"text": "x"}), json!({"text": "x".repeat(20_000)}));
        let deed = Deed::new("account.update", "")
            .changed(&before, &after)
            .replaced("password");
        let hidden = json!(["***", "***"]);
        assert_eq!(changes(&deed), json!({"text": hidden, "password": hidden}));
    }
}

//! What a key may be used for: an area and an access, written `contacts:read`.

use std::{fmt, str::FromStr};

use super::{Access, Area};

/// One thing that a key may be used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scope {
    /// About what.
    pub area: Area,
    /// To look, or also to change.
    pub access: Access,
}

/// The text names no scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a scope")]
pub struct NoScope;

impl Scope {
    /// Whether it covers this: who may change things may look at them.
    pub fn covers(self, area: Area, access: Access) -> bool {
        self.area == area && (self.access == access || self.access == Access::Write)
    }
}

impl FromStr for Scope {
    type Err = NoScope;

    fn from_str(text: &str) -> Result<Self, NoScope> {
        let (area, access) = text.split_once(':').ok_or(NoScope)?;
        let area = AREAS.iter().find(|(_, name)| *name == area);
        let access = match access {
            "read" => Access::Read,
            "write" => Access::Write,
            _ => return Err(NoScope),
        };
        area.map(|(area, _)| Self {
            area: *area,
            access,
        })
        .ok_or(NoScope)
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let area = AREAS.iter().find(|(area, _)| *area == self.area);
        let access = match self.access {
            Access::Read => "read",
            Access::Write => "write",
        };
        write!(f, "{}:{access}", area.map_or("none", |(_, name)| name))
    }
}

/// The areas that keys reach. What is missing is for people only: the mailbox, the live channel of the pages, how people sign in, the keys
/// themselves.
const AREAS: &[(Area, &str)] = &[
    (Area::Members, "members"),
    (Area::Providers, "providers"),
    (Area::Accounts, "accounts"),
    (Area::Contacts, "contacts"),
    (Area::Devices, "devices"),
    (Area::Activations, "activations"),
    (Area::Mail, "mail"),
    (Area::Calls, "calls"),
    (Area::Retention, "retention"),
    (Area::Audit, "audit"),
    (Area::Webhooks, "webhooks"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_scope_survives_its_text() {
        for (area, _) in AREAS {
            for access in [Access::Read, Access::Write] {
                let scope = Scope {
                    area: *area,
                    access,
                };
                assert_eq!(scope.to_string().parse(), Ok(scope));
            }
        }
        for text in [
            "",
            "contacts",
            "contacts:",
            ":read",
            "contacts:own",
            "mailbox:read",
            "Contacts:read",
        ] {
            assert_eq!(text.parse::<Scope>(), Err(NoScope), "{text}");
        }
    }

    #[test]
    fn who_may_change_may_look_and_nothing_else() {
        let scope = |text: &str| text.parse::<Scope>().unwrap();
        assert!(scope("contacts:write").covers(Area::Contacts, Access::Read));
        assert!(!scope("contacts:read").covers(Area::Contacts, Access::Write));
        assert!(!scope("contacts:write").covers(Area::Devices, Access::Read));
    }
}

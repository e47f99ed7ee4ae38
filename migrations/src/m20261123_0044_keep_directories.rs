//! The database itself numbers the changes of directories, whoever writes: a contact in the directory was made, changed or removed, came
//! into the directory or left it, or has other accounts on its devices. A restore, which inserts contacts too, numbers them anew.
//!
//! The row of the directory is locked until the end of the transaction that changes an entry, so numbers become visible in their order:
//! whoever sees one sees all below it. What a contact's entry is made of is looked at only behind that lock. The row itself is not
//! written: PostgreSQL would keep each version of it until the end, and an import of ten thousand contacts would walk through all of them
//! for each.
//!
//! What was there before is numbered here, behind the triggers, so that nothing falls between.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

pub(crate) struct Step;

impl MigrationName for Step {
    fn name(&self) -> &str {
        "m20261123_0044_keep_directories"
    }
}

/// Triggers of statements, so that an import of many contacts gives all of its numbers at once.
const POSTGRESQL: &str = "
CREATE FUNCTION directory_begin() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO directories (tenant_id, epoch, forgotten) VALUES (new.id, gen_random_uuid(), 0);
    RETURN NULL;
END $$;

CREATE FUNCTION directory_note(of_tenant uuid, changed uuid[]) RETURNS void LANGUAGE plpgsql AS $$ BEGIN
    PERFORM 1 FROM directories WHERE tenant_id = of_tenant FOR UPDATE;
    WITH affected AS (
        SELECT ids.id, coalesce(contact.in_directory, FALSE) AS present
        FROM (SELECT DISTINCT unnest(changed) AS id) AS ids
        LEFT JOIN contacts AS contact ON contact.id = ids.id
        LEFT JOIN directory_entries AS entry ON entry.contact_id = ids.id
        WHERE contact.in_directory OR entry.present
    ), newest AS (
        SELECT greatest(directory.forgotten,
            (SELECT max(change) FROM directory_entries WHERE tenant_id = of_tenant)) AS change
        FROM directories AS directory WHERE tenant_id = of_tenant
    )
    INSERT INTO directory_entries (contact_id, tenant_id, change, present)
        SELECT affected.id, of_tenant, newest.change + row_number() OVER (ORDER BY affected.id), affected.present
        FROM affected CROSS JOIN newest
    ON CONFLICT (contact_id) DO UPDATE SET change = excluded.change, present = excluded.present;
END $$;

CREATE FUNCTION directory_contacts() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    PERFORM directory_note(tenant_id, array_agg(id)) FROM changed GROUP BY tenant_id ORDER BY tenant_id;
    RETURN NULL;
END $$;

CREATE FUNCTION directory_devices() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    PERFORM directory_note(tenant_id, array_agg(contact_id)) FROM changed GROUP BY tenant_id ORDER BY tenant_id;
    RETURN NULL;
END $$;

CREATE FUNCTION directory_moved() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    PERFORM directory_note(moved.tenant_id, array_agg(moved.contact_id)) FROM (
        SELECT changed.tenant_id, unnest(ARRAY[before.contact_id, changed.contact_id]) AS contact_id
        FROM changed JOIN before ON before.id = changed.id AND before.contact_id <> changed.contact_id
    ) AS moved GROUP BY moved.tenant_id ORDER BY moved.tenant_id;
    RETURN NULL;
END $$;

CREATE FUNCTION directory_lines() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    PERFORM directory_note(changed.tenant_id, array_agg(device.contact_id))
        FROM changed JOIN devices AS device ON device.id = changed.device_id
        GROUP BY changed.tenant_id ORDER BY changed.tenant_id;
    RETURN NULL;
END $$;

CREATE FUNCTION directory_accounts() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    PERFORM 1 FROM directories WHERE tenant_id IN (
        SELECT changed.tenant_id FROM changed JOIN before ON before.id = changed.id
        WHERE (before.username, before.provider_id, before.enabled) <> (changed.username, changed.provider_id, changed.enabled)
    ) ORDER BY tenant_id FOR UPDATE;
    PERFORM directory_note(changed.tenant_id, array_agg(device.contact_id))
        FROM changed JOIN before ON before.id = changed.id
        JOIN device_accounts AS line ON line.account_id = changed.id JOIN devices AS device ON device.id = line.device_id
        WHERE (before.username, before.provider_id, before.enabled) <> (changed.username, changed.provider_id, changed.enabled)
        GROUP BY changed.tenant_id ORDER BY changed.tenant_id;
    RETURN NULL;
END $$;

CREATE TRIGGER directory_begin AFTER INSERT ON tenants FOR EACH ROW EXECUTE FUNCTION directory_begin();
CREATE TRIGGER directory_contact_insert AFTER INSERT ON contacts
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION directory_contacts();
CREATE TRIGGER directory_contact_update AFTER UPDATE ON contacts
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION directory_contacts();
CREATE TRIGGER directory_contact_delete AFTER DELETE ON contacts
    REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION directory_contacts();
CREATE TRIGGER directory_device_update AFTER UPDATE ON devices
    REFERENCING OLD TABLE AS before NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION directory_moved();
CREATE TRIGGER directory_device_delete AFTER DELETE ON devices
    REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION directory_devices();
CREATE TRIGGER directory_line_insert AFTER INSERT ON device_accounts
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION directory_lines();
CREATE TRIGGER directory_line_delete AFTER DELETE ON device_accounts
    REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION directory_lines();
CREATE TRIGGER directory_account_update AFTER UPDATE ON sip_accounts
    REFERENCING OLD TABLE AS before NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION directory_accounts();
";

const POSTGRESQL_GONE: &str = "
DROP TRIGGER directory_account_update ON sip_accounts;
DROP TRIGGER directory_line_delete ON device_accounts;
DROP TRIGGER directory_line_insert ON device_accounts;
DROP TRIGGER directory_device_delete ON devices;
DROP TRIGGER directory_device_update ON devices;
DROP TRIGGER directory_contact_delete ON contacts;
DROP TRIGGER directory_contact_update ON contacts;
DROP TRIGGER directory_contact_insert ON contacts;
DROP TRIGGER directory_begin ON tenants;
DROP FUNCTION directory_accounts, directory_lines, directory_moved, directory_devices, directory_contacts, directory_note, directory_begin;
";

const SQLITE_GONE: &str = "
DROP TRIGGER directory_account_update;
DROP TRIGGER directory_line_delete;
DROP TRIGGER directory_line_insert;
DROP TRIGGER directory_device_delete;
DROP TRIGGER directory_device_update;
DROP TRIGGER directory_contact_delete;
DROP TRIGGER directory_contact_update;
DROP TRIGGER directory_contact_insert;
DROP TRIGGER directory_begin;
";

const SQLITE_BEGIN: &str = "
CREATE TRIGGER directory_begin AFTER INSERT ON tenants BEGIN
    INSERT INTO directories (tenant_id, epoch, forgotten) VALUES (new.id, randomblob(16), 0);
END;
";

/// Each trigger's name, what fires it, whose row it is, and the entries that changed as `id` and `present`.
const SQLITE_TRIGGERS: &[(&str, &str, &str, &str)] = &[
    (
        "directory_contact_insert",
        "AFTER INSERT ON contacts WHEN new.in_directory",
        "new",
        "SELECT new.id AS id, TRUE AS present",
    ),
    (
        "directory_contact_update",
        "AFTER UPDATE ON contacts WHEN new.in_directory OR old.in_directory",
        "new",
        "SELECT new.id AS id, new.in_directory AS present",
    ),
    (
        "directory_contact_delete",
        "AFTER DELETE ON contacts WHEN old.in_directory",
        "old",
        "SELECT old.id AS id, FALSE AS present",
    ),
    (
        "directory_device_update",
        "AFTER UPDATE OF contact_id ON devices WHEN new.contact_id <> old.contact_id",
        "new",
        "SELECT id, TRUE AS present FROM contacts WHERE in_directory AND id IN (old.contact_id, new.contact_id)",
    ),
    (
        "directory_device_delete",
        "AFTER DELETE ON devices",
        "old",
        "SELECT id, TRUE AS present FROM contacts WHERE in_directory AND id = old.contact_id",
    ),
    (
        "directory_line_insert",
        "AFTER INSERT ON device_accounts",
        "new",
        "SELECT id, TRUE AS present FROM contacts WHERE in_directory \
         AND id = (SELECT contact_id FROM devices WHERE devices.id = new.device_id)",
    ),
    (
        "directory_line_delete",
        "AFTER DELETE ON device_accounts",
        "old",
        "SELECT id, TRUE AS present FROM contacts WHERE in_directory \
         AND id = (SELECT contact_id FROM devices WHERE devices.id = old.device_id)",
    ),
    (
        "directory_account_update",
        "AFTER UPDATE ON sip_accounts WHEN (new.username, new.provider_id, new.enabled) <> (old.username, old.provider_id, old.enabled)",
        "new",
        "SELECT id, TRUE AS present FROM contacts WHERE in_directory AND id IN (SELECT contact_id FROM devices WHERE devices.id IN \
         (SELECT device_id FROM device_accounts WHERE account_id = new.id))",
    ),
];

fn sqlite_trigger((name, event, row, entries): &(&str, &str, &str, &str)) -> String {
    format!(
        "CREATE TRIGGER {name} {event} BEGIN
             INSERT INTO directory_entries (contact_id, tenant_id, change, present)
                 SELECT entry.id, directory.tenant_id, row_number() OVER (ORDER BY entry.id) + max(directory.forgotten, coalesce(
                     (SELECT max(change) FROM directory_entries WHERE tenant_id = directory.tenant_id), 0)), entry.present
                 FROM directories AS directory CROSS JOIN ({entries}) AS entry
                 WHERE directory.tenant_id = {row}.tenant_id
             ON CONFLICT (contact_id) DO UPDATE SET change = excluded.change, present = excluded.present;
         END;"
    )
}

fn first_numbers(epoch: &str) -> String {
    format!(
        "INSERT INTO directories (tenant_id, epoch, forgotten) SELECT id, {epoch}, 0 FROM tenants;
         INSERT INTO directory_entries (contact_id, tenant_id, change, present)
             SELECT id, tenant_id, row_number() OVER (PARTITION BY tenant_id ORDER BY id), TRUE
             FROM contacts WHERE in_directory;"
    )
}

#[async_trait::async_trait]
impl MigrationTrait for Step {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let (triggers, epoch) = match manager.get_database_backend() {
            DbBackend::Postgres => (POSTGRESQL.to_owned(), "gen_random_uuid()"),
            _ => {
                let triggers: String = SQLITE_TRIGGERS.iter().map(sqlite_trigger).collect();
                (format!("{SQLITE_BEGIN}{triggers}"), "randomblob(16)")
            }
        };
        let db = manager.get_connection();
        db.execute_unprepared(&triggers).await?;
        db.execute_unprepared(&first_numbers(epoch)).await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let gone = match manager.get_database_backend() {
            DbBackend::Postgres => POSTGRESQL_GONE,
            _ => SQLITE_GONE,
        };
        manager.get_connection().execute_unprepared(gone).await?;
        // The step before has made them; without triggers they would only grow old.
        let emptied = "DELETE FROM directory_entries; DELETE FROM directories";
        manager.get_connection().execute_unprepared(emptied).await?;
        Ok(())
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}

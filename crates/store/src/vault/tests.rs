use super::*;

const PLACE: Place = Place {
    table: "sip_accounts",
    id: Uuid::from_u128(1),
    column: "password_sealed",
    version: 3,
};

fn vault_in(folder: &tempfile::TempDir) -> (Vault, PathBuf) {
    let path = folder.path().join("master.key");
    (Vault::open_or_create(&path).unwrap(), path)
}

#[test]
fn a_secret_opens_at_its_place_and_nowhere_else() {
    let folder = tempfile::tempdir().unwrap();
    let (vault, _) = vault_in(&folder);
    let sealed = vault.seal_text(&Secret::new("marker"), &PLACE);
    assert_eq!(vault.open_text(&sealed, &PLACE).unwrap().reveal(), "marker");

    for elsewhere in [
        Place {
            id: Uuid::from_u128(2),
            ..PLACE
        },
        Place {
            version: 2,
            ..PLACE
        },
        Place {
            column: "code_sealed",
            ..PLACE
        },
        Place {
            table: "activations",
            ..PLACE
        },
    ] {
        let error = vault.open_text(&sealed, &elsewhere).unwrap_err();
        assert!(matches!(error, VaultError::Refused), "{elsewhere:?}");
    }
}

#[test]
fn any_changed_or_missing_byte_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (vault, _) = vault_in(&folder);
    let sealed = vault.seal(b"secret", &PLACE);
    for at in 0..sealed.len() {
        let mut changed = sealed.clone();
        changed[at] ^= 1;
        assert!(vault.open(&changed, &PLACE).is_err(), "byte {at}");
        assert!(vault.open(&sealed[..at], &PLACE).is_err(), "cut at {at}");
    }
}

#[test]
fn equal_secrets_are_sealed_differently_and_hide_the_text() {
    let folder = tempfile::tempdir().unwrap();
    let (vault, _) = vault_in(&folder);
    let (first, second) = (vault.seal(b"marker", &PLACE), vault.seal(b"marker", &PLACE));
    assert_ne!(first, second);
    assert!(!first.windows(6).any(|window| window == b"marker"));
}

#[test]
fn the_key_file_is_private_whole_and_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let (vault, path) = vault_in(&folder);
    let sealed = vault.seal(b"secret", &PLACE);
    let again = Vault::open_or_create(&path).unwrap();
    assert_eq!(**again.open(&sealed, &PLACE).unwrap(), *b"secret");
    assert_eq!(
        fs::read_dir(folder.path()).unwrap().count(),
        1,
        "nothing left beside it"
    );

    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(
            Vault::open_or_create(&path),
            Err(VaultError::Exposed { .. })
        ));
    }
}

#[test]
fn after_rotation_old_values_open_and_old_hashes_are_found() {
    let folder = tempfile::tempdir().unwrap();
    let (before, path) = vault_in(&folder);
    let old = before.seal(b"secret", &PLACE);
    let old_hash = before.lookup_hash("code", b"X");

    let mut file = OpenOptions::new().append(true).open(&path).unwrap();
    writeln!(file, "0badcafe {}", "5a".repeat(KEY_BYTES)).unwrap();
    let after = Vault::open_or_create(&path).unwrap();

    assert_eq!(**after.open(&old, &PLACE).unwrap(), *b"secret");
    assert!(after.lookup_hashes("code", b"X").contains(&old_hash));
    let new = after.seal(b"secret", &PLACE);
    assert!(matches!(
        before.open(&new, &PLACE),
        Err(VaultError::UnknownKey)
    ));
}

#[test]
fn a_hash_depends_on_key_purpose_and_secret() {
    let (folder, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let ((vault, _), (stranger, _)) = (vault_in(&folder), vault_in(&other));
    let hash = vault.lookup_hash("code", b"X");
    assert_eq!(hash, vault.lookup_hash("code", b"X"));
    assert_ne!(hash, vault.lookup_hash("token", b"X"));
    assert_ne!(hash, vault.lookup_hash("code", b"Y"));
    assert_ne!(hash, stranger.lookup_hash("code", b"X"));
}

#[test]
fn a_file_without_usable_keys_is_refused_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let (_, path) = vault_in(&folder);
    for (text, expected) in [
        ("", 0),
        ("# only words\n", 0),
        ("0badcafe zz\n", 1),
        ("# one\n\n0badcafe 5a\n", 3),
        ("nothing\n", 1),
        ("0badcafé aa\n", 1),
    ] {
        fs::write(&path, text).unwrap();
        let error = Vault::open_or_create(&path).unwrap_err();
        assert!(
            matches!(error, VaultError::Malformed { line, .. } if line == expected),
            "{text:?}: {error}"
        );
    }
}

#[test]
fn a_vault_does_not_print_its_keys() {
    let folder = tempfile::tempdir().unwrap();
    let (vault, _) = vault_in(&folder);
    assert_eq!(format!("{vault:?}"), "Vault(1 keys)");
}

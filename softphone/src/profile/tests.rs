//! The profile on disk: what is in it, who may read it, what a damaged one says.

use std::path::PathBuf;

use api::{Codec, ConfiguredDevice, ConfiguredName, Line, Secret, Transport};

use super::*;

const MARKER: &str = "marker-secret-4711";

fn profile() -> Profile {
    let device_id = Uuid::from_u128(7);
    Profile {
        portal: "https://portal.example".to_owned(),
        device_id,
        key_place: KeyPlace::File,
        device_key: SigningKey::from_bytes(&[3; 32]),
        configuration: DeviceConfiguration {
            version: 5,
            device: ConfiguredDevice {
                id: device_id,
                name: "Desk".to_owned(),
            },
            contact: ConfiguredName {
                name: "Alice".to_owned(),
            },
            tenant: ConfiguredName {
                name: "Example Ltd".to_owned(),
            },
            lines: vec![Line {
                account_id: Uuid::from_u128(8),
                name: "Main".to_owned(),
                display_name: None,
                username: "200".to_owned(),
                domain: "example.tandem.localhost".to_owned(),
                port: None,
                auth_username: None,
                password: Some(Secret(MARKER.to_owned())),
                enter_on_device: false,
                transport: Transport::Udp,
                outbound_proxy: None,
                codecs: vec![Codec::Opus],
                dialing_rules: Vec::new(),
            }],
        },
        entered_passwords: BTreeMap::new(),
    }
}

fn saved() -> (tempfile::TempDir, ProfileFolder, PathBuf) {
    let parent = tempfile::tempdir().unwrap();
    let folder = ProfileFolder::new(parent.path().join("phone"));
    folder.save(&profile()).unwrap();
    let file = folder.path().join("profile.json");
    (parent, folder, file)
}

#[test]
fn what_was_saved_is_loaded() {
    let (_parent, folder, _) = saved();
    let loaded = folder.load().unwrap();
    assert_eq!(loaded.configuration, profile().configuration);
    assert_eq!(loaded.device_key.to_bytes(), [3; 32]);
    assert_eq!(loaded.portal, "https://portal.example");
    assert!(folder.is_activated());
}

#[test]
fn no_file_shows_a_secret_and_nobody_else_may_read_one() {
    let (_parent, folder, _) = saved();
    for entry in std::fs::read_dir(folder.path()).unwrap() {
        let path = entry.unwrap().path();
        let content = String::from_utf8_lossy(&std::fs::read(&path).unwrap()).into_owned();
        assert!(!content.contains(MARKER), "{}", path.display());
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = path.metadata().unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{}", path.display());
        }
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = folder.path().metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
    }
}

#[test]
fn debug_output_shows_no_secret() {
    let profile = profile();
    let text = format!("{profile:?} {:?}", profile.configuration);
    assert!(!text.contains(MARKER), "{text}");
}

#[test]
fn an_entered_password_is_kept_sealed_and_used_only_where_the_portal_wants_it() {
    let (_parent, folder, file) = saved();
    let portal_gives = profile();
    let mut profile = folder.load().unwrap();
    let entered = Secret("entered-secret-4712".to_owned());
    assert_eq!(
        profile.enter_password(None, entered.clone()),
        Err(PasswordError::NoLine)
    );
    let refused = profile.enter_password(Some("main"), entered.clone());
    assert_eq!(refused, Err(PasswordError::FromPortal));

    profile.configuration.lines[0].password = None;
    profile.configuration.lines[0].enter_on_device = true;
    profile.enter_password(None, entered.clone()).unwrap();
    folder.save(&profile).unwrap();
    assert!(!std::fs::read_to_string(file).unwrap().contains(&entered.0));
    let loaded = folder.load().unwrap();
    assert_eq!(
        loaded.password_of(&loaded.configuration.lines[0]),
        Some(entered)
    );
    let given = Profile {
        configuration: portal_gives.configuration,
        ..loaded
    };
    let password = given.password_of(&given.configuration.lines[0]);
    assert_eq!(
        password,
        Some(Secret(MARKER.to_owned())),
        "the portal's own wins"
    );
}

#[test]
fn an_empty_folder_is_not_activated() {
    let parent = tempfile::tempdir().unwrap();
    let folder = ProfileFolder::new(parent.path().join("phone"));
    assert!(matches!(folder.load(), Err(ProfileError::NotActivated)));
    assert!(!folder.path().exists(), "looking leaves nothing behind");
}

#[test]
fn every_shortened_file_is_called_damaged_and_left_alone() {
    let (_parent, folder, file) = saved();
    let whole = std::fs::read(&file).unwrap();
    for length in 0..whole.len() {
        std::fs::write(&file, &whole[..length]).unwrap();
        assert!(
            matches!(folder.load(), Err(ProfileError::Corrupt { .. })),
            "{length} bytes"
        );
    }
    std::fs::write(&file, &whole).unwrap();
    assert!(folder.load().is_ok());
}

#[test]
fn a_foreign_or_newer_file_is_named_as_such() {
    let (_parent, folder, file) = saved();
    std::fs::write(&file, r#"{"format":"something-else","version":1}"#).unwrap();
    assert!(matches!(folder.load(), Err(ProfileError::Corrupt { .. })));
    std::fs::write(
        &file,
        r#"{"format":"tandem-softphone-profile","version":2}"#,
    )
    .unwrap();
    assert!(matches!(
        folder.load(),
        Err(ProfileError::TooNew { version: 2, .. })
    ));
}

#[test]
fn a_profile_copied_without_its_key_or_with_another_portal_does_not_open() {
    let (_parent, folder, file) = saved();
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace("portal.example", "evil.example")).unwrap();
    assert!(matches!(folder.load(), Err(ProfileError::Sealed { .. })));
    std::fs::write(&file, text).unwrap();
    std::fs::remove_file(folder.path().join("profile.key")).unwrap();
    assert!(matches!(folder.load(), Err(ProfileError::Sealed { .. })));
}

#[test]
fn a_kill_between_any_two_steps_of_a_save_leaves_a_readable_profile() {
    // The steps are: key, temporary file, rename. A kill leaves a prefix of them.
    let (_parent, folder, _) = saved();
    std::fs::write(folder.path().join(".new-killed"), b"{\"format\":").unwrap();
    assert_eq!(folder.load().unwrap().configuration.version, 5);
    let mut newer = profile();
    newer.device_id = Uuid::from_u128(9);
    newer.configuration.version = 6;
    folder
        .keys
        .create(newer.key_place, &key_name(newer.device_id))
        .unwrap();
    assert_eq!(
        folder.load().unwrap().configuration.version,
        5,
        "killed after the key"
    );
    folder.save(&newer).unwrap();
    assert_eq!(folder.load().unwrap().configuration.version, 6);
}

#[test]
fn a_wipe_leaves_nothing_even_of_a_damaged_profile() {
    let (parent, folder, file) = saved();
    folder.wipe().unwrap();
    assert!(!parent.path().join("phone").exists());
    folder.wipe().unwrap();

    folder.save(&profile()).unwrap();
    std::fs::write(&file, b"damaged").unwrap();
    folder.wipe().unwrap();
    assert!(!folder.path().exists());
}

#[test]
fn a_second_softphone_is_refused_until_the_first_has_gone() {
    let (_parent, folder, _) = saved();
    let lock = folder.lock().unwrap();
    assert!(matches!(folder.lock(), Err(ProfileError::InUse { .. })));
    drop(lock);
    folder.lock().unwrap();
}

use super::*;

fn kept(written: &str, country: &str) -> Option<String> {
    with_country_code(written, Some(country.parse().unwrap())).ok()
}

#[test]
fn a_number_gets_the_code_of_its_country_without_what_is_dialled_only_at_home() {
    for (written, country, number) in [
        ("030 1234567", "DE", "+49301234567"),
        ("(030) 123-45.67", "DE", "+49301234567"),
        ("0172/1234567", "DE", "+491721234567"),
        ("0043 1 234567", "DE", "+431234567"),
        // A spreadsheet took the 0 away.
        ("301234567", "DE", "+49301234567"),
        ("06 1234567", "IT", "+39061234567"),
        ("347 1234567", "IT", "+393471234567"),
        ("07 12 34 56 78", "CI", "+2250712345678"),
        ("01 23 45 67 89", "FR", "+33123456789"),
        ("020 7946 0123", "GB", "+442079460123"),
        ("612 345 678", "ES", "+34612345678"),
        ("(415) 555-0132", "US", "+14155550132"),
        ("1-415-555-0132", "CA", "+14155550132"),
        ("011 49 30 1234567", "US", "+49301234567"),
        ("8 (495) 123-45-67", "RU", "+74951234567"),
        ("(495) 123-45-67", "RU", "+74951234567"),
        ("06 1 234 5678", "HU", "+3612345678"),
        ("0011 49 30 1234567", "AU", "+49301234567"),
        ("02 9374 4000", "AU", "+61293744000"),
        ("03\u{a0}1234 5678", "JP", "+81312345678"),
    ] {
        assert_eq!(kept(written, country).as_deref(), Some(number), "{written}");
    }
}

#[test]
fn a_number_without_its_area_code_is_not_guessed_at() {
    for (written, country) in [
        ("1234567", "DE"),
        ("555-0132", "US"),
        ("0301234567", "ES"),
        ("00 11 1234-5678", "BR"),
    ] {
        assert_eq!(kept(written, country), None, "{written}");
    }
}

#[test]
fn a_number_that_says_its_country_stays_but_for_a_bracketed_zero() {
    for (written, number) in [
        ("+43 1 234567", "+431234567"),
        (" +49 (0)30 1234567", "+49301234567"),
        // A range that the metadata do not have.
        ("+49 1 2345", "+49 1 2345"),
        ("+39 (0)6 1234567", "+39061234567"),
    ] {
        assert_eq!(kept(written, "FR").as_deref(), Some(number));
        assert_eq!(with_country_code(written, None).as_deref(), Ok(number));
    }
    assert_eq!(
        with_country_code("030 1234567", None).as_deref(),
        Ok("030 1234567"),
        "nobody said where it is"
    );
}

#[test]
fn nothing_that_a_file_can_hold_stops_the_reading() {
    let odd = ["", "+", "++49", "(", "--- /", "\u{a0}", "+(0)", "00", "+0"];
    let long = [16, 17, 20, 21, 40, 1_000, 1_000_000].map(|length| "9".repeat(length));
    let written = odd.map(str::to_owned).into_iter().chain(long.clone());
    for written in written.chain(long.map(|digits| format!("+49{digits}"))) {
        for country in [None, Some("DE"), Some("US"), Some("IT"), Some("RU")] {
            let country = country.map(|country| country.parse().unwrap());
            let kept = with_country_code(&written, country);
            assert!(
                kept.is_err() || kept == Ok(written.trim().to_owned()),
                "{written}"
            );
        }
    }
}

#[test]
fn what_has_other_signs_is_left_for_the_check_of_numbers() {
    for written in ["ask at 030 1234567", "030 1234567 ext. 5"] {
        assert_eq!(kept(written, "DE").as_deref(), Some(written));
    }
}

#[test]
fn the_page_offers_the_countries_that_are_known_here() {
    let page = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../web/apps/portal/src/countries.ts"
    );
    let text = std::fs::read_to_string(page).expect("the countries of the page can be read");
    let listed = |constant: &str| -> Vec<&str> {
        let (_, rest) = text.split_once(constant).expect("the constant is there");
        let codes = rest.split('\'').nth(1).expect("its text is quoted");
        codes.split(' ').collect()
    };
    let (all, without) = (listed("const CODES"), listed("const WITHOUT_NUMBERS"));
    let unknown: Vec<&str> = all
        .into_iter()
        .filter(|code| code.parse::<Country>().is_err())
        .collect();
    assert_eq!(unknown, without);
}

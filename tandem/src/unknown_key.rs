//! What is wrong with a configuration file, with the line and, for a key that nobody knows, the nearest that is known.

use strsim::jaro_winkler;

/// One sentence for the person who wrote `text`.
pub(crate) fn explained(text: &str, error: &toml::de::Error) -> String {
    let place = match error.span() {
        Some(span) => {
            let line = 1 + text[..span.start].matches('\n').count();
            format!("line {line}: ")
        }
        None => String::new(),
    };
    format!(
        "{place}{}",
        unknown_key(error.message()).unwrap_or_else(|| error.message().to_owned())
    )
}

/// The parser names the key and all that are known there, each in back quotes.
fn unknown_key(message: &str) -> Option<String> {
    let mut quoted = message.split('`').skip(1).step_by(2);
    let is_key = message.starts_with("unknown field");
    let unknown = quoted.next().filter(|_| is_key)?;
    let known: Vec<_> = quoted.collect();
    let nearest = known
        .iter()
        .map(|known| (jaro_winkler(unknown, known), known))
        .filter(|(likeness, _)| *likeness > ALIKE)
        .max_by(|(one, _), (other, _)| one.total_cmp(other));
    let advice = match nearest {
        Some((_, nearest)) => format!("did you mean `{nearest}`?"),
        None => format!("known here are {}", known.join(", ")),
    };
    Some(format!("there is no key `{unknown}` here; {advice}"))
}

/// From here on one is taken for a slip of the other.
const ALIKE: f64 = 0.75;

#[cfg(test)]
mod tests {
    use crate::config::Config;

    use super::*;

    fn told(text: &str) -> String {
        explained(text, &toml::from_str::<Config>(text).unwrap_err())
    }

    #[test]
    fn an_unknown_key_is_named_with_its_line_and_what_was_meant() {
        let text = "data_dir = '/tmp'\n\n[sip]\nlisten_on = '127.0.0.1:5060'\n";
        assert_eq!(
            told(text),
            "line 4: there is no key `listen_on` here; did you mean `listen`?"
        );
        assert_eq!(
            told("[htpp]\n"),
            "line 1: there is no key `htpp` here; did you mean `http`?"
        );
    }

    #[test]
    fn where_nothing_is_near_all_that_is_known_is_listed() {
        let told = told("[sip.trace]\nzzz = 1");
        assert!(
            told.starts_with("line 2: there is no key `zzz` here; known here are calls, "),
            "{told}"
        );
    }

    #[test]
    fn other_mistakes_have_their_line_too() {
        let told = told("[http]\nlisten = 'everywhere'");
        assert!(
            told.starts_with("line 2: ") && told.contains("socket address"),
            "{told}"
        );
    }
}

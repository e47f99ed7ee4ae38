//! Phones that activate themselves at a fixed rate, each with a key of its own, until they have their configuration.

use std::{fs, path::PathBuf, time::Duration};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use clap::Args;
use ed25519_dalek::SigningKey;
use reqwest::Client;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep_until};

use super::{Failure, times, tokens_file};

/// How many, how fast.
#[derive(Clone, Debug, Args)]
pub(crate) struct Arguments {
    /// Such as `http://127.0.0.1:8080`.
    #[arg(long)]
    url: String,
    /// Where `seed` left the tokens; the used ones are taken away.
    #[arg(long)]
    folder: PathBuf,
    /// Activations a second.
    #[arg(long, default_value_t = 200)]
    rate: u32,
    /// Activations in all.
    #[arg(long, default_value_t = 2000)]
    count: usize,
}

pub(super) async fn run(arguments: &Arguments) -> Result<Value, Failure> {
    let file = tokens_file(&arguments.folder);
    let left = fs::read_to_string(&file)?;
    let mut tokens: Vec<String> = left.lines().map(str::to_owned).collect();
    if tokens.len() < arguments.count {
        return Err(Failure(format!("only {} tokens are left", tokens.len())));
    }
    let rest = tokens.split_off(arguments.count);
    fs::write(&file, rest.join("\n"))?;

    let client = Client::new();
    let begun = Instant::now();
    let mut phones = Vec::with_capacity(tokens.len());
    for (index, token) in tokens.into_iter().enumerate() {
        let due = begun + Duration::from_secs_f64(index as f64 / f64::from(arguments.rate));
        sleep_until(due).await;
        let (client, url) = (client.clone(), arguments.url.clone());
        phones.push(tokio::spawn(activate(token, due, url, client)));
    }
    let (mut taken, mut refused) = (Vec::new(), 0_usize);
    for phone in phones {
        match phone.await.map_err(|error| Failure(error.to_string()))?? {
            Some(time) => taken.push(time),
            None => refused += 1,
        }
    }
    let mut answer = times(taken, begun.elapsed());
    answer["refused"] = json!(refused);
    Ok(answer)
}

/// From the moment it was due, so that a queue before the server counts. `None` if it was refused.
async fn activate(
    token: String,
    due: Instant,
    url: String,
    client: Client,
) -> Result<Option<Duration>, Failure> {
    let key = SigningKey::from_bytes(&rand::random()).verifying_key();
    let body = json!({
        "token": token,
        "public_key": URL_SAFE_NO_PAD.encode(key.as_bytes()),
        "platform": "linux",
        "app_version": "bench",
    });
    let address = format!("{url}/api/v1/device/activation");
    let response = client.post(address).json(&body).send().await?;
    if !response.status().is_success() {
        return Ok(None);
    }
    let activated: Value = response.json().await?;
    let lines = activated["configuration"]["lines"].as_array();
    Ok(lines
        .is_some_and(|lines| !lines.is_empty())
        .then(|| due.elapsed()))
}

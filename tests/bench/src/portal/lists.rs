//! Pages of a long list at any depth, in both orders, and searches for pieces of names.

use std::time::{Duration, Instant};

use clap::Args;
use rand::{RngExt, SeedableRng, rngs::StdRng};
use serde_json::{Value, json};

use super::{Failure, Target, client::Page, times};

/// Which list, and how hard.
#[derive(Clone, Debug, Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    target: Target,
    /// `contacts`, `devices` or `accounts`.
    #[arg(long, default_value = "contacts")]
    list: String,
    /// The server's name of a column, `-name` for descending; as the server likes when absent.
    #[arg(long)]
    sort: Option<String>,
    /// Pages that ask at the same time.
    #[arg(long, default_value_t = 16)]
    clients: u32,
    /// Seconds for each figure.
    #[arg(long, default_value_t = 10)]
    seconds: u64,
}

pub(super) async fn run(arguments: &Arguments) -> Result<Value, Failure> {
    let (depths, names) = walk(arguments).await?;
    let pages = ask(arguments, move |random| {
        let after = &depths[random.random_range(0..depths.len())];
        vec![("after", after.clone())]
    });
    let pages = pages.await?;
    let searches = ask(arguments, move |random| {
        vec![("search", piece(&names, random))]
    });
    Ok(
        json!({ "list": arguments.list, "sort": arguments.sort, "pages": pages, "searches": searches.await? }),
    )
}

/// The cursor after each page of the whole list, and a name of each page.
async fn walk(arguments: &Arguments) -> Result<(Vec<String>, Vec<String>), Failure> {
    let page = Page::new(&arguments.target)?;
    let path = format!("/{}", arguments.list);
    let (mut depths, mut names) = (Vec::new(), Vec::new());
    loop {
        let mut query = vec![("limit", "50")];
        query.extend(arguments.sort.as_deref().map(|sort| ("sort", sort)));
        query.extend(
            depths
                .last()
                .map(|after: &String| ("after", after.as_str())),
        );
        let answer = page.json(&path, &query).await?;
        let first = &answer["items"][0];
        let name = ["last_name", "name"]
            .iter()
            .find_map(|field| first[field].as_str());
        names.extend(name.map(str::to_lowercase));
        match answer["next"].as_str() {
            Some(next) => depths.push(next.to_owned()),
            None => break,
        }
    }
    if depths.is_empty() || names.is_empty() {
        return Err(Failure(
            "the list has one page only: seed it first".to_owned(),
        ));
    }
    Ok((depths, names))
}

/// All clients ask as fast as they can; each question is made by `query`.
async fn ask(
    arguments: &Arguments,
    query: impl Fn(&mut StdRng) -> Vec<(&'static str, String)> + Send + Sync + 'static,
) -> Result<Value, Failure> {
    let query = std::sync::Arc::new(query);
    let during = Duration::from_secs(arguments.seconds);
    let begun = Instant::now();
    let clients: Vec<_> = (0..arguments.clients)
        .map(|client| {
            let (arguments, query) = (arguments.clone(), query.clone());
            tokio::spawn(async move {
                let page = Page::new(&arguments.target)?;
                let path = format!("/{}", arguments.list);
                let mut random = StdRng::seed_from_u64(client.into());
                let mut taken = Vec::new();
                while begun.elapsed() < during {
                    let made = query(&mut random);
                    let mut query = vec![("limit", "50")];
                    query.extend(arguments.sort.as_deref().map(|sort| ("sort", sort)));
                    query.extend(made.iter().map(|(name, value)| (*name, value.as_str())));
                    let asked = Instant::now();
                    page.get(&path, &query).await?;
                    taken.push(asked.elapsed());
                }
                Ok::<_, Failure>(taken)
            })
        })
        .collect();
    let mut taken = Vec::new();
    for client in clients {
        let joined = client.await.map_err(|error| Failure(error.to_string()))?;
        taken.extend(joined?);
    }
    Ok(times(taken, begun.elapsed()))
}

/// Three to five letters from somewhere in a name.
fn piece(names: &[String], random: &mut StdRng) -> String {
    let name: Vec<char> = names[random.random_range(0..names.len())].chars().collect();
    let length = random.random_range(3..=5).min(name.len());
    let start = random.random_range(0..=name.len() - length);
    name[start..start + length].iter().collect()
}

//! Trying a provider: step by step, up to the first that is not well.

use api::{SignOnReason, SignOnStep, SignOnTest, SignOnTestStep};

use super::{Client, Provider, Trouble};
use crate::egress::Egress;

/// Tries a provider without signing anybody in.
pub(crate) async fn try_out(issuer: &str, client: &Client<'_>, egress: &Egress) -> SignOnTest {
    let mut steps = Vec::new();
    let found = run(issuer, client, egress, &mut steps).await;
    if let Err((step, trouble)) = &found {
        steps.push(SignOnTestStep {
            step: *step,
            reason: Some(trouble.reason),
            said: trouble.said.clone(),
        });
    }
    SignOnTest {
        good: found.is_ok(),
        steps,
    }
}

async fn run(
    issuer: &str,
    client: &Client<'_>,
    egress: &Egress,
    steps: &mut Vec<SignOnTestStep>,
) -> Result<(), (SignOnStep, Trouble)> {
    let mut good = |step, said: Option<String>| {
        steps.push(SignOnTestStep {
            step,
            reason: None,
            said,
        });
    };
    let at = |step| move |trouble| (step, trouble);
    let description = Provider::describe(issuer, egress)
        .await
        .map_err(at(SignOnStep::Description))?;
    good(SignOnStep::Description, None);
    description
        .check_issuer(issuer)
        .map_err(at(SignOnStep::Issuer))?;
    good(SignOnStep::Issuer, Some(description.issuer.clone()));
    let provider = Provider::of(description).map_err(at(SignOnStep::Endpoints))?;
    good(SignOnStep::Endpoints, None);
    let algorithms = provider.algorithms().join(", ");
    if !provider.signs_as_we_know() {
        let trouble = Trouble::new(SignOnReason::NoKeys, algorithms);
        return Err((SignOnStep::Keys, trouble));
    }
    provider.keys(egress).await.map_err(at(SignOnStep::Keys))?;
    good(SignOnStep::Keys, Some(algorithms));
    provider
        .knows(client, egress)
        .await
        .map_err(at(SignOnStep::Client))?;
    good(SignOnStep::Client, None);
    Ok(())
}

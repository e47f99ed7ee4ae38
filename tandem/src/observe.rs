//! `log` and `metrics`: what the server tells of itself.

use std::io::IsTerminal as _;
use std::net::SocketAddr;
use std::sync::Arc;

use metrics::{Unit, describe_gauge, gauge};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use metrics_process::Collector;
use portal::{Answer, Surroundings};
use serde::{Deserialize, Serialize};
use sip_proxy::Control;
use store::Database;
use tracing_subscriber::EnvFilter;

use crate::config::masked;

/// What is logged, on standard error.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct LogConfig {
    /// `text`, for people, or `json`, one object a line.
    pub(crate) format: LogFormat,
    /// Whether each request to the portal is a line: method, route and status, never a query, an address or a token.
    pub(crate) requests: bool,
}

/// How a line looks.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LogFormat {
    #[default]
    Text,
    Json,
}

/// Who may read `/metrics`.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct MetricsConfig {
    /// A listener for them alone, where anybody may read them.
    pub(crate) listen: Option<SocketAddr>,
    /// Who sends it as bearer token may read them on the portal's listener from anywhere; else only programs of this machine may.
    #[serde(serialize_with = "masked")]
    pub(crate) token: Option<String>,
}

/// Begins to log.
pub(crate) fn start_log(config: LogConfig) {
    let filter = EnvFilter::try_from_env("TANDEM_LOG")
        .unwrap_or_else(|_| EnvFilter::new("info,sea_orm_migration=warn"));
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    match config.format {
        LogFormat::Text => log.init(),
        LogFormat::Json => log.json().flatten_event(true).init(),
    }
}

/// The proxy, the database and the process, as the portal asks for them.
pub(crate) struct Telemetry {
    handle: PrometheusHandle,
    process: Collector,
    control: Arc<Control>,
    db: Database,
}

impl std::fmt::Debug for Telemetry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Telemetry")
    }
}

/// Metrics cannot be collected: something else in the process already does.
#[derive(Debug, thiserror::Error)]
#[error("metrics cannot be collected: {0}")]
pub(crate) struct NoMetrics(String);

impl Telemetry {
    /// Begins to measure.
    pub(crate) fn start(control: Arc<Control>, db: Database) -> Result<Self, NoMetrics> {
        let durations = Matcher::Suffix("_seconds".to_owned());
        let handle = PrometheusBuilder::new()
            .set_buckets_for_metric(durations, BUCKETS)
            .and_then(PrometheusBuilder::install_recorder)
            .map_err(|error| NoMetrics(error.to_string()))?;
        let process = Collector::default();
        process.describe();
        portal::describe_metrics();
        describe();
        gauge!("tandem_build_info", "version" => env!("CARGO_PKG_VERSION")).set(1.0);
        Ok(Self {
            handle,
            process,
            control,
            db,
        })
    }

    async fn look(&self) {
        self.process.collect();
        let pool = store::pool_use(&self.db);
        let used = pool.open.saturating_sub(pool.idle);
        gauge!(CONNECTIONS, "state" => "idle").set(pool.idle);
        gauge!(CONNECTIONS, "state" => "used").set(used);
        let counted = self.control.counts().await;
        gauge!(PROXY_UP).set(if counted.is_ok() { 1 } else { 0 });
        let Ok(counts) = counted else { return };
        for (name, _, count) in tables(&counts) {
            gauge!(name).set(number(count));
        }
        if let Ok(bans) = self.control.bans().await {
            gauge!(BANNED).set(number(bans.len()));
        }
    }
}

impl Surroundings for Telemetry {
    fn metrics(&self) -> Answer<'_, String> {
        Box::pin(async {
            self.look().await;
            self.handle.run_upkeep();
            self.handle.render()
        })
    }

    fn proxy_is_well(&self) -> Answer<'_, bool> {
        Box::pin(async { self.control.counts().await.is_ok() })
    }
}

/// Name, meaning and value of what is counted in the proxy.
fn tables(counts: &sip_proxy::Counts) -> [(&'static str, &'static str, usize); 7] {
    [
        (
            "tandem_sip_registrations",
            "Bindings of all addresses-of-record.",
            counts.bindings,
        ),
        (
            "tandem_sip_calls",
            "Calls with two legs or on the way to them.",
            counts.calls,
        ),
        ("tandem_sip_legs", "Legs of calls.", counts.legs),
        (
            "tandem_sip_transactions",
            "Transactions that are not yet terminated.",
            counts.transactions,
        ),
        (
            "tandem_sip_waiting_requests",
            "Requests that wait for a look-up or for the store.",
            counts.waiting,
        ),
        (
            "tandem_sip_subscriptions",
            "Subscriptions to lines and mailboxes.",
            counts.watchers,
        ),
        (
            "tandem_sip_traced_calls",
            "Calls whose messages are being kept.",
            counts.traces,
        ),
    ]
}

fn describe() {
    for (name, meaning, _) in tables(&sip_proxy::Counts::default()) {
        describe_gauge!(name, meaning);
    }
    describe_gauge!(
        BANNED,
        "Sources that are ignored because somebody there guesses passwords."
    );
    describe_gauge!(PROXY_UP, "Whether the SIP proxy answers.");
    describe_gauge!(
        CONNECTIONS,
        Unit::Count,
        "Open connections to the database, by state."
    );
    describe_gauge!(
        "tandem_build_info",
        "Always 1; the label says which version runs."
    );
}

#[expect(clippy::cast_precision_loss, reason = "no table is that long")]
fn number(count: usize) -> f64 {
    count as f64
}

const CONNECTIONS: &str = "tandem_database_connections";
const PROXY_UP: &str = "tandem_sip_up";
const BANNED: &str = "tandem_sip_banned_sources";
/// From an answer out of memory to one that a client gives up on, in seconds.
const BUCKETS: &[f64] = &[
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0,
];

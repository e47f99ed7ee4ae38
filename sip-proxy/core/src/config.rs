//! How a proxy behaves: what is given once, at its construction.

use std::time::{Duration, Instant};

use sip::{Algorithm, EndpointConfig};
use ua::CallsConfig;

use crate::accounts::AccountCachePolicy;
use crate::calling::CallingPolicy;
use crate::commit::Durability;
use crate::guessing::GuessingPolicy;
use crate::notifier::WatchPolicy;
use crate::numbers::DialPlans;
use crate::registrar::RegistrarPolicy;
use crate::sharing::Share;
use crate::trace::TracePolicy;
use crate::trusted::TrustedNetworks;

/// How a proxy behaves, given once at its construction.
#[derive(Clone, Debug)]
pub struct ProxyConfig {
    /// How it presents itself and how many transactions it holds.
    pub endpoint: EndpointConfig,
    /// What its registrar grants.
    pub registrar: RegistrarPolicy,
    /// Its calls; each has two legs and more while several devices ring.
    pub calls: CallsConfig,
    /// Digest algorithms to offer and accept, the best first. Some phones give up a registration when any challenge
    /// names an algorithm they do not know, so more than MD5 is for installations without such phones.
    pub algorithms: Vec<Algorithm>,
    /// How long devices ring before the caller is told that nobody answers.
    pub ringing: Duration,
    /// How much of what is said in calls is kept for people to see; nothing unless it is set.
    pub trace: Option<TracePolicy>,
    /// Who may watch lines and mailboxes.
    pub watching: WatchPolicy,
    /// When a REGISTER is answered.
    pub durability: Durability,
    /// How long accounts are remembered.
    pub accounts: AccountCachePolicy,
    /// Where nobody is asked for a password.
    pub trusted: TrustedNetworks,
    /// How much guessing of passwords is too much.
    pub guessing: GuessingPolicy,
    /// How much an account may call.
    pub calling: CallingPolicy,
    /// Which numbers may be called.
    pub numbers: DialPlans,
    /// Which shard it is.
    pub share: Share,
    /// How many requests may wait for look-ups; more are answered 503.
    pub max_waiting: usize,
    /// The moment of construction, and what the wall clock said then in seconds since 1970: nonces are dated.
    pub started: (Instant, u64),
    /// Where tags, branches and nonces come from.
    pub seed: [u8; 32],
}

impl ProxyConfig {
    /// The usual values.
    #[must_use]
    pub fn new(endpoint: EndpointConfig, started: (Instant, u64), seed: [u8; 32]) -> Self {
        Self {
            endpoint,
            registrar: RegistrarPolicy::default(),
            calls: CallsConfig {
                max_calls: 20_000,
                ..CallsConfig::default()
            },
            algorithms: vec![Algorithm::Md5],
            ringing: Duration::from_secs(60),
            trace: None,
            watching: WatchPolicy::default(),
            durability: Durability::default(),
            accounts: AccountCachePolicy::default(),
            trusted: TrustedNetworks::default(),
            guessing: GuessingPolicy::default(),
            calling: CallingPolicy::default(),
            numbers: DialPlans::default(),
            share: Share::default(),
            max_waiting: 10_000,
            started,
            seed,
        }
    }
}

/// How full the tables may be when something new begins; what is left is for what is under way.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Room {
    pub(crate) transactions: usize,
    pub(crate) legs: usize,
}

impl Room {
    pub(crate) fn of(config: &ProxyConfig) -> Self {
        let most = |all: usize| all - all.div_ceil(10);
        Self {
            transactions: most(config.endpoint.max_transactions),
            legs: most(config.calls.max_calls),
        }
    }
}

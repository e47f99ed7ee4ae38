//! Soak: real phones and the real proxy over a lossy network in simulated time. However the network treats them, and whoever loses his
//! memory in the middle of a call, every call ends on both sides and nothing is left in any table, here or there.
//!
//! `SOAK_CALLS` says how many calls are made (`make soak`: 10,000).

mod party;
mod world;

use std::time::Duration;

use sip::{Ids, Machine, Private};
use sip_proxy_core::Counts;
use softphone_core::{Action, Rejection};
use testkit::sim_net::Conditions;

use world::{PHONES, World};

const ROUGH: Conditions = Conditions {
    delay: Duration::from_millis(5),
    jitter: Duration::from_millis(30),
    loss_per_mille: 50,
    duplicates_per_mille: 0,
};

/// What a call may take to end by itself when nobody answers any more: 64*T1 for the BYE, once more for a 2xx or a CANCEL before it.
const LAST_WORDS: Duration = Duration::from_secs(100);

/// Calls at once.
const CALLERS: usize = PHONES / 2;

/// Calls of one world, before another one is made with another seed.
const CALLS_OF_A_SEED: usize = 250;

#[test]
fn soak_leaves_every_table_empty() {
    let mut world = World::new(1, ROUGH);
    for _ in 0..1_000 / PHONES {
        world.everybody(|phone| Action::Configure(vec![phone.line()]));
        world.run_for(Duration::from_secs(4));
        world.everybody(|_| Action::Configure(Vec::new()));
        world.run_for(Duration::from_secs(2));
    }
    register_everybody(&mut world);
    for _ in 0..20 {
        ten_calls(&mut world);
    }
    let (answered, ended) = (
        world.total(|phone| phone.answered),
        world.total(|phone| phone.ended),
    );
    assert!(
        answered >= 200,
        "of 200 calls, most of them answered at both ends: {answered}"
    );
    assert!(ended >= 200, "{ended}");
    nothing_is_left(&mut world);
}

#[test]
fn calls_end_on_both_sides_whatever_the_network_and_restarts_do() {
    let calls = std::env::var("SOAK_CALLS").map_or(200, |calls| {
        calls.parse().expect("SOAK_CALLS is a number of calls")
    });
    let mut made = 0;
    for seed in 1_u64.. {
        if made >= calls {
            break;
        }
        let mut fate = Fate::new(seed);
        let mut world = World::new(fate.byte(), fate.conditions());
        register_everybody(&mut world);
        let here = CALLS_OF_A_SEED.min(calls - made);
        for _ in 0..here.div_ceil(CALLERS) {
            troubled_calls(&mut world, &mut fate);
        }
        assert!(world.total(|phone| phone.answered) > 0, "seed {seed}");
        nothing_is_left(&mut world);
        made += here;
    }
    println!("{made} calls");
}

/// What happens to a world, drawn from its seed.
struct Fate(Ids);

impl Fate {
    fn new(seed: u64) -> Self {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&seed.to_be_bytes());
        Self(Ids::from_seed(bytes))
    }

    fn below(&mut self, bound: u32) -> u32 {
        self.0.u32() % bound
    }

    fn byte(&mut self) -> u8 {
        u8::try_from(self.below(256)).unwrap_or_default()
    }

    fn phone(&mut self) -> usize {
        self.below(u32::try_from(PHONES).unwrap_or(1)) as usize
    }

    /// From a good network to one that hardly deserves the name.
    fn conditions(&mut self) -> Conditions {
        Conditions {
            delay: Duration::from_millis(self.below(100).into()),
            jitter: Duration::from_millis(self.below(200).into()),
            loss_per_mille: self.below(150),
            duplicates_per_mille: self.below(100),
        }
    }
}

/// Phones call each other, answer, reject, wait, give up; now and then a phone or the proxy loses its memory. Whatever stands is hung up by
/// one side or by both; where somebody has lost his memory by both, because nobody else can tell the other one.
fn troubled_calls(world: &mut World, fate: &mut Fate) {
    for caller in 0..CALLERS {
        let target = Private(world.phones[caller + CALLERS].username());
        world.act(caller, Action::Call { line: None, target });
        world.run_for(Duration::from_millis(fate.below(400).into()));
    }
    world.run_for(Duration::from_millis(fate.below(4_000).into()));
    for callee in CALLERS..PHONES {
        let Some(call) = world.phones[callee].ringing() else {
            continue;
        };
        match fate.below(10) {
            0 => world.act(callee, Action::Reject(Some(call), Rejection::Busy)),
            1 => hang_up(world, callee - CALLERS),
            2 => {}
            _ => world.act(callee, Action::Answer(Some(call))),
        }
        world.run_for(Duration::from_millis(fate.below(300).into()));
    }
    world.run_for(Duration::from_secs(fate.below(20).into()));
    let forgets = match fate.below(6) {
        0 => {
            let seed = fate.byte();
            world.restart_proxy(seed);
            true
        }
        1 | 2 => {
            let (phone, seed) = (fate.phone(), fate.byte());
            world.restart_phone(phone, seed);
            true
        }
        _ => false,
    };
    world.run_for(Duration::from_secs(fate.below(20).into()));
    for caller in 0..CALLERS {
        let (one, other) = match fate.below(2) {
            0 => (caller, caller + CALLERS),
            _ => (caller + CALLERS, caller),
        };
        hang_up(world, one);
        if forgets || fate.below(3) == 0 {
            world.run_for(Duration::from_millis(fate.below(50).into()));
            hang_up(world, other);
        }
    }
    world.run_for(LAST_WORDS);
    for phone in &world.phones {
        assert_eq!(phone.calls, [], "phone {}", phone.number);
    }
    let counts = world.proxy.counts();
    let Counts {
        calls,
        legs,
        records,
        ..
    } = counts;
    assert_eq!(
        (calls, legs, records),
        (0, 0, 0),
        "what the proxy still has of calls"
    );
}

fn hang_up(world: &mut World, index: usize) {
    let calls: Vec<_> = world.phones[index]
        .calls
        .iter()
        .map(|(call, _)| *call)
        .collect();
    for call in calls {
        world.act(index, Action::HangUp(Some(call)));
    }
}

/// The first ten phones call the others; some are answered, some rejected, some given up, and all end.
fn ten_calls(world: &mut World) {
    for caller in 0..CALLERS {
        let target = Private(world.phones[caller + CALLERS].username());
        world.act(caller, Action::Call { line: None, target });
    }
    world.run_for(Duration::from_secs(5));
    for callee in CALLERS..PHONES {
        match (world.phones[callee].ringing(), callee) {
            (Some(call), 19) => world.act(callee, Action::Reject(Some(call), Rejection::Busy)),
            (Some(_), 18) | (None, _) => {}
            (Some(call), _) => world.act(callee, Action::Answer(Some(call))),
        }
    }
    world.run_for(Duration::from_secs(20));
    for index in 0..PHONES {
        hang_up(world, index);
    }
    world.run_for(Duration::from_secs(40));
}

fn register_everybody(world: &mut World) {
    world.everybody(|phone| Action::Configure(vec![phone.line()]));
    world.run_for(Duration::from_secs(60));
    let registered = world.total(|phone| usize::from(phone.is_connected));
    assert_eq!(
        registered, PHONES,
        "everybody is registered before the calls begin"
    );
}

fn nothing_is_left(world: &mut World) {
    world.everybody(|_| Action::Configure(Vec::new()));
    world.run_for(Duration::from_secs(7_300));
    assert_eq!(world.proxy.counts(), Counts::default());
    assert_eq!(
        world.proxy.poll_timeout(),
        None,
        "an idle proxy has no deadline"
    );
    for phone in &world.phones {
        assert!(
            phone.machine.is_idle(),
            "phone {} is not idle",
            phone.number
        );
        assert_eq!(
            phone.machine.poll_timeout(),
            None,
            "an idle phone has no deadline"
        );
    }
}

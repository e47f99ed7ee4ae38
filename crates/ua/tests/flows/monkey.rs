//! Three agents do anything at any time over a bad network that also damages messages. Whatever they do: nothing panics, every
//! call that an owner knows ends exactly once for it, and in the end nothing is left
//! ([`World::finish`](crate::world::World::finish), `Agent::remember`).

use std::time::Duration;

use sdp::{Described, Direction};
use sip::Ids;
use testkit::sim_net::{Conditions, SimNet};
use ua::{CallKey, CallsConfig, SessionTimers};

use crate::world::World;

const NAMES: [&str; 3] = ["alice", "bob", "carol"];

/// How many seeds are tried; `UA_MONKEYS` says otherwise for a long run.
fn seeds() -> u8 {
    std::env::var("UA_MONKEYS")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(60)
}

#[test]
fn nothing_breaks_whatever_is_done() {
    for seed in 0..seeds() {
        play(seed);
    }
}

fn play(seed: u8) {
    let timers = SessionTimers {
        expires: Duration::from_secs(90),
        min_se: Duration::from_secs(90),
    };
    let config = CallsConfig {
        max_calls: 4,
        session_timers: seed.is_multiple_of(2).then_some(timers),
        ..CallsConfig::default()
    };
    let mut world = World::with_config(&NAMES, &config);
    let mut random = Ids::from_seed([seed; 32]);
    world.net = SimNet::new(
        seed,
        Conditions {
            delay: Duration::from_millis(10),
            jitter: Duration::from_millis(200),
            loss_per_mille: 150 * u32::from(seed % 3),
            duplicates_per_mille: 0,
        },
    );
    for _ in 0..120 {
        act(&mut world, &mut random);
        world.run_ms(u64::from(random.u32() % 3_000));
        repeat_damaged(&mut world, &mut random);
        world.ladder.take();
        world.packets.clear();
    }
    for who in 0..NAMES.len() {
        for call in calls_of(&world, who) {
            world.hang_up(who, call);
        }
    }
    world.finish();
}

/// Something that was sent arrives once more, with a few bytes changed.
fn repeat_damaged(world: &mut World, random: &mut Ids) {
    let mut pick = |bound: usize| random.u32() as usize % bound;
    if world.packets.is_empty() || pick(2) == 0 {
        return;
    }
    let mut packet = world.packets[pick(world.packets.len())].clone();
    let mut bytes = packet.bytes.to_vec();
    for _ in 0..=pick(3) {
        let at = pick(bytes.len());
        bytes[at] = b"0;:<>@,= \r\nz\xff\""[pick(14)];
    }
    packet.bytes = bytes.into();
    world.receive(&packet);
}

fn calls_of(world: &World, who: usize) -> Vec<CallKey> {
    world.agents[who].alive.iter().copied().collect()
}

/// One thing that somebody may do. Being refused is fine.
fn act(world: &mut World, random: &mut Ids) {
    let mut pick = |bound: usize| random.u32() as usize % bound;
    let who = pick(NAMES.len());
    let calls = calls_of(world, who);
    let now = world.now;
    if calls.is_empty() || pick(6) == 0 {
        let mut dial = world.dial_to(who, (who + 1 + pick(2)) % NAMES.len());
        if pick(4) > 0 {
            dial.offer = Some(world.agents[who].description(Direction::SendRecv).into());
        }
        let agent = &mut world.agents[who];
        if let Ok(call) = agent.calls.dial(dial, &mut agent.endpoint, now) {
            agent.alive.insert(call);
        }
        return world.drain();
    }
    let call = calls[pick(calls.len())];
    let mut description = world.agents[who].description(Direction::SendRecv);
    description.origin.version = pick(3) as u64;
    let description = Described::from(description);
    let agent = &mut world.agents[who];
    let (calls, endpoint) = (&mut agent.calls, &mut agent.endpoint);
    let _ = match pick(10) {
        0 => calls.progress(call, 180, None, endpoint, now),
        1 => calls.progress(call, 183, Some(description), endpoint, now),
        2 | 3 => calls.answer(call, Some(description), endpoint, now),
        4 => calls.reject(call, 486, endpoint, now),
        5 => calls.hang_up(call, None, endpoint, now),
        6 => calls.reoffer(call, description, endpoint, now),
        7 => calls.answer_reoffer(call, Ok(description), endpoint, now),
        8 => calls.answer_reoffer(call, Err(488), endpoint, now),
        _ => calls.acknowledge(call, description, endpoint, now),
    };
    world.drain();
}

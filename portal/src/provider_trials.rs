//! How often providers may be tried: one trial of a tenant at a time, and a few in a row. A trial connects to where somebody says, so it must
//! not serve to look through networks.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use uuid::Uuid;

use crate::limits::{Limiter, Quota, Wait};

/// Who tries now, and who has tried.
#[derive(Debug)]
pub(crate) struct ProviderTrials {
    running: Arc<Mutex<HashSet<Uuid>>>,
    begun: Limiter<Uuid>,
}

/// A trial of a tenant that is under way, until it is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    tenant: Uuid,
    running: Arc<Mutex<HashSet<Uuid>>>,
}

impl Default for ProviderTrials {
    fn default() -> Self {
        Self {
            running: Arc::default(),
            begun: Limiter::new(Quota {
                burst: 10,
                interval: Duration::from_secs(20),
            }),
        }
    }
}

impl ProviderTrials {
    /// Takes the tenant's place.
    pub(crate) fn begin(&self, tenant: Uuid, now: Instant) -> Result<Place, Wait> {
        if !lock(&self.running).insert(tenant) {
            return Err(Wait(ANOTHER));
        }
        // Gives the place back if there were too many.
        let place = Place {
            tenant,
            running: Arc::clone(&self.running),
        };
        self.begun.take(tenant, now)?;
        Ok(place)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        lock(&self.running).remove(&self.tenant);
    }
}

fn lock(running: &Mutex<HashSet<Uuid>>) -> MutexGuard<'_, HashSet<Uuid>> {
    running.lock().unwrap_or_else(PoisonError::into_inner)
}

/// When another trial has probably ended.
const ANOTHER: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_trial_of_a_tenant_at_a_time_and_ten_in_a_row() {
        let trials = ProviderTrials::default();
        let (now, tenant) = (Instant::now(), Uuid::from_u128(1));
        let place = trials.begin(tenant, now).unwrap();
        assert_eq!(trials.begin(tenant, now).err(), Some(Wait(ANOTHER)));
        trials.begin(Uuid::from_u128(2), now).unwrap();
        drop(place);
        for _ in 1..10 {
            trials.begin(tenant, now).unwrap();
        }
        let wait = trials.begin(tenant, now).err();
        assert_eq!(wait, Some(Wait(Duration::from_secs(20))));
        trials.begin(tenant, now + Duration::from_secs(20)).unwrap();
    }
}

//! Which of several catalogs a name belongs to: the one that had it first, for as long as it has it. A
//! catalog whose lists change while the server runs can't take what another one has.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Who has what, catalogs by their places.
#[derive(Default)]
pub(crate) struct Claims(Mutex<HashMap<String, usize>>);

impl Claims {
    /// The places in the order to ask them for it: whose it is comes first.
    pub(crate) fn first(&self, name: &str, places: impl Iterator<Item = usize>) -> Vec<usize> {
        let owner = self.lock().get(name).copied();
        let mut places: Vec<usize> = places.collect();
        places.sort_by_key(|place| Some(*place) != owner);
        places
    }

    /// Remembers that a catalog turned out to have it, which none did that [`Self::first`] puts before
    /// it.
    pub(crate) fn found(&self, name: &str, place: usize) {
        self.lock().insert(name.to_owned(), place);
    }

    /// Settles whose everything is that is listed now. Keeps each name once, where it belongs.
    pub(crate) fn settle<T>(
        &self,
        listed: Vec<(usize, T)>,
        name: impl Fn(&T) -> &str,
    ) -> Vec<(usize, T)> {
        let mut claims = self.lock();
        let mut settled = HashMap::new();
        for (place, item) in &listed {
            if claims.get(name(item)) == Some(place) {
                settled.insert(name(item).to_owned(), *place);
            }
        }
        for (place, item) in &listed {
            settled.entry(name(item).to_owned()).or_insert(*place);
        }
        claims.clone_from(&settled);
        drop(claims);
        let mut seen = HashSet::new();
        let mut kept = listed;
        kept.retain(|(place, item)| {
            settled.get(name(item)) == Some(place) && seen.insert(name(item).to_owned())
        });
        kept
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

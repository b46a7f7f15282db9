//! How many files this process may have open: each connection is one.

/// Those beside the connections: databases, logs, what is fetched elsewhere.
#[cfg(unix)]
const OTHERS: u64 = 1024;

/// Raises the soft limit as far as `connections` need it and the hard limit lets it, and warns when
/// that is too little. No further: programs that this one starts inherit it, and some can't cope.
#[cfg(unix)]
pub(crate) fn allow(connections: usize) {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let wanted = u64::try_from(connections).unwrap_or(u64::MAX).saturating_add(OTHERS);
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    // `None` is no limit.
    let Some(current) = current.filter(|current| *current < wanted) else { return };
    let raised = maximum.map_or(wanted, |maximum| maximum.min(wanted));
    let limit = match setrlimit(Resource::Nofile, Rlimit { current: Some(raised), maximum }) {
        Ok(()) => raised,
        Err(error) => {
            tracing::debug!(%error, "the limit of open files can't be raised");
            current
        }
    };
    if limit < wanted {
        tracing::warn!(
            limit,
            wanted,
            "this process may have too few files open for most_connections: raise the hard limit \
             (ulimit -Hn, LimitNOFILE=) or lower the setting"
        );
    }
}

/// Other systems have no such limit.
#[cfg(not(unix))]
pub(crate) fn allow(_connections: usize) {}

//! How a browser came to a page.

/// Where a navigation began, as the browser tells in `Sec-Fetch-Site` (Fetch Metadata Request
/// Headers §2.3). No page can set or hide that header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Navigation {
    /// With the person (typed, a bookmark, opened by a program) or on a page of this server.
    Own,
    /// On a page of somebody else, or nobody knows where.
    Foreign,
}

impl Navigation {
    /// Reads every `Sec-Fetch-Site` header of a request.
    #[must_use]
    pub fn from_sec_fetch_site(values: &[&str]) -> Self {
        match values {
            ["none" | "same-origin"] => Self::Own,
            _ => Self::Foreign,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn az_24_only_a_navigation_that_is_known_to_be_ours_is() {
        for own in ["none", "same-origin"] {
            assert_eq!(Navigation::from_sec_fetch_site(&[own]), Navigation::Own);
        }
        let foreign: [&[&str]; 6] =
            [&["cross-site"], &["same-site"], &[], &[""], &["None"], &["none", "none"]];
        for values in foreign {
            assert_eq!(Navigation::from_sec_fetch_site(values), Navigation::Foreign, "{values:?}");
        }
    }
}

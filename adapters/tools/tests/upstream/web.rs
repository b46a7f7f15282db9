//! Servers reached by URL.

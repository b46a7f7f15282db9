//! The whole server in process, as its clients, browsers and attackers meet it: the real router over
//! memory stores, a clock that stands still and randomness that repeats itself from run to run.
//!
//! Files follow the chapters of the security checklist, and tests carry its ids.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a scenario that can't go on fails its test"
)]

mod answer;
mod foreign_provider;
mod forged_token;
mod parameters;
mod people;
mod providers;
mod publications;
mod recording_store;
mod scenario;
mod steps;
mod world;

mod complete_flow;

mod mcp_sessions;
mod resource_challenges;
mod resource_server;

mod key_rotation;
mod key_sharing;
mod token_claims;
mod token_header;

mod metadata;
mod provider_mode;
mod published_documents;

mod authorization_request;
mod authorization_response;
mod broker;
mod broker_refusals;
mod consent_page;
mod kept_tokens;
mod log_out;
mod login_page;
mod person_gone;
mod prompt;
mod redirect_address;
mod remembered_consent;

mod client_authentication;
mod code_exchange;
mod code_replay;
mod machine_client;
mod token_endpoint;

mod introspection;
mod refresh;
mod refresh_replay;
mod revocation;

mod client_documents;
mod private_key_jwt;
mod registration;
mod registration_management;
mod registration_modes;

mod audit;
mod cross_origin;
mod dev_token;
mod headers;

mod bad_input;
mod base_path;
mod correlation;
mod host_and_origin;
mod loopback_names;
mod request_head;
mod request_limits;
mod store_out_of_reach;

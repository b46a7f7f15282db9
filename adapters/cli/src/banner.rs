//! The few lines a person needs after the start.

use std::io::{self, Write};

use mcp_oauth_core::domain::public_address::PublicAddress;
use mcp_oauth_core::domain::resource::ResourceDocument;
use mcp_oauth_core::service::UseCases;

use crate::provider_settings::TokenIssuer;
use crate::settings::Settings;

/// Prints them to standard output.
pub(crate) fn print(settings: &Settings, use_cases: &UseCases, store: &str) -> io::Result<()> {
    let address = use_cases.address.as_asked(None);
    let base = address.base_url();
    let mcp = address.resource(ResourceDocument::StreamableHttp, false);
    let sse = address.resource(ResourceDocument::Sse, false);
    let mut out = io::stdout().lock();
    writeln!(out, "{} {}", settings.policy.server_name, env!("CARGO_PKG_VERSION"))?;
    if settings.streamable_http {
        writeln!(out, "  MCP             {mcp}")?;
    }
    if settings.sse {
        writeln!(out, "  MCP over SSE    {sse}")?;
    }
    writeln!(out, "  How to connect  {base}/")?;
    writeln!(out, "  API docs        {base}/docs")?;
    writeln!(out, "  Store           {store}")?;
    who_logs_people_in(&mut out, settings, &use_cases.address)?;
    let (transport, url) = if settings.streamable_http { ("http", &mcp) } else { ("sse", &sse) };
    writeln!(out, "Try it with the Inspector:")?;
    writeln!(
        out,
        "  npx @modelcontextprotocol/inspector --transport {transport} --server-url {url}"
    )?;
    out.flush()
}

/// With a provider, also the redirect address that has to be registered there.
fn who_logs_people_in(
    out: &mut impl Write,
    settings: &Settings,
    address: &PublicAddress,
) -> io::Result<()> {
    let password = if settings.default_users { "password: password" } else { "see dev_users" };
    for user in settings.dev_users() {
        writeln!(out, "  Dev user        {} ({password})", user.username)?;
    }
    for provider in settings.providers() {
        let config = &provider.config;
        let (title, issuer) = (&config.title, config.policy.issuer.issuer.as_str());
        match settings.token_issuer() {
            TokenIssuer::Provider => writeln!(out, "  Tokens from     {title}, {issuer}")?,
            TokenIssuer::Local => {
                writeln!(out, "  Log in at       {title}, {issuer}")?;
                writeln!(out, "  Register there  {}", address.callback(&config.name))?;
            }
        }
    }
    Ok(())
}

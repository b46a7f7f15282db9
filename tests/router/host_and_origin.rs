//! Under which names a server answers (MCP transports, DNS rebinding).

use poem::http::Method;

use crate::scenario::Scenario;

const PATHS: [&str; 8] = [
    "/",
    "/mcp",
    "/mcp/sse",
    "/authorize",
    "/dev/token",
    "/.well-known/oauth-protected-resource/mcp",
    "/openapi.json",
    "/nothing",
];

#[tokio::test]
async fn a_local_server_answers_to_no_name_but_loopback() {
    let scenario = Scenario::new();
    let foreign = [
        "evil.example",
        "evil.example:8000",
        "localhost.evil.example:8000",
        "127.0.0.1.evil.example",
        "0.0.0.0:8000",
        "10.0.0.1:8000",
        "[::]:8000",
        "localhost:8000@evil.example",
        "evil.example#localhost",
        "evil.example/localhost",
        "",
    ];
    for host in foreign {
        for path in PATHS {
            let answer = scenario.get(path).host(host).send().await;
            answer.refused(403, "invalid_request");
        }
        scenario
            .call(Method::POST, "/token")
            .host(host)
            .send()
            .await
            .refused(403, "invalid_request");
    }
    assert_eq!(scenario.audit.names(), [""; 0]);
}

#[tokio::test]
async fn a_local_server_answers_to_every_loopback_name() {
    let scenario = Scenario::new();
    for host in [
        "localhost:8000",
        "127.0.0.1:8000",
        "[::1]:8000",
        "localhost",
        "LOCALHOST:8000",
        "127.0.0.2:8000",
    ] {
        scenario.get("/").host(host).send().await.expect(200);
        scenario.get("/mcp").host(host).send().await.expect(401);
    }
}

#[tokio::test]
async fn a_public_server_answers_under_the_name_its_proxy_uses() {
    let scenario = Scenario::at("https://mcp.example.com");
    for host in ["mcp.example.com", "backend:8000", "10.0.0.1"] {
        let page = scenario.get("/").host(host).send().await.expect(200);
        assert!(page.page().contains("<pre>https://mcp.example.com/mcp</pre>"), "{host}");
    }
}

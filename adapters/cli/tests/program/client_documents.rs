//! Clients known by their metadata documents, as the program serves them by default.

use crate::process::Program;

const METADATA: &str = "/.well-known/oauth-authorization-server";

#[test]
fn md_07_documents_are_on_unless_they_are_switched_off() {
    let on = Program::new().serve_briefly();
    assert!(on.get(METADATA).contains("\"client_id_metadata_document_supported\":true"));
    let off = Program::new().config("client_documents = \"off\"\n").serve_briefly();
    assert!(!off.get(METADATA).contains("client_id_metadata_document"));
    assert!(off.get(METADATA).contains("\"private_key_jwt\""));
}

#[test]
fn ci_04_the_program_asks_no_address_of_special_use() {
    let running = Program::new().serve_briefly();
    for host in ["127.0.0.1", "localhost", "169.254.169.254", "[::1]", "[::ffff:7f00:1]"] {
        let status = running.status(&format!("/authorize?client_id=https://{host}/client.json"));
        assert_eq!(status, 400, "{host}");
    }
    let log = running.log();
    assert_eq!(log.matches("client_document_unusable").count(), 5, "{log}");
    assert_eq!(log.matches("is not asked").count(), 5, "{log}");
}

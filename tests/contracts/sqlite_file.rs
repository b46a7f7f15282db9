//! What only a store with a file can promise: what is acknowledged survives, and a file that can't
//! be used is refused with a reason.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use mcp_oauth_core::domain::kept_tokens::KeptTokens;
use mcp_oauth_core::domain::provider_login::ProviderTokens;
use mcp_oauth_core::domain::secret::SECRET_BYTES;
use mcp_oauth_core::port::{KeyStore, MockRandom, ProviderTokenStore, StoredKey, TokenSealer};
use mcp_oauth_database::{
    Database, DatabaseAddress, OpenError, Opened, migrate, pending_migrations,
};
use mcp_oauth_issuer::ProviderTokenSealer;
use secrecy::ExposeSecret;

use crate::everything::{MIGRATIONS, contents, fill};
use crate::samples::{begun, kept_tokens, key, refresh_hash, rotated};
use crate::stores::{SqliteFile, race};

async fn refusal(path: &Path) -> OpenError {
    Database::open_sqlite(path).await.err().expect("the file is unusable")
}

#[tokio::test]
async fn rg_10_everything_survives_closing_and_opening_again() {
    let file = SqliteFile::new();
    let store = file.open().await;
    fill(&store).await;
    let before = contents(&store).await;
    store.close().await.unwrap();
    assert_eq!(contents(&file.open().await).await, before);
}

#[tokio::test]
async fn rg_10_everything_acknowledged_survives_a_crash() {
    let (file, crashed) = (SqliteFile::new(), SqliteFile::new());
    let store = file.open().await;
    fill(&store).await;
    // What is in the files at this moment is what SIGKILL would leave.
    for suffix in ["", "-wal"] {
        let name = |file: &SqliteFile| format!("{}{suffix}", file.path().display());
        fs::copy(name(&file), name(&crashed)).unwrap();
    }
    assert_eq!(contents(&crashed.open().await).await, contents(&store).await);
}

#[tokio::test]
async fn up_07_no_token_of_a_provider_is_to_be_read_in_the_files() {
    let file = SqliteFile::new();
    let store = file.open().await;
    begun(&store, "a").await;
    let mut random = MockRandom::new();
    random.expect_entropy().returning(|| [7; SECRET_BYTES]);
    let secret = "an encryption secret of 32 letters".into();
    let sealer = ProviderTokenSealer::new(&secret, None, Arc::new(random)).unwrap();
    let tokens = ProviderTokens {
        access_token: "access-of-the-provider".into(),
        refresh_token: Some("refresh-of-the-provider".into()),
        expires_at: None,
    };
    let kept = kept_tokens("a");
    let sealed = sealer.seal(&kept.grant, &kept.provider, &tokens.to_unsealed()).unwrap();
    store.keep_tokens(&KeptTokens { sealed: sealed.clone(), ..kept }).await.unwrap();
    let read = |suffix| fs::read(format!("{}{suffix}", file.path().display())).unwrap();
    let dump = [read(""), read("-wal")].concat();
    let contains = |bytes: &[u8]| dump.windows(bytes.len()).any(|window| window == bytes);
    assert!(contains(sealed.as_bytes()), "the files are not all there is");
    for text in ["access-of-the-provider", "refresh-of-the-provider"] {
        assert!(!contains(text.as_bytes()), "{text}");
    }
}

#[tokio::test]
async fn a_new_file_is_reported_and_an_old_one_too() {
    let file = SqliteFile::new();
    let store = file.open().await;
    assert_eq!(store.opened(), Opened { created: true, migrations_applied: MIGRATIONS });
    store.close().await.unwrap();
    assert_eq!(file.open().await.opened(), Opened { created: false, migrations_applied: 0 });
}

#[tokio::test]
async fn an_empty_file_is_migrated() {
    let file = SqliteFile::new();
    fs::write(file.path(), "").unwrap();
    assert_eq!(
        file.open().await.opened(),
        Opened { created: false, migrations_applied: MIGRATIONS }
    );
}

#[tokio::test]
async fn a_file_is_migrated_once_by_itself_and_then_up_to_date() {
    let file = SqliteFile::new();
    let address = DatabaseAddress::Sqlite(file.path());
    let pending = pending_migrations(&address).await.unwrap();
    assert!(!pending.is_empty() && !file.path().exists(), "asking makes no file");
    assert_eq!(migrate(&address).await.unwrap(), pending);
    assert!(pending_migrations(&address).await.unwrap().is_empty());
    assert!(migrate(&address).await.unwrap().is_empty());
    assert_eq!(file.open().await.opened(), Opened { created: false, migrations_applied: 0 });
}

#[tokio::test]
async fn asking_what_a_file_lacks_changes_nothing() {
    let file = SqliteFile::new();
    fs::write(file.path(), "").unwrap();
    let address = DatabaseAddress::Sqlite(file.path());
    assert!(!pending_migrations(&address).await.unwrap().is_empty());
    assert_eq!(fs::read(file.path()).unwrap(), b"");
    fs::write(file.path(), "short").unwrap();
    let error = pending_migrations(&address).await.unwrap_err();
    assert!(matches!(error, OpenError::NotADatabase { .. }), "{error:?}");
}

#[cfg(unix)]
#[tokio::test]
async fn the_files_are_readable_by_their_owner_alone() {
    use std::os::unix::fs::PermissionsExt;

    let file = SqliteFile::new();
    let store = file.open().await;
    fill(&store).await;
    for suffix in ["", "-wal", "-shm"] {
        let path = format!("{}{suffix}", file.path().display());
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{path}");
    }
}

#[tokio::test]
async fn garbage_is_no_database_and_left_as_it_is() {
    for garbage in ["?".repeat(20_000), "short".to_owned()] {
        let file = SqliteFile::new();
        fs::write(file.path(), &garbage).unwrap();
        let error = refusal(&file.path()).await;
        assert!(matches!(error, OpenError::NotADatabase { .. }), "{error:?}");
        assert!(error.to_string().contains("test.db"), "{error}");
        assert_eq!(fs::read_to_string(file.path()).unwrap(), garbage);
    }
}

#[tokio::test]
async fn a_directory_that_is_missing_or_unwritable_is_named() {
    let file = SqliteFile::new();
    fs::write(file.path(), "").unwrap();
    let mut nowhere =
        vec![file.path().with_file_name("missing").join("a.db"), file.path().join("a.db")];
    // Nobody can make a file there, not even root.
    #[cfg(target_os = "linux")]
    nowhere.push("/proc/a.db".into());
    for path in nowhere {
        let error = refusal(&path).await;
        assert!(matches!(error, OpenError::Create { .. }), "{error:?}");
        assert!(error.to_string().contains(path.to_str().unwrap()), "{error}");
    }
}

#[tokio::test]
async fn a_directory_in_place_of_the_file_is_unusable() {
    let file = SqliteFile::new();
    fs::create_dir(file.path()).unwrap();
    let error = refusal(&file.path()).await;
    assert!(matches!(error, OpenError::UnusableFile { .. }), "{error:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn processes_that_start_at_once_share_a_new_file() {
    let file = SqliteFile::new();
    let path = file.path();
    let openings: Vec<_> = (0..8)
        .map(|_| path.clone())
        .map(|path| tokio::spawn(async move { Database::open_sqlite(&path).await.unwrap() }))
        .collect();
    let mut opened = Vec::new();
    for opening in openings {
        opened.push(opening.await.unwrap().opened());
    }
    assert_eq!(opened.iter().filter(|opened| opened.created).count(), 1);
    assert_eq!(opened.iter().map(|opened| opened.migrations_applied).sum::<usize>(), MIGRATIONS);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn processes_that_share_a_file_wait_for_one_another() {
    let file = SqliteFile::new();
    let stores = [file.open().await, file.open().await, file.open().await];
    let kept = race(|number| {
        let store = stores[number % stores.len()].clone();
        let id = number.to_string();
        async move {
            rotated(&store, &id, &format!("{id} rotated")).await;
            store.keep_first(key(&id)).await.unwrap().key_id
        }
    })
    .await;
    assert!(kept.iter().all(|id| *id == kept[0]), "{kept:?}");
}

#[tokio::test]
async fn rf_10_no_secret_is_in_the_file_but_the_signing_key() {
    let file = SqliteFile::new();
    let store = file.open().await;
    fill(&store).await;
    store.close().await.unwrap();
    let bytes = fs::read(file.path()).unwrap();
    let has = |needle: &[u8]| bytes.windows(needle.len()).any(|window| window == needle);
    assert!(has(refresh_hash("r2").as_str().as_bytes()));
    assert!(has(&[0xA5; SECRET_BYTES]), "the salt is no secret without its token");
    assert!(has(key("k").private_key.expose_secret()));
    let printed = format!("{:?}", StoredKey { ..key("k") });
    assert!(!printed.contains("private"), "{printed}");
}

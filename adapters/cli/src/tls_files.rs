//! The files with the certificate for TLS and its key, read again when they change: whoever renews a
//! certificate should not have to restart the server.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};
use std::{fs, io};

use mcp_oauth_http::{Tls, TlsCertificate, UnusableCertificate};
use tokio_util::sync::CancellationToken;

use crate::signals::Reloads;

/// The setting that names the certificate.
pub(crate) const CERTIFICATE_FILE: &str = "tls_certificate_file";

/// The setting that names its key.
pub(crate) const KEY_FILE: &str = "tls_key_file";

/// How often the files are looked at.
const CHECK_EVERY: Duration = Duration::from_secs(60);

/// Two files, and the TLS that shows what was in them.
#[derive(Debug, Clone)]
pub(crate) struct TlsFiles {
    certificate: PathBuf,
    key: PathBuf,
    tls: Tls,
    read: Stamps,
}

/// By what a change is noticed: when each file was written last, and its size; `None` for one that
/// can't be looked at.
type Stamps = [Option<(SystemTime, u64)>; 2];

/// What is wrong with the files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct UnusableFile {
    /// The setting that names it.
    pub(crate) setting: &'static str,
    /// The file, and what is wrong with it.
    pub(crate) reason: String,
}

impl TlsFiles {
    /// Reads the files, in PEM.
    pub(crate) fn open(certificate: PathBuf, key: PathBuf) -> Result<Self, UnusableFile> {
        let read = [stamp(&certificate), stamp(&key)];
        let tls = Tls::new(usable(&certificate, &key)?);
        let tls = tls.map_err(|error| unusable(CERTIFICATE_FILE, &certificate, &error))?;
        Ok(Self { certificate, key, tls, read })
    }

    /// TLS with what is in them.
    pub(crate) fn tls(&self) -> Tls {
        self.tls.clone()
    }

    /// Reads them again. What was there before stays in use when they are no good.
    fn reload(&mut self) -> Result<(), UnusableFile> {
        // Before reading: what is written meanwhile will be a change.
        self.read = self.stamps();
        self.tls.replace(usable(&self.certificate, &self.key)?);
        Ok(())
    }

    /// Reads them again if they have changed since they were read, well or not.
    fn reload_if_changed(&mut self) -> Option<Result<(), UnusableFile>> {
        (self.stamps() != self.read).then(|| self.reload())
    }

    fn stamps(&self) -> Stamps {
        [stamp(&self.certificate), stamp(&self.key)]
    }
}

/// Reads the files again whenever somebody asks for it, and whenever they have changed.
pub(crate) async fn keep_up(mut files: TlsFiles, mut asked: Reloads, stop: CancellationToken) {
    let mut interval = tokio::time::interval(CHECK_EVERY);
    loop {
        let is_asked = tokio::select! {
            _ = interval.tick() => false,
            () = asked.next() => true,
            () = stop.cancelled() => return,
        };
        let looked = tokio::task::spawn_blocking(move || {
            let outcome = if is_asked { Some(files.reload()) } else { files.reload_if_changed() };
            (files, outcome)
        });
        let Ok((same, outcome)) = looked.await else { return };
        files = same;
        match outcome {
            None => {}
            Some(Ok(())) => tracing::info!("the TLS certificate was read again"),
            Some(Err(UnusableFile { setting, reason })) => tracing::warn!(
                setting,
                reason,
                "the TLS certificate can't be read again; the one before stays in use"
            ),
        }
    }
}

fn usable(certificate: &Path, key: &Path) -> Result<TlsCertificate, UnusableFile> {
    let chain = read(CERTIFICATE_FILE, certificate)?;
    let private = read(KEY_FILE, key)?;
    TlsCertificate::from_pem(&chain, &private).map_err(|error| {
        if error.is_about_the_key() {
            unusable(KEY_FILE, key, &error)
        } else {
            unusable(CERTIFICATE_FILE, certificate, &error)
        }
    })
}

fn read(setting: &'static str, path: &Path) -> Result<Vec<u8>, UnusableFile> {
    fs::read(path).map_err(|error: io::Error| UnusableFile {
        setting,
        reason: format!("{}: {error}", path.display()),
    })
}

fn unusable(setting: &'static str, path: &Path, error: &UnusableCertificate) -> UnusableFile {
    UnusableFile { setting, reason: format!("{}: {error}", path.display()) }
}

/// Of the file itself where the path is a link: a link that leads elsewhere is a change.
fn stamp(path: &Path) -> Option<(SystemTime, u64)> {
    let metadata = fs::metadata(path).ok()?;
    Some((metadata.modified().ok()?, metadata.len()))
}

#[cfg(test)]
mod tests {
    use rcgen::{CertifiedKey, generate_simple_self_signed};
    use tempfile::TempDir;

    use super::*;

    /// A directory with a certificate and its key.
    struct Directory(TempDir);

    impl Directory {
        fn new() -> Self {
            let directory = Self(TempDir::new().unwrap());
            directory.renew();
            directory
        }

        fn path(&self, name: &str) -> PathBuf {
            self.0.path().join(name)
        }

        /// Writes a file whose last change is later than that of the one before, however coarse
        /// the clock of the file system.
        fn write(&self, name: &str, text: &str) {
            let path = self.path(name);
            let before = fs::metadata(&path).and_then(|it| it.modified());
            fs::write(&path, text).unwrap();
            if let Ok(before) = before {
                let later = before + Duration::from_secs(2);
                fs::File::options().write(true).open(&path).unwrap().set_modified(later).unwrap();
            }
        }

        fn renew(&self) {
            let names = vec!["localhost".to_owned()];
            let CertifiedKey { cert, signing_key } = generate_simple_self_signed(names).unwrap();
            self.write("certificate.pem", &cert.pem());
            self.write("key.pem", &signing_key.serialize_pem());
        }

        fn open(&self) -> Result<TlsFiles, UnusableFile> {
            TlsFiles::open(self.path("certificate.pem"), self.path("key.pem"))
        }
    }

    #[test]
    fn files_are_read_again_when_they_have_changed_and_only_then() {
        let directory = Directory::new();
        let mut files = directory.open().unwrap();
        assert_eq!(files.reload_if_changed(), None);
        directory.renew();
        assert_eq!(files.reload_if_changed(), Some(Ok(())));
        assert_eq!(files.reload_if_changed(), None);
    }

    #[test]
    fn what_is_no_good_is_said_once_and_tried_again_when_it_has_changed() {
        let directory = Directory::new();
        let mut files = directory.open().unwrap();
        directory.write("key.pem", "half a key");
        let problem = files.reload_if_changed().unwrap().unwrap_err();
        assert_eq!(problem.setting, KEY_FILE);
        assert!(problem.reason.contains("key.pem: there is no private key"), "{problem:?}");
        assert_eq!(files.reload_if_changed(), None);
        fs::remove_file(directory.path("certificate.pem")).unwrap();
        let problem = files.reload_if_changed().unwrap().unwrap_err();
        assert_eq!(problem.setting, CERTIFICATE_FILE);
        directory.renew();
        assert_eq!(files.reload_if_changed(), Some(Ok(())));
    }
}

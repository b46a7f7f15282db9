//! What is between a store and its server, so that it can fail: bytes go through until it is cut,
//! and from then on nobody hears anything, as when a machine loses its power.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use tokio::sync::Notify;

/// A relay in threads of its own: a runtime whose time stands still does not stop it.
pub(crate) struct Relay {
    address: SocketAddr,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    is_cut: AtomicBool,
    /// Cuts the relay before this would go to the server.
    trigger: Mutex<Option<&'static str>>,
    was_cut: Notify,
    open: Mutex<Vec<TcpStream>>,
}

impl Relay {
    /// Relays to a server, `HOST:PORT`.
    pub(crate) fn to(server: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(State::default());
        let relaying = Arc::clone(&state);
        thread::spawn(move || {
            while let Ok((client, _)) = listener.accept() {
                relaying.relay(client, &server);
            }
        });
        Self { address, state }
    }

    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }

    /// Cuts it as soon as a client would send a message with this text, and waits until it did.
    pub(crate) fn cut_at(&self, text: &'static str) -> impl Future<Output = ()> {
        *self.state.trigger.lock().unwrap() = Some(text);
        let state = Arc::clone(&self.state);
        async move { state.was_cut.notified().await }
    }

    pub(crate) fn cut(&self) {
        self.state.is_cut.store(true, Ordering::SeqCst);
    }

    /// Hangs up every connection, as a machine does that comes back and knows none of them, and
    /// lets new ones through.
    pub(crate) fn mend(&self) {
        *self.state.trigger.lock().unwrap() = None;
        for connection in self.state.open.lock().unwrap().drain(..) {
            let _ = connection.shutdown(Shutdown::Both);
        }
        self.state.is_cut.store(false, Ordering::SeqCst);
    }
}

impl State {
    fn relay(self: &Arc<Self>, client: TcpStream, server: &str) {
        let server = TcpStream::connect(server).unwrap();
        let ends = [client.try_clone().unwrap(), server.try_clone().unwrap()];
        self.open.lock().unwrap().extend(ends);
        let (to_client, to_server) = (client.try_clone().unwrap(), server.try_clone().unwrap());
        let (there, back) = (Arc::clone(self), Arc::clone(self));
        thread::spawn(move || there.copy(client, to_server, true));
        thread::spawn(move || back.copy(server, to_client, false));
    }

    fn copy(&self, mut from: TcpStream, mut to: TcpStream, is_request: bool) {
        let mut buffer = [0; 16_384];
        while let Ok(read @ 1..) = from.read(&mut buffer) {
            let bytes = &buffer[..read];
            if is_request {
                self.look_for_trigger(bytes);
            }
            if !self.is_cut.load(Ordering::SeqCst) && to.write_all(bytes).is_err() {
                return;
            }
        }
        if !self.is_cut.load(Ordering::SeqCst) {
            let _ = to.shutdown(Shutdown::Both);
        }
    }

    fn look_for_trigger(&self, bytes: &[u8]) {
        let trigger = *self.trigger.lock().unwrap();
        let is_there = |text: &str| bytes.windows(text.len()).any(|part| part == text.as_bytes());
        if trigger.is_some_and(is_there) {
            self.is_cut.store(true, Ordering::SeqCst);
            self.was_cut.notify_one();
        }
    }
}

impl Drop for Relay {
    /// Or the server would go on waiting, and holding what the test wants to remove.
    fn drop(&mut self) {
        self.mend();
    }
}

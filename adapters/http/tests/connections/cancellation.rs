//! A client that goes away cancels what it asked for: the request's future is dropped.

use std::future::ready;
use std::io;
use std::sync::Arc;

use futures_util::{StreamExt, stream};
use hyper::http::StatusCode;
use poem::endpoint::{make, make_sync};
use poem::{Body, Endpoint, EndpointExt, Response};
use tokio::io::{AsyncWriteExt, copy_bidirectional};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::http2::{Client, get};
use crate::server::{patient, soon, start};

/// An endpoint that says when it begins and when it is dropped, and answers when it is let.
#[derive(Clone)]
pub(crate) struct Watched {
    begun: Arc<Semaphore>,
    dropped: Arc<Semaphore>,
    released: CancellationToken,
}

impl Default for Watched {
    fn default() -> Self {
        let none = || Arc::new(Semaphore::new(0));
        Self { begun: none(), dropped: none(), released: CancellationToken::new() }
    }
}

struct SaysWhenDropped(Arc<Semaphore>);

impl Drop for SaysWhenDropped {
    fn drop(&mut self) {
        self.0.add_permits(1);
    }
}

impl Watched {
    pub(crate) fn endpoint(&self) -> impl Endpoint<Output = Response> + 'static {
        let watched = self.clone();
        let answer = move |_| {
            let watched = watched.clone();
            async move {
                let _says = SaysWhenDropped(Arc::clone(&watched.dropped));
                watched.begun.add_permits(1);
                watched.released.cancelled().await;
                "done"
            }
        };
        make(answer).map_to_response()
    }

    /// Waits until one more request has begun.
    pub(crate) async fn begins(&self) {
        soon(self.begun.acquire()).await.unwrap().forget();
    }

    /// Waits until one more request has ended, or was dropped.
    pub(crate) async fn ends(&self) {
        soon(self.dropped.acquire()).await.unwrap().forget();
    }

    /// Lets every request be answered.
    pub(crate) fn release(&self) {
        self.released.cancel();
    }
}

#[tokio::test]
async fn a_client_of_http_1_that_goes_away_cancels_its_request() {
    let watched = Watched::default();
    let server = start(watched.endpoint(), None, patient()).await;
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n").await.unwrap();
    watched.begins().await;
    drop(stream);
    watched.ends().await;
}

#[tokio::test]
async fn a_client_of_http_2_that_takes_back_a_request_cancels_that_one_alone() {
    let watched = Watched::default();
    let server = start(watched.endpoint(), None, patient()).await;
    let mut client = Client::connect(server.address).await;
    let kept = tokio::spawn(client.requests.send_request(get("http://h/kept")));
    watched.begins().await;
    let taken_back = tokio::spawn(client.requests.send_request(get("http://h/taken-back")));
    watched.begins().await;
    taken_back.abort();
    watched.ends().await;
    watched.release();
    assert_eq!(soon(kept).await.unwrap().unwrap().status(), StatusCode::OK);
}

#[tokio::test]
async fn a_client_of_http_2_that_goes_away_cancels_all_its_requests() {
    let watched = Watched::default();
    let server = start(watched.endpoint(), None, patient()).await;
    let (near, mut far) = tokio::io::duplex(1024);
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let cable = tokio::spawn(async move { copy_bidirectional(&mut far, &mut stream).await });
    let mut client = Client::over(near).await;
    let asked: Vec<_> =
        (0..3).map(|_| tokio::spawn(client.requests.send_request(get("http://h/")))).collect();
    for _ in &asked {
        watched.begins().await;
    }
    cable.abort();
    for _ in &asked {
        watched.ends().await;
    }
}

#[tokio::test]
async fn an_answer_that_nobody_reads_to_its_end_is_dropped() {
    let dropped = Arc::new(Semaphore::new(0));
    let says = Arc::clone(&dropped);
    let endless = move |_| {
        let says = SaysWhenDropped(Arc::clone(&says));
        let event = stream::once(ready(Ok::<_, io::Error>("event")));
        let events = event.chain(stream::pending()).inspect(move |_| _ = &says);
        Response::builder().body(Body::from_bytes_stream(events))
    };
    let server = start(make_sync(endless).map_to_response(), None, patient()).await;
    let mut client = Client::connect(server.address).await;
    let answer = client.ask(get("http://h/")).await;
    drop(answer);
    soon(dropped.acquire()).await.unwrap().forget();
    let mut http1 = TcpStream::connect(server.address).await.unwrap();
    http1.write_all(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n").await.unwrap();
    http1.readable().await.unwrap();
    drop(http1);
    soon(dropped.acquire()).await.unwrap().forget();
}

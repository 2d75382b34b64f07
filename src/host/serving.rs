//! Whether somebody serves at an address of this host.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::Duration;

use futures_util::stream::{self, StreamExt};
use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use super::Host;

/// Bound of a connection within this host.
const CONNECT: Duration = Duration::from_millis(500);
/// How long a connection has to stay open. Docker's proxy takes each one, and closes it where nothing listens in the
/// container.
const STAYS: Duration = Duration::from_millis(150);
/// Connections that are tried at once.
const AT_ONCE: usize = 16;

impl Host {
    /// Those of `addresses` at which connections are accepted and stay open. Addresses of other machines are left out,
    /// and none is asked.
    pub(crate) async fn serving(&self, addresses: &BTreeSet<SocketAddr>) -> BTreeSet<SocketAddr> {
        let asked = stream::iter(addresses.iter().copied());
        let asked = asked.map(|address| async move { (address, is_serving(address).await) });
        let asked = asked.buffer_unordered(AT_ONCE);
        let serving =
            asked.filter_map(|(address, serves)| async move { serves.then_some(address) });
        serving.collect().await
    }
}

async fn is_serving(address: SocketAddr) -> bool {
    if !is_own(address).await {
        return false;
    }
    let Ok(Ok(mut stream)) = timeout(CONNECT, TcpStream::connect(address)).await else {
        return false;
    };
    // Whoever speaks first serves as well; an end or a reset says that nobody does.
    match timeout(STAYS, stream.read(&mut [0])).await {
        Err(_) => true,
        Ok(read) => read.is_ok_and(|bytes| bytes > 0),
    }
}

/// Whether an address is one of this host's: only those can be bound.
async fn is_own(address: SocketAddr) -> bool {
    TcpListener::bind((address.ip(), 0)).await.is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_accepts_and_stays_serves() {
        let host = Host::live().unwrap();
        let waits = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let speaks = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let closes = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let gone = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let of = |listener: &TcpListener| listener.local_addr().unwrap();
        let all = BTreeSet::from([
            of(&waits),
            of(&speaks),
            of(&closes),
            of(&gone),
            "192.0.2.1:80".parse().unwrap(),
        ]);
        let expected = BTreeSet::from([of(&waits), of(&speaks)]);
        drop(gone);
        let serve = async {
            let (mut greeted, _) = speaks.accept().await.unwrap();
            tokio::io::AsyncWriteExt::write_all(&mut greeted, b"220 hello")
                .await
                .unwrap();
            drop(closes.accept().await.unwrap());
            std::future::pending::<()>().await
        };
        let serving = tokio::select! {
            serving = host.serving(&all) => serving,
            () = serve => BTreeSet::new(),
        };
        assert_eq!(serving, expected);
    }
}

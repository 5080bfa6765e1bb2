//! Listens, and gives each connection a task of its own.
//!
//! Nobody can hold a connection for nothing: the TLS handshake, the headers of each request, the
//! body, the answer and the reading of the answer are all bounded in time, and so is the number of
//! connections, of all together and of one address. Nobody keeps a connection for ever either, and
//! with it what a certificate once proved: it ends after a time, and when the authorities of client
//! certificates change. At a soft stop nothing new is accepted and what was begun is finished; the
//! caller ends the rest by dropping [`Server::serve`].

use std::{future::pending, net::SocketAddr, pin::pin, sync::Arc, time::Duration};

use axum::Router;
use hyper::{
    Request,
    body::Incoming,
    server::conn::http1,
    service::{Service, service_fn},
};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use socket2::{SockRef, TcpKeepalive};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    task::JoinSet,
    time::{sleep, timeout},
};

use super::{limits::neighbourhood, shares::Shares, tls::Tls};
use crate::{config::ConfigError, identity::peer::Peer, shutdown::Shutdown};

/// How long a connection may stay without data that was asked for or sent being taken.
const UNREAD: Duration = Duration::from_secs(30);
/// How long what is under way may take once a connection is to end, the reading of it included.
const FAREWELL: Duration = Duration::from_mins(1);
/// After which silence we ask whether the other end is still there.
const KEEPALIVE: Duration = Duration::from_mins(1);
/// The most bytes of request line and headers.
const HEADERS_MAX: usize = 32 * 1024;
/// How long to wait when the system has no more sockets for us.
const BREATH: Duration = Duration::from_millis(100);
/// How often the TLS files are looked at.
const LOOK: Duration = Duration::from_secs(2);

/// Where and how to listen: address, TLS, and what slow or many callers get.
#[derive(Debug, Clone)]
pub struct ServerOptions {
    /// The setting that names the port, for whoever has to change it.
    pub setting: &'static str,
    /// Address and port; port 0 takes a free one.
    pub address: SocketAddr,
    /// TLS. Whether a way without it is safe is for the settings to say.
    pub tls: Option<Arc<Tls>>,
    /// The most connections at a time; more wait to be accepted.
    pub connections_max: usize,
    /// The most of them from one address (IPv6: from one /64); more are closed at once.
    pub connections_per_address: usize,
    /// The longest life of a connection; a request under way is still answered.
    pub life: Duration,
    /// The longest time for a TLS handshake, and for the headers of a request. A connection on
    /// which nothing is asked for so long is closed.
    pub patience: Duration,
}

/// A listening server.
#[derive(Debug)]
pub struct Server {
    /// The address it listens on, with the port that was had.
    pub address: SocketAddr,
    listener: TcpListener,
    tls: Option<Arc<Tls>>,
    connections_max: usize,
    connections_per_address: usize,
    bounds: Bounds,
}

/// How long a connection may take for what.
#[derive(Debug, Clone, Copy)]
struct Bounds {
    patience: Duration,
    life: Duration,
}

impl Server {
    /// Begins to listen; connections wait until [`Server::serve`].
    ///
    /// # Errors
    /// The port cannot be had.
    pub async fn bind(options: ServerOptions) -> Result<Self, ConfigError> {
        let wanted = options.address;
        let refused = |error: std::io::Error| {
            let problem = format!("cannot listen on {wanted}: {}", error.kind());
            ConfigError::value(options.setting, problem)
        };
        let listener = TcpListener::bind(wanted).await.map_err(refused)?;
        let address = listener.local_addr().map_err(refused)?;
        let (setting, encrypted) = (options.setting, options.tls.is_some());
        tracing::info!(event = "http.listening", %address, setting, tls = encrypted);
        Ok(Self {
            address,
            listener,
            tls: options.tls,
            connections_max: options.connections_max,
            connections_per_address: options.connections_per_address,
            bounds: Bounds {
                patience: options.patience,
                life: options.life,
            },
        })
    }

    /// Serves until a soft stop, and then what was begun until it is done.
    pub async fn serve(self, router: Router, shutdown: &Shutdown) {
        let tls = self.tls.clone();
        let rotation = async {
            match &tls {
                Some(tls) => tls.look_after(LOOK).await,
                None => pending().await,
            }
        };
        tokio::select! {
            () = self.accept(router, shutdown) => {}
            never = rotation => match never {},
        }
    }

    async fn accept(self, router: Router, shutdown: &Shutdown) {
        // Whoever drops us drops the set, and that ends every connection in it.
        let mut connections = JoinSet::new();
        let places = Arc::new(Semaphore::new(self.connections_max));
        let shares = Shares::new(self.connections_per_address);
        loop {
            let next = async {
                // Unwrap safety: nobody closes this semaphore.
                let place = Arc::clone(&places).acquire_owned().await;
                let place = place.expect("an open semaphore");
                (place, self.listener.accept().await)
            };
            let (place, accepted) = tokio::select! {
                next = next => next,
                () = shutdown.soft() => break,
            };
            while connections.try_join_next().is_some() {}
            match accepted {
                Ok((stream, address)) => {
                    // Whoever has their share already is told so by the closed connection.
                    let Some(part) = shares.take(neighbourhood(address.ip())) else {
                        tracing::debug!(event = "http.connection_refused");
                        continue;
                    };
                    let connection = Connection {
                        tls: self.tls.clone(),
                        bounds: self.bounds,
                        router: router.clone(),
                        shutdown: shutdown.clone(),
                    };
                    connections.spawn(async move {
                        connection.serve(stream, address).await;
                        drop((place, part));
                    });
                }
                Err(error) => {
                    tracing::warn!(event = "http.accept_error", error = %error.kind());
                    sleep(BREATH).await;
                }
            }
        }
        drop(self.listener);
        while connections.join_next().await.is_some() {}
    }
}

/// What one connection needs.
struct Connection {
    tls: Option<Arc<Tls>>,
    bounds: Bounds,
    router: Router,
    shutdown: Shutdown,
}

impl Connection {
    async fn serve(self, stream: TcpStream, address: SocketAddr) {
        if let Err(error) = bound(&stream) {
            tracing::debug!(event = "http.connection_lost", error = %error.kind());
            return;
        }
        let address = address.ip().to_canonical();
        let Some(tls) = self.tls.clone() else {
            return self.talk(stream, Peer::stranger(address), pending()).await;
        };
        // Before the handshake: what changes during it has changed too.
        let replaced = tls.authorities_replaced();
        match timeout(self.bounds.patience, tls.acceptor().accept(stream)).await {
            Ok(Ok(stream)) => {
                let shown = stream.get_ref().1.peer_certificates();
                let peer = match shown.and_then(<[_]>::first) {
                    Some(certificate) => Peer::verified(address, certificate),
                    None => Peer::stranger(address),
                };
                self.talk(stream, peer, replaced).await;
            }
            Ok(Err(error)) => tracing::debug!(event = "http.handshake_failed", error = %error),
            Err(_) => tracing::debug!(event = "http.handshake_too_slow"),
        }
    }

    /// Answers requests until either side has enough, or what the peer proved is `outdated`.
    async fn talk<I>(self, stream: I, peer: Peer, outdated: impl Future<Output = ()>)
    where
        I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let routes = TowerToHyperService::new(self.router);
        let service = service_fn(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(peer.clone());
            routes.call(request)
        });
        let mut connection = pin!(
            http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(self.bounds.patience)
                .max_buf_size(HEADERS_MAX)
                .serve_connection(TokioIo::new(stream), service)
        );
        let enough = async {
            tokio::select! {
                () = self.shutdown.soft() => {}
                () = sleep(self.bounds.life) => {}
                () = outdated => {}
            }
        };
        let ended = tokio::select! {
            ended = connection.as_mut() => ended,
            () = enough => {
                connection.as_mut().graceful_shutdown();
                let Ok(ended) = timeout(FAREWELL, connection).await else {
                    return tracing::debug!(event = "http.connection_cut");
                };
                ended
            }
        };
        if let Err(error) = ended {
            tracing::debug!(event = "http.connection_lost", error = %error);
        }
    }
}

/// Lets the system end a connection whose other end reads nothing or is gone.
fn bound(stream: &TcpStream) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let socket = SockRef::from(stream);
    socket.set_tcp_user_timeout(Some(UNREAD))?;
    socket.set_tcp_keepalive(&TcpKeepalive::new().with_time(KEEPALIVE))
}

//! A port on 127.0.0.1: taken first, served on later.

use std::{
    io::{self, ErrorKind},
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
};

use gateway::http::{Clock, Handle, server};
use tokio::{
    net::{TcpListener, TcpSocket},
    sync::oneshot,
    task::JoinHandle,
};

/// Connections that wait to be accepted.
const BACKLOG: u32 = 1024;

/// Why a port cannot be served on.
#[derive(Debug, thiserror::Error)]
pub enum PortError {
    /// Another program serves on the port.
    #[error("port {0} on 127.0.0.1 is taken; choose another with `--port`, or stop what serves there")]
    Taken(u16),
    /// The port cannot be served on.
    #[error("port {0} on 127.0.0.1 cannot be served on")]
    Unusable(u16, #[source] io::Error),
}

/// A port that is bound and does not accept connections yet.
pub(crate) struct Port {
    socket: TcpSocket,
    pub(crate) address: SocketAddr,
}

impl PortError {
    fn new(port: u16, error: io::Error) -> Self {
        if error.kind() == ErrorKind::AddrInUse { Self::Taken(port) } else { Self::Unusable(port, error) }
    }
}

impl Port {
    pub(crate) fn take(port: u16) -> Result<Self, PortError> {
        let failed = |error| PortError::new(port, error);
        let socket = TcpSocket::new_v4().map_err(failed)?;
        // Connections of an instance that has just stopped do not keep the next one from starting.
        socket.set_reuseaddr(true).map_err(failed)?;
        socket.bind((Ipv4Addr::LOCALHOST, port).into()).map_err(failed)?;
        let address = socket.local_addr().map_err(failed)?;
        Ok(Self { socket, address })
    }

    fn open(self) -> Result<TcpListener, PortError> {
        let port = self.address.port();
        self.socket.listen(BACKLOG).map_err(|error| PortError::new(port, error))
    }
}

/// One port that is served.
pub(crate) struct Server {
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Server {
    pub(crate) fn start(port: Port, front: Arc<dyn Handle>, clock: Clock) -> Result<Self, PortError> {
        let (stop, stopped) = oneshot::channel();
        let stopped = async { _ = stopped.await };
        Ok(Self { stop, task: tokio::spawn(server::serve(port.open()?, front, clock, stopped)) })
    }

    pub(crate) async fn stop(self) {
        // No receiver means that the server has ended by itself.
        _ = self.stop.send(());
        _ = self.task.await;
    }
}

//! What goes into a node and what comes out.

use std::net::SocketAddr;

use bytes::Bytes;

/// A connection that a client opened to this node. The host chooses the number and never uses one
/// twice for the same node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnId(pub u64);

/// A connection that this node opened to its master. The node chooses the number and never uses
/// one twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LinkId(pub u64);

/// A fact the host reports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// A client connected.
    ConnectionOpened {
        /// The new connection.
        conn: ConnId,
        /// The client's address.
        peer: SocketAddr,
        /// The address the client connected to.
        local: SocketAddr,
    },
    /// A client sent bytes.
    BytesReceived {
        /// Where they came from.
        conn: ConnId,
        /// The bytes, cut anywhere.
        bytes: Bytes,
    },
    /// A client closed, or the connection broke.
    ConnectionClosed {
        /// The connection that is gone.
        conn: ConnId,
    },
    /// The master accepted a link.
    LinkConnected {
        /// The link ordered with [`Output::LinkConnect`].
        link: LinkId,
    },
    /// The master sent bytes.
    LinkReceived {
        /// Where they came from.
        link: LinkId,
        /// The bytes, cut anywhere.
        bytes: Bytes,
    },
    /// A link could not be made, was closed by the master, or broke.
    LinkClosed {
        /// The link that is gone.
        link: LinkId,
    },
    /// The time of [`crate::Node::poll_deadline`] has come.
    DeadlineReached,
    /// Something happened to the node's process or host.
    Faulted(Fault),
}

/// What can happen to a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The process died: every connection is reset, new ones are refused.
    Killed,
    /// A killed node is there again.
    Revived(Revival),
    /// The process reads nothing and answers nothing; its connections stay open (`SIGSTOP`).
    Hung,
    /// A hung process goes on with what has arrived meanwhile.
    Resumed,
    /// New connections are refused, existing ones live on.
    ConnectionsRefused,
    /// New connections are accepted again.
    ConnectionsAccepted,
    /// The node answers `-LOADING` for so long.
    LoadingStarted {
        /// Milliseconds until it has loaded.
        ms: u64,
    },
    /// A script runs until `SCRIPT KILL`; the node answers `-BUSY`.
    ScriptStarted {
        /// Whether the script has written, and so can not be killed.
        has_written: bool,
    },
    /// The script ended by itself.
    ScriptEnded,
    /// From now on the stream from the master arrives so much later. What is on its way is lost
    /// when the link breaks.
    ReplicationLagged {
        /// Milliseconds; 0 ends the lag.
        ms: u64,
    },
    /// The stream from the master stops arriving, though the link stays up.
    ReplicationPaused,
    /// The stream flows again.
    ReplicationResumed,
}

/// How a killed node comes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Revival {
    /// It never died: same run id, roles and data. A host that was cut off.
    SameProcess,
    /// A new process with the data and the last rewritten configuration, but no replication
    /// history.
    WithData,
    /// A new process with the last rewritten configuration and nothing else.
    Empty,
}

/// How a connection ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CloseKind {
    /// After everything sent before has left.
    Graceful,
    /// At once, with a reset.
    Reset,
}

/// An order to the host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Accept connections on the node's port.
    Listen,
    /// Refuse connections.
    StopListening,
    /// Send bytes to a client.
    Send {
        /// Where to.
        conn: ConnId,
        /// What.
        bytes: Bytes,
    },
    /// Close a client's connection. The node has forgotten it; nothing more follows for it.
    Close {
        /// Which one.
        conn: ConnId,
        /// How.
        kind: CloseKind,
    },
    /// Connect to the master; answer with [`Input::LinkConnected`] or [`Input::LinkClosed`].
    LinkConnect {
        /// The new link.
        link: LinkId,
        /// An address or a host name, as given to REPLICAOF.
        host: String,
        /// The port.
        port: u16,
    },
    /// Send bytes to the master.
    LinkSend {
        /// Where to.
        link: LinkId,
        /// What.
        bytes: Bytes,
    },
    /// Close a link to the master. The node has forgotten it.
    LinkClose {
        /// Which one.
        link: LinkId,
    },
}

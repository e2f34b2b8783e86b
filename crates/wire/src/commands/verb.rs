//! What commands do, for those who carry them out. Aliases share a verb.

/// A command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are those of the commands")]
pub enum Verb {
    /// A container that does nothing by itself.
    Container,
    Acl(AclVerb),
    Auth,
    Client(ClientVerb),
    Command(CommandVerb),
    Hello,
    Info,
    Ping,
    Psubscribe,
    Publish,
    Punsubscribe,
    Quit,
    Request(RequestVerb),
    Role,
    Sentinel(SentinelVerb),
    Shutdown,
    Subscribe,
    Unsubscribe,
}

/// A subcommand of ACL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are those of the commands")]
pub enum AclVerb {
    Cat,
    DelUser,
    DryRun,
    GenPass,
    GetUser,
    Help,
    List,
    Load,
    Log,
    Save,
    SetUser,
    Users,
    WhoAmI,
}

/// A subcommand of CLIENT.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are those of the commands")]
pub enum ClientVerb {
    Caching,
    GetName,
    GetRedir,
    Help,
    Id,
    Info,
    Kill,
    List,
    NoEvict,
    Pause,
    Reply,
    SetInfo,
    SetName,
    Tracking,
    TrackingInfo,
    Unblock,
    Unpause,
}

/// COMMAND and its subcommands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are those of the commands")]
pub enum CommandVerb {
    All,
    Count,
    Docs,
    GetKeys,
    Help,
    Info,
    List,
}

/// A subcommand of SENTINEL that the snapshot answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are those of the commands")]
pub enum SentinelVerb {
    CkQuorum,
    GetMasterAddrByName,
    Help,
    InfoCache,
    Master,
    Masters,
    MyId,
    PendingScripts,
    Replicas,
    Sentinels,
}

/// A subcommand of SENTINEL that becomes a request to the core; CONFIG and DEBUG may also only
/// show something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are those of the commands")]
pub enum RequestVerb {
    Config,
    Debug,
    Failover,
    FlushConfig,
    IsMasterDownByAddr,
    Monitor,
    Remove,
    Reset,
    Set,
    SimulateFailure,
}

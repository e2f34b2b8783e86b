//! The stream of a master on its way into a replica.

use std::collections::VecDeque;

use bytes::{Buf, Bytes, BytesMut};
use vedette_resp::{Request, RequestDecoder, RequestLimits};

use super::LinkState;
use crate::dispatch::{Call, Origin};
use crate::{Node, table};

/// How the stream arrives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flow {
    /// So much later than sent.
    Delayed { ms: u64 },
    /// Not at all for now.
    Stopped,
}

/// What has been received of the stream. When the link breaks all of it is lost, as bytes in the
/// network are.
#[derive(Debug)]
pub(crate) struct Stream {
    /// With the time of receipt; still in the network as far as the replica is concerned.
    on_its_way: VecDeque<(u64, Bytes)>,
    decoder: RequestDecoder,
    /// Arrived, and not yet part of an executed command.
    unapplied: BytesMut,
    applied: u64,
}

impl Default for Stream {
    fn default() -> Self {
        Self {
            on_its_way: VecDeque::new(),
            decoder: RequestDecoder::new(RequestLimits::default(), true),
            unapplied: BytesMut::new(),
            applied: 0,
        }
    }
}

impl Stream {
    /// When the next bytes arrive.
    pub(crate) fn deadline(&self, flow: Flow) -> Option<u64> {
        match flow {
            Flow::Stopped => None,
            Flow::Delayed { ms } => self.on_its_way.front().map(|(sent_at, _)| sent_at + ms),
        }
    }

    fn take_arrived(&mut self, flow: Flow, now: u64) -> Option<Bytes> {
        self.deadline(flow).filter(|at| *at <= now)?;
        self.on_its_way.pop_front().map(|(_, bytes)| bytes)
    }

    /// The next whole command, and its bytes to pass on.
    fn next(&mut self) -> Option<(Request, Bytes)> {
        // A stream that cannot be read stops; the link then falls silent and is given up.
        let request = self.decoder.next().ok().flatten()?;
        let len = self.decoder.consumed() - self.applied;
        self.applied = self.decoder.consumed();
        let len = usize::try_from(len).unwrap_or(usize::MAX).min(self.unapplied.len());
        let bytes = Bytes::copy_from_slice(&self.unapplied[..len]);
        self.unapplied.advance(len);
        Some((request, bytes))
    }
}

impl Node {
    fn stream_mut(&mut self) -> Option<&mut Stream> {
        let LinkState::Online { stream, .. } = &mut self.upstream.as_mut()?.state else {
            return None;
        };
        Some(stream)
    }

    pub(crate) fn set_flow(&mut self, flow: Flow) {
        self.condition.flow = flow;
    }

    pub(crate) fn stream_arrived(&mut self, bytes: Bytes) {
        let now = self.now;
        if let Some(stream) = self.stream_mut() {
            stream.on_its_way.push_back((now, bytes));
            self.apply_arrived();
        }
    }

    /// Executes what has arrived, passing it on to the own replicas.
    pub(crate) fn apply_arrived(&mut self) {
        let (flow, now) = (self.condition.flow, self.now);
        while let Some(stream) = self.stream_mut() {
            let Some(bytes) = stream.take_arrived(flow, now) else { return };
            stream.decoder.feed(&bytes);
            stream.unapplied.extend_from_slice(&bytes);
            while let Some((request, bytes)) = self.stream_mut().and_then(Stream::next) {
                self.feed(&bytes);
                self.apply(&request.args);
            }
        }
    }

    /// Replaces the data by that of a snapshot.
    pub(crate) fn load_snapshot(&mut self, snapshot: &[u8]) {
        self.data.clear();
        let mut decoder = RequestDecoder::new(RequestLimits::default(), true);
        decoder.feed(snapshot);
        while let Ok(Some(request)) = decoder.next() {
            self.apply(&request.args);
        }
    }

    fn apply(&mut self, args: &[Bytes]) {
        // Renamed commands travel under their first name.
        let name = args.first().map_or(Vec::new(), |name| name.to_ascii_lowercase());
        let Some(spec) = table::find(&name) else { return };
        // REPLCONF GETACK is the one command that is answered.
        (spec.run)(self, &Call { origin: Origin::Master, args });
    }
}

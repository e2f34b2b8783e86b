//! Names in the place of ports and ids, so that transcripts of two groups can be compared.

use vedette::lab::{Lab, text};

/// What stands for what.
pub(super) struct Mask {
    names: Vec<(String, String)>,
}

impl Mask {
    /// `N0`… for the data nodes, `S0`… for the Sentinels, `id-0`… for their ids.
    pub(super) fn of(lab: &Lab) -> Self {
        let nodes = lab.shards[0].ports().into_iter().enumerate();
        let mut names: Vec<_> =
            nodes.map(|(number, port)| (port.to_string(), format!("N{number}"))).collect();
        for (number, sentinel) in lab.sentinels.iter().enumerate() {
            names.push((sentinel.port().to_string(), format!("S{number}")));
            let id = text(&sentinel.ask(&["SENTINEL", "MYID"]).unwrap());
            names.push((id, format!("id-{number}")));
        }
        Self { names }
    }

    pub(super) fn add(&mut self, port: u16, name: &str) {
        self.names.push((port.to_string(), name.to_owned()));
    }

    pub(super) fn apply(&self, payload: &str) -> String {
        let word = |word: &str| {
            let (host, bare) =
                word.rsplit_once(':').map_or(("", word), |(host, bare)| (host, bare));
            let name = self.names.iter().find(|(hidden, _)| hidden == bare);
            match name {
                Some((_, name)) if host.is_empty() => name.clone(),
                Some((_, name)) => format!("{host}:{name}"),
                // How many had answered by then is a matter of moments (`#quorum 3/2`).
                None => word.rsplit_once('/').map_or(word, |(_, quorum)| quorum).to_owned(),
            }
        };
        payload.split(' ').map(word).collect::<Vec<_>>().join(" ")
    }
}

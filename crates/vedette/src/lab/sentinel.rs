//! A Sentinel of any make, started from a generated sentinel.conf.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

use super::{BOUND, Client, Process, fields, text, until};

/// A command line with `{conf}` in the place of the configuration file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    words: Vec<String>,
}

impl Template {
    /// Splits a line such as `redis-server {conf} --sentinel`; quotes work as in redis.conf.
    ///
    /// # Errors
    ///
    /// No word, or unbalanced quotes.
    pub fn parse(line: &str) -> anyhow::Result<Self> {
        let words = vedette_resp::split_words(line.as_bytes())
            .map_err(|_| anyhow::anyhow!("unbalanced quotes in {line:?}"))?;
        let words: Vec<String> =
            words.iter().map(|word| String::from_utf8_lossy(word).into_owned()).collect();
        if words.is_empty() {
            bail!("an empty command");
        }
        Ok(Self { words })
    }

    /// These words, one of them `{conf}`.
    pub fn from_words(words: Vec<String>) -> Self {
        Self { words }
    }

    /// Vedette at this path.
    pub fn vedette(program: &Path) -> Self {
        Self { words: vec![program.display().to_string(), "{conf}".to_owned()] }
    }

    /// A Redis or Valkey server at this path, as a Sentinel.
    pub fn reference(server: &Path) -> Self {
        let words = [&server.display().to_string(), "{conf}", "--sentinel"];
        Self { words: words.map(str::to_owned).to_vec() }
    }

    fn with(&self, conf: &Path) -> Vec<String> {
        let conf = conf.display().to_string();
        self.words.iter().map(|word| word.replace("{conf}", &conf)).collect()
    }
}

/// One Sentinel and its process.
#[derive(Debug)]
pub struct Sentinel {
    template: Template,
    port: u16,
    password: Option<String>,
    folder: PathBuf,
    process: Process,
}

impl Sentinel {
    /// Writes `lines` to a file of its own below `parent` and starts from it. A `requirepass` among
    /// them is the password that the lab gives.
    ///
    /// # Errors
    ///
    /// The file cannot be written or the program not be started.
    pub fn start(
        template: Template,
        port: u16,
        lines: &[String],
        parent: &Path,
    ) -> anyhow::Result<Self> {
        let folder = parent.join(format!("sentinel-{port}"));
        std::fs::create_dir_all(&folder)?;
        std::fs::write(folder.join("sentinel.conf"), lines.join("\n") + "\n")?;
        let password = lines.iter().find_map(|line| line.strip_prefix("requirepass "));
        let password = password.map(str::to_owned);
        let process = start_process(&template, &folder)?;
        Ok(Self { template, port, password, folder, process })
    }

    /// Where it listens on loopback.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Its process.
    pub fn process(&mut self) -> &mut Process {
        &mut self.process
    }

    /// Its configuration file.
    pub fn conf(&self) -> PathBuf {
        self.folder.join("sentinel.conf")
    }

    /// Its log, over all its starts.
    pub fn log(&self) -> String {
        self.process.output()
    }

    /// Ends it with SIGKILL if it runs, and starts it again from its own file.
    ///
    /// # Errors
    ///
    /// The program cannot be started.
    pub fn restart(&mut self) -> anyhow::Result<()> {
        self.process.kill();
        self.process = start_process(&self.template, &self.folder)?;
        Ok(())
    }

    /// The same as another program.
    ///
    /// # Errors
    ///
    /// The program cannot be started.
    pub fn restart_as(&mut self, template: Template) -> anyhow::Result<()> {
        self.template = template;
        self.restart()
    }

    /// Starts it again from its own file on another port.
    ///
    /// # Errors
    ///
    /// The file cannot be changed or the program not be started.
    pub fn move_to(&mut self, port: u16) -> anyhow::Result<()> {
        self.process.kill();
        let text = std::fs::read_to_string(self.conf())?;
        let line = |line: &str| match line.starts_with("port ") {
            true => format!("port {port}\n"),
            false => format!("{line}\n"),
        };
        std::fs::write(self.conf(), text.lines().map(line).collect::<String>())?;
        self.port = port;
        self.restart()
    }

    /// A new connection, which has given the password.
    ///
    /// # Errors
    ///
    /// Refused.
    pub fn client(&self) -> std::io::Result<Client> {
        let mut client = Client::connect(self.port)?;
        client.give(self.password.as_deref())?;
        Ok(client)
    }

    /// What it wants to hear from its clients.
    pub fn password(&self) -> Option<&str> {
        self.password.as_deref()
    }

    /// One question on a connection of its own.
    ///
    /// # Errors
    ///
    /// Refused or broken.
    pub fn ask(&self, words: &[&str]) -> std::io::Result<vedette_resp::Frame> {
        self.client()?.ask(words)
    }

    /// The port it names as the master's.
    pub fn master_port(&self, name: &str) -> Option<u16> {
        let answer = self.ask(&["SENTINEL", "GET-MASTER-ADDR-BY-NAME", name]).ok()?;
        text(answer.items()?.get(1)?).parse().ok()
    }

    /// The fields of SENTINEL MASTER.
    pub fn master(&self, name: &str) -> BTreeMap<String, String> {
        self.ask(&["SENTINEL", "MASTER", name]).map(|frame| fields(&frame)).unwrap_or_default()
    }

    /// The fields of each entry of a listing such as REPLICAS.
    pub fn list(&self, listing: &str, name: &str) -> Vec<BTreeMap<String, String>> {
        let answer = self.ask(&["SENTINEL", listing, name]);
        answer
            .map(|frame| frame.items().unwrap_or_default().iter().map(fields).collect())
            .unwrap_or_default()
    }

    /// Waits until it answers.
    ///
    /// # Errors
    ///
    /// It ended or did not answer in time; with its log.
    pub fn wait_until_ready(&mut self) -> anyhow::Result<()> {
        let what = format!("the Sentinel on port {}", self.port);
        until(&what, BOUND, || {
            let is_gone = self.process.exit_status().is_some();
            (is_gone || self.ask(&["PING"]).is_ok()).then_some(is_gone)
        })
        .and_then(|is_gone| if is_gone { bail!("{what} ended") } else { Ok(()) })
        .with_context(|| format!("its log: {}", self.process.output()))
    }
}

fn start_process(template: &Template, folder: &Path) -> anyhow::Result<Process> {
    let words = template.with(&folder.join("sentinel.conf"));
    Process::start(&words, folder, &folder.join("log"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_names_the_file_where_it_says() {
        let template = Template::parse("redis-server {conf} --sentinel --port '1 2'").unwrap();
        let words = template.with(Path::new("/x/s.conf"));
        assert_eq!(words, ["redis-server", "/x/s.conf", "--sentinel", "--port", "1 2"]);
        assert!(Template::parse("").is_err());
        assert!(Template::parse("a 'b").is_err());
    }
}

//! Vedette's own command line and its manual.

use std::ffi::OsString;

use clap::{Parser, Subcommand};

use crate::check::CheckArgs;
use crate::demo::DemoArgs;
use crate::node::NodeArgs;

const ABOUT: &str = "A Sentinel for Redis and Valkey";

const LONG_ABOUT: &str = "\
Vedette watches Redis and Valkey, agrees with its fellow Sentinels when a master is dead, and \
puts a replica in its place. It speaks the Sentinel protocol, reads and writes sentinel.conf, and \
can take a seat in a running group of Redis or Valkey Sentinels one process at a time.

The first word is a subcommand or else the path of a configuration file. A subcommand wins over a \
file of that name: write ./demo to mean the file.";

const USAGE: &str = "vedette <CONFIG-FILE> [--<directive> <value>...]... [--sentinel] [-]
       vedette <COMMAND> [OPTIONS]";

const MANUAL: &str = "\
Running a Sentinel:
  CONFIG-FILE is the sentinel.conf of Redis or Valkey, the file that the Sentinel also keeps its
  state in. It must exist and be writable, and so must its folder. It stays yours: comments and
  order survive, and Redis or Valkey can be started from it at any moment.

  Directives may follow as options: '--port 26380' stands for the line 'port 26380' after the last
  line of the file. A last '-' reads further lines from standard input. '--sentinel' is accepted
  and changes nothing: Vedette is always a Sentinel.

  Our own settings live in 'vedette.toml' beside the configuration file. It is only ever read:

    dialect = \"valkey\"    # or \"redis\", the default: whose names and versions HELLO, INFO,
                          # COMMAND, HELP and the log give; words of both are understood

  '--dialect redis|valkey' among the options wins over it.

  Called by the name redis-sentinel or valkey-sentinel, for example through a symbolic link, it
  takes exactly the arguments of that program, and speaks its dialect.

Examples:
  vedette /etc/redis/sentinel.conf
  vedette /etc/redis/sentinel.conf --port 26380 --loglevel verbose
  ln -s /usr/local/bin/vedette /usr/local/bin/redis-sentinel
  redis-cli -p 26379 sentinel get-master-addr-by-name mymaster

Signals:
  TERM, INT   stop cleanly; a second INT stops at once
  HUP         has the TLS files read anew; ignored without TLS
  USR2        writes the flight recording
  PIPE        ignored

Exit status:
  0    stopped cleanly, or went to the background
  1    could not start, or was interrupted twice
  2    wrong words on the command line
  99   a crash that SENTINEL SIMULATE-FAILURE ordered

Environment:
  NOTIFY_SOCKET   with 'supervised systemd' or 'auto': told when ready and when stopping
  TZ              time zone of the log";

/// The command line.
#[derive(Debug, Parser)]
#[command(
    name = "vedette",
    version,
    about = ABOUT,
    long_about = LONG_ABOUT,
    override_usage = USAGE,
    after_long_help = MANUAL,
    after_help = "'vedette --help' shows the whole manual.",
    arg_required_else_help = true,
    disable_help_subcommand = true
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Demo(DemoArgs),
    Check(CheckArgs),
    Node(NodeArgs),
    /// Run a Sentinel: the words from the configuration file on.
    #[command(external_subcommand)]
    Daemon(Vec<OsString>),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        use clap::CommandFactory as _;
        Cli::command().debug_assert();
    }

    #[test]
    fn any_other_word_is_a_configuration_file() {
        let words = ["vedette", "/etc/s.conf", "--port", "1", "-"];
        let Command::Daemon(words) = Cli::parse_from(words).command else {
            panic!("it was taken for a subcommand");
        };
        assert_eq!(words, ["/etc/s.conf", "--port", "1", "-"]);
    }

    #[test]
    fn a_subcommand_wins_over_a_file_of_its_name() {
        let command = Cli::try_parse_from(["vedette", "node", "--help"]);
        assert_eq!(command.unwrap_err().kind(), clap::error::ErrorKind::DisplayHelp);
        let command = Cli::parse_from(["vedette", "./node", "--help"]).command;
        assert!(matches!(command, Command::Daemon(words) if words.len() == 2));
    }
}

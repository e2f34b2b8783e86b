//! Which clients there are, and how each is started.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::super::programs;

/// A client library that no one here wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Make {
    /// redis-py, blocking.
    RedisPy,
    /// redis-py on asyncio.
    RedisPyAsyncio,
    /// The `redis` crate.
    RedisRs,
    /// ioredis.
    Ioredis,
    /// node-redis, the package `redis`.
    NodeRedis,
    /// The PHP extension.
    Phpredis,
    /// Predis.
    Predis,
}

/// Where their programs lie.
const FOLDER: &str = "tests/real/clients/programs";

impl Make {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::RedisPy,
        Self::RedisPyAsyncio,
        Self::RedisRs,
        Self::Ioredis,
        Self::NodeRedis,
        Self::Phpredis,
        Self::Predis,
    ];

    /// What people call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::RedisPy => "redis-py",
            Self::RedisPyAsyncio => "redis-py asyncio",
            Self::RedisRs => "redis-rs",
            Self::Ioredis => "ioredis",
            Self::NodeRedis => "node-redis",
            Self::Phpredis => "phpredis",
            Self::Predis => "Predis",
        }
    }

    /// Whether it can give a password to a Sentinel. Predis 1.1 leaves it out by intention.
    pub fn gives_sentinel_password(self) -> bool {
        self != Self::Predis
    }

    /// Whether it can show a certificate to a Sentinel. RedisSentinel of phpredis 5 takes no files.
    pub fn shows_certificate_to_sentinel(self) -> bool {
        self != Self::Phpredis
    }

    /// The program with its first arguments, if all that it needs is installed.
    pub(super) fn command(self) -> Option<Command> {
        let script = |name: &str| Path::new(env!("CARGO_MANIFEST_DIR")).join(FOLDER).join(name);
        match self {
            Self::RedisPy => python("redis", &script("redis_py.py")),
            Self::RedisPyAsyncio => python("redis", &script("redis_py_asyncio.py")),
            Self::RedisRs => example("redis_rs").map(Command::new),
            Self::Ioredis => node("ioredis", &script("ioredis.cjs")),
            Self::NodeRedis => node("redis", &script("node_redis.cjs")),
            Self::Phpredis => php("extension_loaded('redis')", &script("phpredis.php")),
            Self::Predis => {
                let autoloader = "stream_resolve_include_path('Predis/Autoloader.php')";
                php(autoloader, &script("predis.php"))
            }
        }
    }
}

/// What `.ci/prepare` installed.
fn test_env() -> Option<PathBuf> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2)?;
    Some(workspace.join("target/test-env"))
}

fn python(module: &str, script: &Path) -> Option<Command> {
    let program = test_env()?.join("bin/python");
    succeeds(Command::new(&program).args(["-c", &format!("import {module}")]))?;
    let mut command = Command::new(program);
    command.arg(script);
    Some(command)
}

fn node(module: &str, script: &Path) -> Option<Command> {
    let modules = test_env()?.join("npm/node_modules");
    if !modules.join(module).is_dir() {
        return None;
    }
    let mut command = Command::new(programs::on_path("node")?);
    command.arg(script).env("NODE_PATH", modules);
    Some(command)
}

fn php(condition: &str, script: &Path) -> Option<Command> {
    let program = programs::on_path("php")?;
    succeeds(Command::new(&program).args(["-r", &format!("exit({condition} ? 0 : 1);")]))?;
    let mut command = Command::new(program);
    command.arg(script);
    Some(command)
}

/// An example of this workspace, which the test runner has built beside the tests.
fn example(name: &str) -> Option<PathBuf> {
    let this = std::env::current_exe().ok()?;
    let built = this.ancestors().map(|folder| folder.join("examples").join(name));
    built.into_iter().find(|file| file.is_file())
}

fn succeeds(command: &mut Command) -> Option<()> {
    command.output().ok()?.status.success().then_some(())
}

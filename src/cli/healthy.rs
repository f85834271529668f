//! `pillion healthy`: asks the running agent's `/livez`, for probes in images without a shell.

use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::time::Duration;

use clap::Args;

use super::{ConfigArgs, Failure};
use crate::config::{self, Over};

const PATIENCE: Duration = Duration::from_secs(3);

/// Arguments of `healthy`.
#[derive(Debug, Args)]
pub(super) struct HealthyArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// The agent's admin address, instead of the configuration's [env: PILLION_ADMIN].
    #[arg(long, value_name = "ADDRESS")]
    admin: Option<String>,
}

pub(super) fn run(args: &HealthyArgs) -> Result<(), Failure> {
    let over = Over { admin: args.admin.clone(), ..Over::default() };
    let address = config::admin(&args.config.path(), &over, &config::process_environment)
        .map_err(Failure::Config)?;
    let address = address.ok_or_else(|| {
        Failure::Other("`admin` is `off` for this agent: there is nothing to ask".into())
    })?;
    let answer = ask(reachable(address)).map_err(|error| {
        Failure::Other(format!("no answer from the agent at {address}: {error}"))
    })?;
    if answer.starts_with("HTTP/1.1 200") {
        return Ok(());
    }
    let why = answer.rsplit("\r\n").next().unwrap_or_default().trim();
    Err(Failure::Other(format!("the agent at {address} is not healthy: {why}")))
}

/// An agent that listens everywhere is asked over loopback.
fn reachable(mut address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        address.set_ip(match address.ip() {
            IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::LOCALHOST),
            IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::LOCALHOST),
        });
    }
    address
}

fn ask(address: SocketAddr) -> std::io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    write!(stream, "GET /livez HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.take(64 * 1024).read_to_string(&mut answer)?;
    Ok(answer)
}

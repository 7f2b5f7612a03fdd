//! What a process that holds real records refuses to start on. Each refusal names its fix.

use std::net::IpAddr;

use tokio_postgres::config::Host;

use crate::{
    config::{Config, Introspection, Secret},
    error::{Error, Result},
};

/// Fails on the first thing that must not be in production. What only Postgres can tell is asked later: see `db::roles`.
pub fn check(config: &Config) -> Result<()> {
    let refuse = |fault: &str, way_out: &str| {
        Err(Error::internal(format!("HEARTH_ENV is production, which refuses this: {fault}; {way_out}")))
    };
    if config.identity.token_secret.is_some() {
        return refuse(
            "HEARTH_TOKEN_SECRET is set, and with it anybody could mint tokens",
            "leave it out, and give HEARTH_OIDC_ISSUER and HEARTH_OIDC_AUDIENCE",
        );
    }
    if config.identity.issuer.is_none() || config.identity.audience.is_none() {
        return refuse("nobody could sign in", "give HEARTH_OIDC_ISSUER and HEARTH_OIDC_AUDIENCE");
    }
    if config.http.origins.is_empty() {
        return refuse(
            "HEARTH_ORIGINS is missing",
            "list the exact origins of the pages that may ask, as in https://app.example.org",
        );
    }
    if config.audit.anchor.is_none() {
        return refuse(
            "HEARTH_AUDIT_ANCHOR is missing, and nothing outside the database would tell that the audit was cut short",
            "give the path of a file that the database's administrators cannot write",
        );
    }
    if config.documents.introspection == Some(Introspection::On) {
        return refuse("HEARTH_INTROSPECTION is on", "choose off, or leave it out");
    }
    if is_plain_to_see(config.events.cursor_key.reveal()) {
        return refuse(
            "HEARTH_CURSOR_KEY is an example that anybody can guess",
            "make one with `openssl rand -hex 32`, the same for every process",
        );
    }
    let databases = &config.databases;
    for (name, url) in [("APP", &databases.app), ("RELAY", &databases.relay), ("BUS", &databases.bus)] {
        if !stays_here(url)? {
            return refuse(
                &format!(
                    "HEARTH_{name}_DATABASE_URL leads to another machine, and records would go there in plain text"
                ),
                "connect to a Unix socket or to 127.0.0.1, where a proxy that speaks TLS leads on to the database",
            );
        }
    }
    Ok(())
}

/// Whether a key is one of those that stand in examples: a few digits over and over, or all of them in a row.
fn is_plain_to_see(key: &str) -> bool {
    let digits: Vec<u32> = key.chars().filter_map(|digit| digit.to_digit(16)).collect();
    let repeats =
        (1..=digits.len() / 2).any(|period| digits.iter().zip(&digits[period..]).all(|(one, other)| one == other));
    let bytes: Vec<u32> = digits.chunks(2).map(|pair| pair.iter().fold(0, |byte, digit| byte * 16 + digit)).collect();
    let counts = bytes.windows(2).all(|pair| pair[1] == pair[0] + 1 || pair[0] == pair[1] + 1);
    repeats || counts
}

/// Whether every host of a database is this machine. The program speaks no TLS to Postgres.
fn stays_here(url: &Secret) -> Result<bool> {
    // The fault could hold the password.
    let parsed: tokio_postgres::Config =
        url.reveal().parse().map_err(|_| Error::internal("a database URL is none that Postgres knows"))?;
    let here = |host: &Host| match host {
        Host::Unix(_) => true,
        Host::Tcp(name) => name == "localhost" || name.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback()),
    };
    // Where both are given, the addresses are where it connects to.
    let addresses = parsed.get_hostaddrs();
    Ok(if addresses.is_empty() {
        parsed.get_hosts().iter().all(here)
    } else {
        addresses.iter().all(IpAddr::is_loopback)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_that_anybody_can_guess_are_known() {
        let counting: String = (0..32).map(|byte| format!("{byte:02x}")).collect();
        for plain in ["0".repeat(64), "5a".repeat(32), "0123456789abcdef".repeat(4), "deadbeef".repeat(8), counting] {
            assert!(is_plain_to_see(&plain), "{plain}");
        }
        let made = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
        assert!(!is_plain_to_see(made));
    }

    #[test]
    fn only_sockets_and_loopback_stay_here() {
        let stays = |url: &str| stays_here(&url.parse().unwrap()).unwrap();
        for here in [
            "postgres://hearth_app@%2Frun%2Fpostgresql/hearth",
            "postgres:///hearth?host=/run/postgresql",
            "postgres://hearth_app@localhost/hearth",
            "postgres://hearth_app@127.0.0.1:6432/hearth",
            "postgres://hearth_app@[::1]/hearth",
            "host=db.example.org hostaddr=127.0.0.1 user=hearth_app",
        ] {
            assert!(stays(here), "{here}");
        }
        for elsewhere in [
            "postgres://hearth_app@db.example.org/hearth",
            "postgres://hearth_app@db.example.org/hearth?sslmode=require",
            "postgres://hearth_app@127.0.0.1,db.example.org/hearth",
            "postgres://hearth_app@10.0.0.5/hearth",
            "host=localhost hostaddr=10.0.0.5 user=hearth_app",
        ] {
            assert!(!stays(elsewhere), "{elsewhere}");
        }
    }
}

//! What rules find and redaction leaves all the same: an organisation's own domains and networks, the
//! test numbers of cards, values and names that a configuration lists.
//!
//! Looked at where something was found, one finding at a time: a record is as clean as its other
//! findings let it be.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use regex::Regex;

use super::custom;
use super::mask::{normalised, plain};

/// Numbers that brands and payment services publish for tests.
const TEST_CARDS: &[&str] = &[
    // Visa
    "4111111111111111",
    "4012888888881881",
    "4222222222222",
    "4242424242424242",
    "4000056655665556",
    "4000000000000002",
    "4000000000009995",
    "4000002500003155",
    "4005550000000001",
    // Mastercard
    "5555555555554444",
    "5105105105105100",
    "5200828282828210",
    "2223003122003222",
    "2222420000001113",
    // American Express
    "378282246310005",
    "371449635398431",
    "378734493671000",
    // Discover
    "6011111111111117",
    "6011000990139424",
    "6011981111111113",
    // Diners Club
    "30569309025904",
    "38520000023237",
    "3056930009020004",
    "36227206271667",
    // JCB
    "3530111333300000",
    "3566002020360505",
    // UnionPay
    "6200000000000005",
    "6205500000000000004",
    // Maestro
    "6759649826438453",
];

/// What is left though a rule finds it. Fields that a configuration names go whatever they hold.
#[derive(Clone, Debug, Default)]
pub struct Allow {
    /// Domains whose e-mail addresses are left, and those below them.
    pub domains: Vec<String>,
    /// Values as they are, however they are spelt: cards with or without blanks, addresses in either
    /// case.
    pub values: Vec<String>,
    /// Values that match as a whole.
    pub patterns: Vec<AllowedPattern>,
    /// Networks whose addresses are left.
    pub networks: Vec<Network>,
    /// Whether the numbers that brands and payment services publish for tests are left.
    pub test_cards: bool,
    /// Names of fields whose values do not go because of their name, matched as
    /// [`RuleSelection::fields`](super::RuleSelection::fields) are. What is in them is looked at
    /// still.
    pub keys: Vec<String>,
}

/// A pattern that a value must match from its first byte to its last.
#[derive(Clone, Debug)]
pub struct AllowedPattern(Regex);

impl AllowedPattern {
    /// A pattern in the `regex` crate's syntax.
    ///
    /// # Errors
    /// What the `regex` crate says of one that does not compile.
    pub fn new(pattern: &str) -> Result<Self, String> {
        // By itself first: with a stray parenthesis it could close the group around it.
        custom::build(pattern).map_err(|error| error.to_string())?;
        let whole = custom::build(&format!(r"\A(?:{pattern})\z"));
        whole.map(Self).map_err(|error| error.to_string())
    }

    /// Whether it matches all of a value.
    #[must_use]
    pub fn allows(&self, value: &str) -> bool {
        self.0.is_match(value)
    }
}

/// A network: an address and how many of its first bits all of its addresses share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    bits: u8,
}

/// Networks that go by a name, in the notation that [`Network::read`] takes.
const NAMED: [(&str, &[&str]); 3] = [
    // RFC 5737, RFC 3849, RFC 9637
    (
        "documentation",
        &["192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32", "3fff::/20"],
    ),
    // RFC 1918, RFC 4193
    ("private", &["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"]),
    // RFC 3927, RFC 4291
    ("link_local", &["169.254.0.0/16", "fe80::/10"]),
];

impl Network {
    /// The names that [`Network::read`] takes.
    pub const NAMES: [&'static str; 3] = [NAMED[0].0, NAMED[1].0, NAMED[2].0];

    /// The networks that a text names: `10.0.0.0/8`, one address, or `documentation`, `private`,
    /// `link_local`.
    ///
    /// # Errors
    /// Why it names none, for the person who wrote it.
    pub fn read(text: &str) -> Result<Vec<Self>, String> {
        match NAMED.iter().find(|(name, _)| *name == text) {
            Some((_, members)) => members.iter().map(|member| Self::one(member)).collect(),
            None => Self::one(text).map(|network| vec![network]),
        }
    }

    fn one(text: &str) -> Result<Self, String> {
        let (address, bits) = text.split_once('/').map_or((text, None), |(a, b)| (a, Some(b)));
        let address: IpAddr =
            address.parse().map_err(|_| format!("`{text}` is no address and no network"))?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let bits =
            match bits {
                None => most,
                Some(bits) => bits.parse().ok().filter(|bits| *bits <= most).ok_or_else(|| {
                    format!("what follows the `/` in `{text}` is not 0 to {most}")
                })?,
            };
        let network = Self { address, bits };
        let first = network.first();
        if first == address {
            Ok(network)
        } else {
            Err(format!("`{text}` is an address in the network `{first}/{bits}`"))
        }
    }

    /// Its first address.
    fn first(self) -> IpAddr {
        match self.address {
            IpAddr::V4(address) => {
                let shared = u32::MAX.checked_shl(32 - u32::from(self.bits)).unwrap_or(0);
                Ipv4Addr::from_bits(address.to_bits() & shared).into()
            }
            IpAddr::V6(address) => {
                let shared = u128::MAX.checked_shl(128 - u32::from(self.bits)).unwrap_or(0);
                Ipv6Addr::from_bits(address.to_bits() & shared).into()
            }
        }
    }

    /// Whether an address is one of its own.
    fn has(self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        address.is_ipv4() == self.address.is_ipv4()
            && Self { address, ..self }.first() == self.address
    }
}

impl Allow {
    /// Whether what a rule with this token found is left.
    pub(super) fn has(&self, token: &str, found: &str) -> bool {
        if self.is_empty() {
            return false;
        }
        let plain = plain(token, found);
        let value = normalised(token, &plain);
        let special = match token {
            "EMAIL" => self.has_domain(&value),
            "CREDIT_CARD" => self.test_cards && TEST_CARDS.contains(&value.as_str()),
            "IPV4" | "IPV6" => plain
                .parse::<IpAddr>()
                .is_ok_and(|address| self.networks.iter().any(|network| network.has(address))),
            _ => false,
        };
        special
            || self.values.iter().any(|allowed| normalised(token, allowed) == value)
            || self.patterns.iter().any(|pattern| pattern.allows(&plain))
    }

    fn is_empty(&self) -> bool {
        !self.test_cards
            && self.domains.is_empty()
            && self.values.is_empty()
            && self.patterns.is_empty()
            && self.networks.is_empty()
    }

    /// Whether an address (in lower case) is at one of the domains, or below one.
    fn has_domain(&self, address: &str) -> bool {
        let domain = address.rsplit_once('@').map_or("", |(_, domain)| domain);
        self.domains.iter().any(|own| {
            let rest = domain.strip_suffix(own.to_lowercase().as_str());
            rest.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::detect::is_card;
    use super::*;

    fn network(text: &str) -> Result<Vec<Network>, String> {
        Network::read(text)
    }

    #[test]
    fn networks_are_read_strictly() {
        for name in Network::NAMES {
            assert!(!network(name).expect(name).is_empty());
        }
        for (text, why) in [
            ("10.0.0.0/33", "what follows the `/` in `10.0.0.0/33` is not 0 to 32"),
            ("10.0.0.0/x", "what follows the `/` in `10.0.0.0/x` is not 0 to 32"),
            ("10.1.2.3/8", "`10.1.2.3/8` is an address in the network `10.0.0.0/8`"),
            ("example.com", "`example.com` is no address and no network"),
            ("2001:db8::1/32", "`2001:db8::1/32` is an address in the network `2001:db8::/32`"),
        ] {
            assert_eq!(network(text), Err(why.to_owned()));
        }
    }

    #[test]
    fn a_network_has_its_own_addresses_and_no_others() {
        let check = |text: &str, address: &str, expect: bool| {
            let has = network(text).expect(text).iter().any(|it| it.has(address.parse().unwrap()));
            assert_eq!(has, expect, "{text} {address}");
        };
        check("10.0.0.0/8", "10.255.0.1", true);
        check("10.0.0.0/8", "11.0.0.0", false);
        check("10.0.0.0/8", "::ffff:10.1.1.1", true);
        check("10.0.0.0/8", "2001:db8::1", false);
        check("0.0.0.0/0", "198.51.100.1", true);
        check("0.0.0.0/0", "2001:db8::1", false);
        check("::/0", "2001:db8::1", true);
        check("2001:db8::/32", "2001:db8:ffff::1", true);
        check("2001:db8::/32", "2001:db9::1", false);
        check("192.0.2.7", "192.0.2.7", true);
        check("192.0.2.7", "192.0.2.8", false);
        check("documentation", "203.0.113.9", true);
        check("private", "172.31.255.255", true);
        check("private", "172.32.0.0", false);
    }

    #[test]
    fn every_test_card_is_a_card() {
        for card in TEST_CARDS {
            assert!(is_card(card.as_bytes()), "{card}");
        }
    }
}

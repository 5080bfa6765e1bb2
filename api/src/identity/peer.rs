//! Who is at the other end of a connection.
//!
//! The names come from a certificate that TLS has verified against our own authority; nothing
//! that a request says can change them. Only alternative names count, never the subject's common
//! name: an authority checks the former, and often lets whoever asks choose the latter.

use std::{net::IpAddr, sync::Arc};

use rustls::pki_types::CertificateDer;

use crate::certificate::names;

/// The other end of the connection that a request came by.
#[derive(Debug, Clone)]
pub struct Peer {
    /// Its address.
    pub address: IpAddr,
    /// The alternative names in its certificate: DNS names and URIs. Empty if it showed none.
    names: Arc<[String]>,
}

impl Peer {
    /// Somebody at `address` of whom we know nothing else.
    #[must_use]
    pub fn stranger(address: IpAddr) -> Self {
        Self {
            address,
            names: Arc::default(),
        }
    }

    /// Somebody at `address` who showed `certificate`, and TLS verified it.
    #[must_use]
    pub fn verified(address: IpAddr, certificate: &CertificateDer<'_>) -> Self {
        Self {
            address,
            names: names(certificate).into(),
        }
    }

    /// Whether its certificate is of the name `name`.
    #[must_use]
    pub fn is(&self, name: &str) -> bool {
        self.names.iter().any(|known| known == name)
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use rcgen::{CertificateParams, DnType, KeyPair, SanType};

    use super::*;

    #[test]
    fn a_certificate_is_known_by_its_alternative_names_alone() {
        let mut params = CertificateParams::new(["kong.example".to_owned()]).expect("a name");
        params
            .distinguished_name
            .push(DnType::CommonName, "gateway");
        let uri = "spiffe://example/kong".try_into().expect("ASCII");
        params.subject_alt_names.push(SanType::URI(uri));
        let key = KeyPair::generate().expect("a key");
        let certificate = params.self_signed(&key).expect("signed");
        let peer = Peer::verified(Ipv4Addr::LOCALHOST.into(), certificate.der());
        for name in ["kong.example", "spiffe://example/kong"] {
            assert!(peer.is(name), "{name}");
        }
        assert!(!peer.is("gateway") && !peer.is("kong"));
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, "kong");
        let bare = params.self_signed(&key).expect("signed");
        assert!(!Peer::verified(peer.address, bare.der()).is("kong"));
        assert!(!Peer::stranger(peer.address).is("kong.example"));
        let junk = CertificateDer::from(vec![1, 2, 3]);
        assert!(!Peer::verified(peer.address, &junk).is(""));
    }
}

//! Who is at the other end of a connection.
//!
//! The names come from a certificate that TLS has verified against our own authority; nothing
//! that a request says can change them.

use std::{net::IpAddr, sync::Arc};

use rustls::pki_types::CertificateDer;
use x509_cert::{
    Certificate,
    attr::AttributeTypeAndValue,
    der::{
        Decode,
        asn1::{Ia5StringRef, PrintableStringRef, Utf8StringRef},
        oid::db::rfc4519::CN,
    },
    ext::pkix::{SubjectAltName, name::GeneralName},
};

/// The other end of the connection that a request came by.
#[derive(Debug, Clone)]
pub struct Peer {
    /// Its address.
    pub address: IpAddr,
    /// The names in its certificate: the subject's common names, DNS names and URIs. Empty if it
    /// showed none.
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

/// The names in a certificate; none if it cannot be read.
fn names(certificate: &CertificateDer<'_>) -> Vec<String> {
    let Ok(certificate) = Certificate::from_der(certificate) else {
        return Vec::new();
    };
    let certificate = certificate.tbs_certificate;
    let attributes = certificate.subject.0.iter().flat_map(|part| part.0.iter());
    let mut names: Vec<String> = attributes
        .filter(|attribute| attribute.oid == CN)
        .filter_map(text)
        .collect();
    if let Ok(Some((_, alternatives))) = certificate.get::<SubjectAltName>() {
        names.extend(alternatives.0.into_iter().filter_map(|name| match name {
            GeneralName::DnsName(name) | GeneralName::UniformResourceIdentifier(name) => {
                Some(name.to_string())
            }
            _ => None,
        }));
    }
    names
}

fn text(attribute: &AttributeTypeAndValue) -> Option<String> {
    let value = &attribute.value;
    let utf8 = value.decode_as::<Utf8StringRef<'_>>();
    let utf8 = utf8.map(|text| text.as_str().to_owned());
    let printable = || value.decode_as::<PrintableStringRef<'_>>();
    let ia5 = || value.decode_as::<Ia5StringRef<'_>>();
    utf8.or_else(|_| printable().map(|text| text.as_str().to_owned()))
        .or_else(|_| ia5().map(|text| text.as_str().to_owned()))
        .ok()
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use rcgen::{CertificateParams, DnType, KeyPair, SanType};

    use super::*;

    #[test]
    fn a_certificate_names_its_subject_and_alternatives() {
        let mut params = CertificateParams::new(["kong.example".to_owned()]).expect("a name");
        params
            .distinguished_name
            .push(DnType::CommonName, "gateway");
        let uri = "spiffe://example/kong".try_into().expect("ASCII");
        params.subject_alt_names.push(SanType::URI(uri));
        let key = KeyPair::generate().expect("a key");
        let certificate = params.self_signed(&key).expect("signed");
        let peer = Peer::verified(Ipv4Addr::LOCALHOST.into(), certificate.der());
        for name in ["gateway", "kong.example", "spiffe://example/kong"] {
            assert!(peer.is(name), "{name}");
        }
        assert!(!peer.is("kong"));
        assert!(!Peer::stranger(peer.address).is("gateway"));
        let junk = CertificateDer::from(vec![1, 2, 3]);
        assert!(!Peer::verified(peer.address, &junk).is(""));
    }
}

//! What a certificate says: for whom it is, and for how long.

use std::time::Duration;

use rustls::pki_types::CertificateDer;
use x509_cert::{
    Certificate,
    der::Decode,
    ext::pkix::{SubjectAltName, name::GeneralName},
};

/// The alternative names in a certificate; none if it cannot be read.
pub(crate) fn names(certificate: &CertificateDer<'_>) -> Vec<String> {
    let Ok(certificate) = Certificate::from_der(certificate) else {
        return Vec::new();
    };
    let alternatives = certificate.tbs_certificate.get::<SubjectAltName>();
    let Ok(Some((_, alternatives))) = alternatives else {
        return Vec::new();
    };
    let name = |name| match name {
        GeneralName::DnsName(name) | GeneralName::UniformResourceIdentifier(name) => {
            Some(name.to_string())
        }
        _ => None,
    };
    alternatives.0.into_iter().filter_map(name).collect()
}

/// When it begins and when it ends, since 1970; nothing if it cannot be read.
pub(crate) fn validity(certificate: &CertificateDer<'_>) -> Option<(Duration, Duration)> {
    let certificate = Certificate::from_der(certificate).ok()?;
    let validity = certificate.tbs_certificate.validity;
    let (begin, end) = (validity.not_before, validity.not_after);
    Some((begin.to_unix_duration(), end.to_unix_duration()))
}

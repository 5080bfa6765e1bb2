//! Certificates for one run: an authority of its own, server and client certificates under it.

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};

use time::{Duration, OffsetDateTime};

use super::error::{Error, Result};

/// A certificate authority that nobody else trusts.
#[derive(Debug)]
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
    key_pem: String,
}

/// A certificate and its private key, both PEM.
#[derive(Clone, Debug)]
pub struct Certificate {
    /// The certificate.
    pub cert: String,
    /// The private key (PKCS#8).
    pub key: String,
}

impl Authority {
    /// Makes a new one.
    ///
    /// # Errors
    /// The system's source of chance failed.
    pub fn new(name: &str) -> Result<Self> {
        let refused = |source| Error::Certificate {
            subject: name.into(),
            source,
        };
        let mut params = params(name, &[]).map_err(refused)?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let key = KeyPair::generate().map_err(refused)?;
        let pem = params.self_signed(&key).map_err(refused)?.pem();
        Ok(Self {
            key_pem: key.serialize_pem(),
            issuer: Issuer::new(params, key),
            pem,
        })
    }

    /// The authority's own certificate, PEM.
    #[must_use]
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// Its key, PEM, for who signs in its place.
    pub(super) fn key_pem(&self) -> &str {
        &self.key_pem
    }

    /// A certificate for a server on this machine.
    ///
    /// # Errors
    /// The system's source of chance failed.
    pub fn server(&self) -> Result<Certificate> {
        let names = ["localhost", "127.0.0.1"];
        self.sign("localhost", &names, ExtendedKeyUsagePurpose::ServerAuth)
    }

    /// A certificate for a server that is called so.
    ///
    /// # Errors
    /// The system's source of chance failed, or a name cannot be a DNS name.
    pub fn server_called(&self, name: &str) -> Result<Certificate> {
        self.sign(name, &[name], ExtendedKeyUsagePurpose::ServerAuth)
    }

    /// A certificate for a server on this machine, which ended yesterday.
    ///
    /// # Errors
    /// The system's source of chance failed.
    pub fn expired_server(&self) -> Result<Certificate> {
        let names = ["localhost", "127.0.0.1"];
        let usage = ExtendedKeyUsagePurpose::ServerAuth;
        let now = eventstore::clock::now().datetime();
        let life = [now - 2 * Duration::DAY, now - Duration::DAY];
        self.sign_for("localhost", &names, usage, Some(life))
    }

    /// A certificate for a client, named by its common name and its DNS name alike (NATS maps the
    /// latter to a user).
    ///
    /// # Errors
    /// The system's source of chance failed, or the name cannot be a DNS name.
    pub fn client(&self, name: &str) -> Result<Certificate> {
        self.sign(name, &[name], ExtendedKeyUsagePurpose::ClientAuth)
    }

    /// The same, which ended yesterday.
    ///
    /// # Errors
    /// The system's source of chance failed, or the name cannot be a DNS name.
    pub fn expired_client(&self, name: &str) -> Result<Certificate> {
        self.lasting_client(name, [-2 * Duration::DAY, -Duration::DAY])
    }

    /// The same, which begins and ends so long from now.
    ///
    /// # Errors
    /// The system's source of chance failed, or the name cannot be a DNS name.
    pub fn lasting_client(&self, name: &str, life: [Duration; 2]) -> Result<Certificate> {
        let now = eventstore::clock::now().datetime();
        let life = life.map(|from_now| now + from_now);
        let usage = ExtendedKeyUsagePurpose::ClientAuth;
        self.sign_for(name, &[name], usage, Some(life))
    }

    /// A certificate for a client with this common name and these alternative names, which may be
    /// somebody else's or none: an authority may check the latter and let clients choose the
    /// former.
    ///
    /// # Errors
    /// The system's source of chance failed, or a name cannot be a DNS name.
    pub fn client_called(&self, common: &str, alternatives: &[&str]) -> Result<Certificate> {
        self.sign(common, alternatives, ExtendedKeyUsagePurpose::ClientAuth)
    }

    fn sign(
        &self,
        subject: &str,
        names: &[&str],
        usage: ExtendedKeyUsagePurpose,
    ) -> Result<Certificate> {
        self.sign_for(subject, names, usage, None)
    }

    fn sign_for(
        &self,
        subject: &str,
        names: &[&str],
        usage: ExtendedKeyUsagePurpose,
        life: Option<[OffsetDateTime; 2]>,
    ) -> Result<Certificate> {
        let refused = |source| Error::Certificate {
            subject: subject.into(),
            source,
        };
        let mut params = params(subject, names).map_err(refused)?;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![usage];
        params.use_authority_key_identifier_extension = true;
        if let Some([begin, end]) = life {
            (params.not_before, params.not_after) = (begin, end);
        }
        let key = KeyPair::generate().map_err(refused)?;
        let cert = params.signed_by(&key, &self.issuer).map_err(refused)?;
        Ok(Certificate {
            cert: cert.pem(),
            key: key.serialize_pem(),
        })
    }
}

/// A client's certificate that its own key vouches for.
///
/// # Errors
/// The system's source of chance failed, or the name cannot be a DNS name.
pub fn self_signed_client(name: &str) -> Result<Certificate> {
    self_signed(name, &[name], ExtendedKeyUsagePurpose::ClientAuth)
}

/// The certificate of a server on this machine that its own key vouches for.
///
/// # Errors
/// The system's source of chance failed.
pub fn self_signed_server() -> Result<Certificate> {
    let names = ["localhost", "127.0.0.1"];
    self_signed("localhost", &names, ExtendedKeyUsagePurpose::ServerAuth)
}

fn self_signed(name: &str, names: &[&str], usage: ExtendedKeyUsagePurpose) -> Result<Certificate> {
    let refused = |source| Error::Certificate {
        subject: name.into(),
        source,
    };
    let mut params = params(name, names).map_err(refused)?;
    params.extended_key_usages = vec![usage];
    let key = KeyPair::generate().map_err(refused)?;
    let cert = params.self_signed(&key).map_err(refused)?;
    Ok(Certificate {
        cert: cert.pem(),
        key: key.serialize_pem(),
    })
}

fn params(subject: &str, names: &[&str]) -> Result<CertificateParams, rcgen::Error> {
    let names: Vec<String> = names.iter().map(ToString::to_string).collect();
    let mut params = CertificateParams::new(names)?;
    params.distinguished_name.remove(DnType::CommonName);
    params.distinguished_name.push(DnType::CommonName, subject);
    Ok(params)
}

//! Everybody who may call: each role and what narrows it, roles nobody defined, the platform's roles
//! in others' tenants, API keys, and those whom nobody should believe.

use schema::{AccountId, TenantId};
use serde_json::{Value, json};
use tests::world::{PLATFORM, rest::RestClient};

use crate::rest::{
    fixture::{Customer, Desk, Gateway},
    tokens::{claims, seconds, sign, symmetric},
};

/// What a caller has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Has {
    /// May see what an account uses.
    Read,
    /// The same of any account.
    ReadAny,
    /// May set prices, costs and accounts.
    Admin,
    /// May approve and reject, and see what is left once carriers are paid, and compare their statements.
    Finance,
    /// May see why somebody was charged what they were.
    Audit,
}

/// What each role gives of what there are endpoints for (CONTRACTS 9).
pub(super) const ROLES: [(&str, &[Has]); 6] = [
    ("account.admin", &[Has::Read]),
    ("account.viewer", &[Has::Read]),
    ("platform.admin", &[Has::Read, Has::ReadAny]),
    ("platform.billing_admin", &[Has::Admin]),
    ("platform.finance", &[Has::Read, Has::ReadAny, Has::Finance]),
    ("platform.auditor", &[Has::Audit]),
];

/// Roles that are none.
const UNDEFINED: [&str; 5] = [
    "platform.nothing",
    "Platform.Admin",
    "account.owner",
    "platform.admin ",
    "billing:admin",
];

/// Scopes, and what they let through of whatever a role gives.
const SCOPES: [(&str, &[Has]); 7] = [
    ("billing:audit", &[Has::Audit]),
    ("billing:read", &[Has::Read, Has::ReadAny]),
    ("billing:admin", &[Has::Admin]),
    ("billing:finance", &[Has::Finance]),
    (
        "openid billing:admin billing:read",
        &[Has::Read, Has::ReadAny, Has::Admin],
    ),
    ("openid profile", &[]),
    ("", &[]),
];

/// Whether we know who calls.
#[derive(Debug, Clone)]
pub(super) enum Known {
    /// No: the status and the code that they hear wherever they call.
    Not(u16, &'static str),
    /// Yes, with this.
    With(Vec<Has>),
}

/// Somebody who calls.
pub(super) struct Who {
    pub(super) name: String,
    pub(super) known: Known,
    pub(super) tenant: TenantId,
    pub(super) account: Option<AccountId>,
    call: Call,
}

/// How they call, under a name of the moment.
type Call = Box<dyn Fn(&str) -> RestClient + Send + Sync>;

impl Who {
    /// They, under this name.
    pub(super) fn named(&self, subject: &str) -> RestClient {
        (self.call)(subject)
    }

    pub(super) fn has(&self, what: Has) -> bool {
        matches!(&self.known, Known::With(all) if all.contains(&what))
    }
}

/// Everybody; `of` is the customer whom those belong to that are not the platform's.
pub(super) fn all(desk: &'static Desk, gateway: &'static Gateway, of: Customer) -> Vec<Who> {
    let mut all = Vec::new();
    for (role, has) in ROLES {
        let at_home = Bearer::of(role, of);
        let token = |bearer: &Bearer| bearer.who(desk, has.to_vec());
        all.push(token(&at_home));
        if at_home.is_platform() {
            let abroad = at_home.clone().in_tenant(of);
            all.push(abroad.who(desk, Vec::new()));
        } else {
            all.push(token(&at_home.clone().of_whole_tenant()));
        }
        for (scope, through) in SCOPES {
            let left = has.iter().filter(|has| through.contains(has));
            let narrowed = at_home.clone().claiming("scope", json!(scope));
            all.push(narrowed.who(desk, left.copied().collect()));
        }
    }
    for role in UNDEFINED {
        all.push(Bearer::of(role, of).who(desk, Vec::new()));
    }
    let none = Bearer::of("no role", of).claiming("roles", json!([]));
    all.push(none.who(desk, Vec::new()));
    let both = Bearer::of("platform.admin", of);
    let both = both.claiming("roles", json!(["platform.admin", "platform.billing_admin"]));
    all.push(both.who(desk, vec![Has::Read, Has::ReadAny, Has::Admin]));
    all.extend(keys(desk, gateway, of));
    all.extend(unbelieved(desk, of));
    all
}

/// Somebody with a token.
#[derive(Clone)]
struct Bearer {
    name: String,
    role: String,
    tenant: TenantId,
    account: Option<AccountId>,
    more: Vec<(&'static str, Value)>,
}

impl Bearer {
    /// Somebody with this role where it belongs.
    fn of(role: &str, of: Customer) -> Self {
        let platform = role.to_lowercase().starts_with("platform.");
        Self {
            name: role.to_owned(),
            role: role.to_owned(),
            tenant: if platform { PLATFORM } else { of.tenant },
            account: (!platform).then_some(of.account),
            more: Vec::new(),
        }
    }

    fn is_platform(&self) -> bool {
        self.tenant == PLATFORM
    }

    fn of_whole_tenant(mut self) -> Self {
        self.name += " of a whole tenant";
        self.account = None;
        self
    }

    fn in_tenant(mut self, of: Customer) -> Self {
        self.name += " of a customer";
        (self.tenant, self.account) = (of.tenant, Some(of.account));
        self
    }

    fn claiming(mut self, claim: &'static str, value: Value) -> Self {
        self.name = format!("{} with {claim} {value}", self.name);
        self.more.push((claim, value));
        self
    }

    fn claims(&self, subject: &str) -> Value {
        let mut claims = claims(subject, &self.role, self.tenant.0);
        if let Some(account) = self.account {
            claims["account_id"] = json!(account);
        }
        for (claim, value) in &self.more {
            claims[*claim] = value.clone();
        }
        claims
    }

    fn who(&self, desk: &'static Desk, has: Vec<Has>) -> Who {
        let bearer = self.clone();
        self.known(Known::With(has), move |subject| {
            let token = desk.issuer.token(&bearer.claims(subject));
            desk.rest.with_token(&token)
        })
    }

    fn known(
        &self,
        known: Known,
        call: impl Fn(&str) -> RestClient + Send + Sync + 'static,
    ) -> Who {
        Who {
            name: self.name.clone(),
            known,
            tenant: self.tenant,
            account: self.account,
            call: Box::new(call),
        }
    }
}

/// API keys by Kong's word, and the same words from others.
fn keys(desk: &'static Desk, gateway: &'static Gateway, of: Customer) -> Vec<Who> {
    let key = move |caller: RestClient, subject: &str, scopes: &str| {
        let caller = caller.saying("x-api-key-id", subject);
        let caller = caller.saying("x-scopes", scopes);
        let caller = caller.saying("x-tenant-id", &of.tenant.to_string());
        caller.saying("x-account-id", &of.account.to_string())
    };
    let by_kong = |scopes: &'static str, has: &[Has]| {
        let bearer = Bearer::of(&format!("an api key for {scopes:?}"), of);
        let kong = gateway.kong.as_nobody();
        let known = Known::With(has.to_vec());
        bearer.known(known, move |subject| key(kong.clone(), subject, scopes))
    };
    let all_scopes = "billing:read billing:admin platform.billing_admin billing:finance";
    let by_others = [
        ("no certificate", gateway.bare.as_nobody()),
        ("another's certificate", gateway.other.as_nobody()),
        ("no tls", desk.rest.as_nobody()),
    ];
    let by_others = by_others.into_iter().map(|(how, caller)| {
        let bearer = Bearer::of(&format!("an api key by {how}"), of);
        let known = Known::Not(401, "no_credentials");
        bearer.known(known, move |subject| {
            key(caller.clone(), subject, all_scopes)
        })
    });
    let mut all: Vec<_> = by_others.collect();
    all.push(by_kong("billing:read", &[Has::Read]));
    all.push(by_kong(all_scopes, &[Has::Read]));
    all.push(by_kong("billing:admin", &[]));
    all
}

/// Makes a token of claims.
type Sign = fn(&Desk, &Value) -> String;

/// Tokens that prove nothing, each otherwise that of an administrator, and no token at all.
fn unbelieved(desk: &'static Desk, of: Customer) -> Vec<Who> {
    let mut all = Vec::new();
    let admin = Bearer::of("platform.billing_admin", of);
    let invalid = || Known::Not(401, "invalid_token");
    let hour_ago = seconds() - 3_600;
    for (claim, value) in [
        ("iss", json!("https://identity.example")),
        ("aud", json!("somebody-else")),
        ("exp", json!(hour_ago)),
        ("nbf", json!(hour_ago + 7_200)),
    ] {
        let wrong = admin.clone().claiming(claim, value);
        let bearer = wrong.clone();
        let token = move |subject: &str| desk.issuer.token(&bearer.claims(subject));
        all.push(wrong.known(invalid(), move |subject| {
            desk.rest.with_token(&token(subject))
        }));
    }
    let signed: [(&str, Sign); 3] = [
        ("alg none", |desk, claims| {
            let header = json!({ "alg": "none", "kid": desk.issuer.kid });
            sign(&header, claims, |_| Vec::new())
        }),
        ("the public key as a secret", |desk, claims| {
            let header = json!({ "alg": "HS256", "kid": desk.issuer.kid });
            sign(&header, claims, symmetric(desk.issuer.public()))
        }),
        ("another's signature", |desk, claims| {
            desk.issuer.impostor().token(claims)
        }),
    ];
    for (name, sign) in signed {
        let (bearer, mut named) = (admin.clone(), admin.clone());
        named.name = format!("a token with {name}");
        all.push(named.known(invalid(), move |subject| {
            desk.rest.with_token(&sign(desk, &bearer.claims(subject)))
        }));
    }
    let nobody = Bearer::of("nobody", of);
    let known = Known::Not(401, "no_credentials");
    all.push(nobody.known(known, |_| desk.rest.as_nobody()));
    for (header, code) in [
        ("x-tenant-id", "tenant_mismatch"),
        ("x-account-id", "account_mismatch"),
    ] {
        let viewer = Bearer::of("account.admin", of);
        let mut liar = viewer.clone();
        liar.name = format!("somebody with another {header}");
        all.push(liar.known(Known::Not(403, code), move |subject| {
            let caller = desk
                .rest
                .with_token(&desk.issuer.token(&viewer.claims(subject)));
            caller.saying(header, &PLATFORM.to_string())
        }));
    }
    all
}

//! Which people of a provider are let in.

use std::collections::BTreeSet;

use thiserror::Error;

use super::person::Person;

/// The operator's lists. An empty list asks for nothing; of the lists that are not empty each has to
/// be met, but that an address may be on either of the two about e-mail.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AdmissionPolicy {
    /// Addresses, compared without regard to case.
    pub emails: BTreeSet<String>,
    /// What follows the `@`, compared without regard to case; never a part of it.
    pub email_domains: BTreeSet<String>,
    /// One of these groups.
    pub groups: BTreeSet<String>,
    /// One of these tenants.
    pub tenants: BTreeSet<String>,
    /// One of these organisations.
    pub organizations: BTreeSet<String>,
}

/// Why somebody who logged in is not let in; a text for them.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum NotAdmitted {
    /// The lists are about addresses, and the provider verified none.
    #[error("your e-mail address is not verified by the provider you logged in at")]
    NoVerifiedEmail,
    /// The address is on no list.
    #[error("the e-mail address {0} is not on the list of those who may use this server")]
    Email(String),
    /// None of the groups is on the list.
    #[error("you are in none of the groups that may use this server")]
    Group,
    /// The tenant is not on the list.
    #[error("your tenant is not one of those that may use this server")]
    Tenant,
    /// The organisation is not on the list.
    #[error("you did not log in for an organisation that may use this server")]
    Organization,
}

impl AdmissionPolicy {
    /// Whether `person` is let in.
    ///
    /// # Errors
    /// [`NotAdmitted`] names the first list that is not met.
    pub fn check(&self, person: &Person) -> Result<(), NotAdmitted> {
        self.check_email(person.verified_email.as_deref())?;
        let account = person.account.as_deref();
        let groups = account.map(|account| &account.groups);
        let in_group = |groups: &BTreeSet<String>| !groups.is_disjoint(&self.groups);
        if !self.groups.is_empty() && !groups.is_some_and(in_group) {
            return Err(NotAdmitted::Group);
        }
        let listed = |list: &BTreeSet<String>, value: Option<&String>| {
            list.is_empty() || value.is_some_and(|value| list.contains(value))
        };
        if !listed(&self.tenants, account.and_then(|account| account.tenant.as_ref())) {
            return Err(NotAdmitted::Tenant);
        }
        if !listed(&self.organizations, account.and_then(|account| account.organization.as_ref())) {
            return Err(NotAdmitted::Organization);
        }
        Ok(())
    }

    fn check_email(&self, verified: Option<&str>) -> Result<(), NotAdmitted> {
        if self.emails.is_empty() && self.email_domains.is_empty() {
            return Ok(());
        }
        let email = verified.ok_or(NotAdmitted::NoVerifiedEmail)?;
        let domain = email.rsplit_once('@').map(|(_, domain)| domain);
        let same = |list: &BTreeSet<String>, text: &str| {
            list.iter().any(|listed| listed.eq_ignore_ascii_case(text))
        };
        if same(&self.emails, email) || domain.is_some_and(|it| same(&self.email_domains, it)) {
            return Ok(());
        }
        Err(NotAdmitted::Email(email.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::super::issuer::Issuer;
    use super::super::provider::ProviderName;
    use super::super::provider_account::{CarriedClaims, ProviderIdentity, ProviderSubject};
    use super::*;

    fn set(items: &[&str]) -> BTreeSet<String> {
        items.iter().map(|&item| item.to_owned()).collect()
    }

    fn person(email: Option<&str>) -> Person {
        let identity = ProviderIdentity {
            issuer: Issuer::new("https://id.example"),
            subject: ProviderSubject::parse("alice").unwrap(),
            name: None,
            verified_email: email.map(str::to_owned),
            groups: set(&["staff"]),
            tenant: Some("t1".to_owned()),
            organization: Some("o1".to_owned()),
            claims: serde_json::Map::new(),
        };
        identity.into_person(ProviderName::parse("work").unwrap(), &CarriedClaims::default())
    }

    #[test]
    fn without_lists_everybody_is_let_in() {
        assert_eq!(AdmissionPolicy::default().check(&person(None)), Ok(()));
    }

    #[test]
    fn az_33_an_address_may_be_on_either_list_about_email() {
        let policy = AdmissionPolicy {
            emails: set(&["Bob@elsewhere.example"]),
            email_domains: set(&["example.com"]),
            ..AdmissionPolicy::default()
        };
        for email in ["bob@elsewhere.example", "alice@Example.com"] {
            assert_eq!(policy.check(&person(Some(email))), Ok(()), "{email}");
        }
        for email in ["eve@elsewhere.example", "eve@sub.example.com", "eve@notexample.com"] {
            let refused = Err(NotAdmitted::Email(email.to_owned()));
            assert_eq!(policy.check(&person(Some(email))), refused);
        }
    }

    #[test]
    fn up_09_an_address_that_is_not_verified_counts_for_nothing() {
        let policy = AdmissionPolicy { email_domains: set(&["example.com"]), ..Default::default() };
        assert_eq!(policy.check(&person(None)), Err(NotAdmitted::NoVerifiedEmail));
    }

    #[test]
    fn az_33_every_list_that_is_there_has_to_be_met() {
        let met = AdmissionPolicy {
            groups: set(&["staff", "admins"]),
            tenants: set(&["t1"]),
            organizations: set(&["o1"]),
            ..AdmissionPolicy::default()
        };
        assert_eq!(met.check(&person(None)), Ok(()));
        for (policy, refusal) in [
            (AdmissionPolicy { groups: set(&["admins"]), ..met.clone() }, NotAdmitted::Group),
            (AdmissionPolicy { tenants: set(&["t2"]), ..met.clone() }, NotAdmitted::Tenant),
            (
                AdmissionPolicy { organizations: set(&["o2"]), ..met.clone() },
                NotAdmitted::Organization,
            ),
        ] {
            assert_eq!(policy.check(&person(None)), Err(refusal));
        }
    }
}

//! Secrets: files that are encrypted in the checkout.

#[path = "."]
pub(crate) mod rule {
    pub(crate) mod secret_in_environment;
    pub(crate) mod secret_recipient_missing;
    pub(crate) mod secret_unknown;
}

crate::family!(
    "secret",
    false,
    [
        secret_in_environment,
        secret_recipient_missing,
        secret_unknown,
    ]
);

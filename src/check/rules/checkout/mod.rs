//! The checkout as a whole: what cannot be read, names that nothing has, comments that allow findings.

#[path = "."]
pub(crate) mod rule {
    pub(crate) mod allowance_invalid;
    pub(crate) mod allowance_unused;
    pub(crate) mod gate_fails;
    pub(crate) mod input_not_read;
    pub(crate) mod name_misspelt;
    pub(crate) mod syntax;
}

crate::family!(
    "checkout",
    false,
    [
        allowance_invalid,
        allowance_unused,
        gate_fails,
        input_not_read,
        name_misspelt,
        syntax,
    ]
);

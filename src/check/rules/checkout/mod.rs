//! The checkout as a whole: what cannot be read, names that nothing has, comments that allow findings.

#[path = "."]
pub mod rule {
    pub mod allowance_invalid;
    pub mod allowance_unused;
    pub mod gate_fails;
    pub mod name_misspelt;
    pub mod syntax;
}

crate::family!(
    "checkout",
    false,
    [
        allowance_invalid,
        allowance_unused,
        gate_fails,
        name_misspelt,
        syntax,
    ]
);

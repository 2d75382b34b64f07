//! Files for /etc.

#[path = "."]
pub(crate) mod rule {
    pub(crate) mod code_outside_packages;
    pub(crate) mod etc_invalid;
}

crate::family!("etc", false, [code_outside_packages, etc_invalid,]);

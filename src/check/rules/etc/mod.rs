//! Files for /etc.

#[path = "."]
pub mod rule {
    pub mod code_outside_packages;
    pub mod etc_invalid;
}

crate::family!("etc", false, [code_outside_packages, etc_invalid,]);

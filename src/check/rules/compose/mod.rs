//! Compose projects: those that units run, the infrastructure file, and files that no unit names yet.

#[path = "."]
pub(crate) mod rule {
    pub(crate) mod compose_address_in_dynamic_range;
    pub(crate) mod compose_address_outside_subnet;
    pub(crate) mod compose_address_twice;
    pub(crate) mod compose_advice;
    pub(crate) mod compose_build_missing;
    pub(crate) mod compose_calls_localhost;
    pub(crate) mod compose_container_name_twice;
    pub(crate) mod compose_dependency_cycle;
    pub(crate) mod compose_env_file_in_git;
    pub(crate) mod compose_image_latest;
    pub(crate) mod compose_invalid_value;
    pub(crate) mod compose_memory_over_budget;
    pub(crate) mod compose_network_missing;
    pub(crate) mod compose_network_not_external;
    pub(crate) mod compose_network_undeclared;
    pub(crate) mod compose_network_unknown;
    pub(crate) mod compose_no_health_check;
    pub(crate) mod compose_no_image;
    pub(crate) mod compose_no_log_rotation;
    pub(crate) mod compose_no_memory_limit;
    pub(crate) mod compose_no_restart;
    pub(crate) mod compose_not_run;
    pub(crate) mod compose_nothing_starts;
    pub(crate) mod compose_password_in_plain_text;
    pub(crate) mod compose_project_twice;
    pub(crate) mod compose_restart_beside_unit;
    pub(crate) mod compose_secret_undeclared;
    pub(crate) mod compose_service_unknown;
    pub(crate) mod compose_start_first;
    pub(crate) mod compose_unknown_key;
    pub(crate) mod compose_variable_unset;
    pub(crate) mod compose_version;
    pub(crate) mod compose_volume_undeclared;
    pub(crate) mod compose_wrong_type;
}

crate::family!(
    "compose",
    false,
    [
        compose_address_in_dynamic_range,
        compose_address_outside_subnet,
        compose_address_twice,
        compose_advice,
        compose_build_missing,
        compose_calls_localhost,
        compose_container_name_twice,
        compose_dependency_cycle,
        compose_env_file_in_git,
        compose_image_latest,
        compose_invalid_value,
        compose_memory_over_budget,
        compose_network_missing,
        compose_network_not_external,
        compose_network_undeclared,
        compose_network_unknown,
        compose_no_health_check,
        compose_no_image,
        compose_no_log_rotation,
        compose_no_memory_limit,
        compose_no_restart,
        compose_nothing_starts,
        compose_password_in_plain_text,
        compose_not_run,
        compose_project_twice,
        compose_restart_beside_unit,
        compose_secret_undeclared,
        compose_service_unknown,
        compose_start_first,
        compose_unknown_key,
        compose_variable_unset,
        compose_version,
        compose_volume_undeclared,
        compose_wrong_type,
    ]
);

/// What most rules of this folder use.
pub(crate) mod prelude {
    pub(crate) use crate::check::compose::view::{View, say};
    pub(crate) use crate::check::rules::prelude::*;
    pub(crate) use crate::source::ParsedStack;
    pub(crate) use crate::source::compose::Service;
}

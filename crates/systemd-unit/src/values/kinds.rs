//! Which kind of value each setting takes: by the type that systemd itself gives, and for its type OTHER by the key
//! (`src/core/load-fragment-gperf.gperf.in` of systemd names the function that reads each).

use std::sync::LazyLock;

use rustc_hash::FxHashMap;

use super::reader::Reader;
use super::types::{Resource, ValueType};
use super::words::*;
use super::{names, network, paths, protection, resources};
use crate::table;

/// By section and key.
static KINDS: LazyLock<FxHashMap<&str, FxHashMap<&str, ValueType>>> = LazyLock::new(|| {
    let mut kinds: FxHashMap<&str, FxHashMap<&str, ValueType>> = FxHashMap::default();
    for (section, key, name) in table::keys() {
        if let Some(kind) = read(section, key, name) {
            kinds.entry(section).or_default().insert(key, kind);
        }
    }
    kinds
});

/// What a key takes; `None` where that is not checked.
pub fn kind_of(section: &str, key: &str) -> Option<ValueType> {
    KINDS.get(section)?.get(key).copied()
}

fn read(section: &str, key: &str, name: &str) -> Option<ValueType> {
    // They do nothing on a host of today.
    if key.contains("BlockIO") {
        return None;
    }
    let of_key = match key {
        "TimeoutStopSec"
        | "TimeoutAbortSec"
        | "JobTimeoutSec"
        | "JobRunningTimeoutSec"
        | "CPUQuotaPeriodSec" => ValueType::Span,
        "TimeoutSec" if section == "Socket" => ValueType::Span,
        "CollectMode" => ValueType::Words(COLLECT_MODES),
        "OOMPolicy" => ValueType::Words(OOM_POLICIES),
        "ProtectSystem" => ValueType::TruthOr(PROTECT_SYSTEM),
        "ProtectHome" => ValueType::TruthOr(PROTECT_HOME),
        "PrivateTmp" => ValueType::TruthOr(PRIVATE_TMP),
        "PrivateUsers" => ValueType::TruthOr(PRIVATE_USERS),
        "ProtectControlGroups" => ValueType::TruthOr(PROTECT_GROUPS),
        "ProtectHostname" => ValueType::Reader(&names::HOST),
        "RuntimeDirectoryPreserve" => ValueType::TruthOr(PRESERVE),
        "KeyringMode" => ValueType::Words(KEYRINGS),
        "ProtectProc" => ValueType::Words(PROC_ACCESS),
        "ProcSubset" => ValueType::Words(PROC_SUBSETS),
        "CPUQuota" => ValueType::Quota,
        "TasksMax" => ValueType::Tasks,
        "OnCalendar" => ValueType::Calendar,
        "ListenStream" | "ListenDatagram" => ValueType::Socket,
        "ListenSequentialPacket" => ValueType::Reader(&paths::LOCAL_SOCKET),
        "ListenFIFO" | "ListenSpecial" | "ListenMessageQueue" | "ListenUSBFunction" => {
            ValueType::Reader(&paths::PATH)
        }
        "MemoryMin"
        | "MemoryLow"
        | "DefaultMemoryMin"
        | "DefaultMemoryLow"
        | "MemorySwapMax"
        | "StartupMemoryLow"
        | "DefaultStartupMemoryLow"
        | "StartupMemorySwapMax"
        | "MemoryZSwapMax"
        | "StartupMemoryZSwapMax" => ValueType::Memory(true),
        "MemoryHigh" | "MemoryMax" | "MemoryLimit" | "StartupMemoryHigh" | "StartupMemoryMax" => {
            ValueType::Memory(false)
        }
        "LimitCPU" | "LimitRTTIME" => ValueType::Limit(Resource::Time),
        "LimitNOFILE" | "LimitNPROC" | "LimitLOCKS" | "LimitSIGPENDING" | "LimitRTPRIO" => {
            ValueType::Limit(Resource::Number)
        }
        "LimitFSIZE" | "LimitDATA" | "LimitSTACK" | "LimitCORE" | "LimitRSS" | "LimitAS"
        | "LimitMEMLOCK" | "LimitMSGQUEUE" => ValueType::Limit(Resource::Bytes),
        "OnSuccessJobMode" | "OnFailureJobMode" => ValueType::Words(JOB_MODES),
        "MountAPIVFS" | "SetLoginEnvironment" | "MemoryKSM" | "BindLogSockets" | "PrivatePIDs" => {
            ValueType::TruthOr(&[])
        }
        "NUMAPolicy" => ValueType::Words(MEMORY_POLICIES),
        "UtmpMode" => ValueType::Words(LOGIN_MODES),
        "ManagedOOMSwap" | "ManagedOOMMemoryPressure" => ValueType::Words(OOM_MODES),
        "ManagedOOMPreference" => ValueType::Words(OOM_PREFERENCES),
        "SocketProtocol" => ValueType::Words(PROTOCOLS),
        "Timestamping" => ValueType::TruthOr(TIMESTAMPS),
        "TTYRows" | "TTYColumns" => ValueType::Unsigned,
        "Priority" if section == "Swap" => ValueType::Integer(-1, 32_767),
        _ => {
            return of_key(section, key)
                .map_or_else(|| of_type(section, name), |it| Some(ValueType::Reader(it)));
        }
    };
    Some(of_key)
}

/// Settings that have a reader of their own.
fn of_key(section: &str, key: &str) -> Option<&'static Reader> {
    Some(match key {
        "WorkingDirectory" => &paths::FOLDER,
        "ExecSearchPath" => &paths::SEARCH,
        "TemporaryFileSystem" => &paths::TEMPORARY,
        "What" if section == "Swap" => &paths::SWAP,
        "PIDFile" => &paths::PID_FILE,
        "Symlinks" | "RequiresMountsFor" | "WantsMountsFor" => &paths::PATHS,
        "RuntimeDirectory" | "StateDirectory" | "CacheDirectory" | "LogsDirectory" => {
            &paths::DIRECTORIES
        }
        "ConfigurationDirectory" => &paths::CONFIGURATIONS,
        "IPIngressFilterPath" | "IPEgressFilterPath" => &paths::PATH,
        "IPAddressAllow" | "IPAddressDeny" => &network::ADDRESSES,
        "SocketBindAllow" | "SocketBindDeny" => &network::BINDS,
        "RestrictNetworkInterfaces" => &network::INTERFACES,
        "SystemCallLog" => &protection::LOGGED_CALLS,
        "FailureActionExitStatus" | "SuccessActionExitStatus" => &protection::EXIT_STATUS,
        "CoredumpFilter" => &protection::DUMP,
        "PassEnvironment" => &names::PASSED,
        "UnsetEnvironment" => &names::UNSET,
        "LogExtraFields" => &names::FIELDS,
        "User" | "Group" | "SocketUser" | "SocketGroup" => &names::ACCOUNT,
        "SupplementaryGroups" => &names::ACCOUNTS,
        "LogNamespace" => &names::NAMESPACE,
        "FileDescriptorName" => &names::DESCRIPTOR,
        "BusName" if section == "Service" => &names::BUS,
        "LoadCredential" | "LoadCredentialEncrypted" => &names::LOADED,
        "SetCredential" => &names::SET,
        "SetCredentialEncrypted" => &names::ENCRYPTED,
        "RebootArgument" | "JobTimeoutRebootArgument" if section == "Unit" => &names::ARGUMENT,
        "AllowedCPUs"
        | "StartupAllowedCPUs"
        | "AllowedMemoryNodes"
        | "StartupAllowedMemoryNodes" => &resources::CPUS,
        "NUMAMask" => &resources::NODES,
        "Delegate" => &resources::DELEGATED,
        "DisableControllers" => &resources::DISABLED,
        "ManagedOOMMemoryPressureLimit" => &resources::PRESSURE,
        "IOReadBandwidthMax" | "IOWriteBandwidthMax" | "IOReadIOPSMax" | "IOWriteIOPSMax" => {
            &resources::DEVICE_LIMIT
        }
        _ if is_path_condition(key) => &paths::CONDITION,
        _ => return None,
    })
}

/// Whether a condition or assertion looks at a path.
fn is_path_condition(key: &str) -> bool {
    let what = key
        .strip_prefix("Condition")
        .or_else(|| key.strip_prefix("Assert"));
    what.is_some_and(|what| {
        let starts = [
            "Path",
            "DirectoryNotEmpty",
            "FileNotEmpty",
            "FileIsExecutable",
            "NeedsUpdate",
        ];
        starts.iter().any(|start| what.starts_with(start))
    })
}

/// By the type that systemd itself gives, `systemd --dump-configuration-items`.
fn of_type(section: &str, name: &str) -> Option<ValueType> {
    Some(match name {
        "BOOLEAN" => ValueType::TruthOr(&[]),
        "SECONDS" | "TIMER" => ValueType::Span,
        "UNSIGNED" => ValueType::Unsigned,
        "INTEGER" => ValueType::Integer(i32::MIN, i32::MAX),
        "NICE" => ValueType::Integer(-20, 19),
        "OOMSCOREADJUST" => ValueType::Integer(-1000, 1000),
        "MODE" => ValueType::Octal,
        "SIGNAL" => ValueType::Signal,
        "SIZE" => ValueType::Size,
        "LEVEL" => ValueType::Level,
        "ACTION" => ValueType::Words(ACTIONS),
        "ACCESS" => ValueType::Words(ACCESSES),
        "POLICY" => ValueType::Words(DEVICE_POLICIES),
        "KILLMODE" => ValueType::Words(KILL_MODES),
        "TIMEOUTMODE" => ValueType::Words(TIMEOUT_MODES),
        "SERVICETYPE" => ValueType::Words(SERVICE_TYPES),
        "SERVICERESTART" => ValueType::Words(RESTARTS),
        "SERVICEEXITTYPE" => ValueType::Words(EXIT_TYPES),
        "INPUT" => ValueType::Stream(INPUTS, INPUT_STARTS),
        "OUTPUT" => ValueType::Stream(OUTPUTS, OUTPUT_STARTS),
        "PERSONALITY" => ValueType::Words(ARCHITECTURES),
        "SERVICERESTARTMODE" => ValueType::Words(RESTART_MODES),
        "CPUSCHEDPOLICY" => ValueType::WordsOr(SCHEDULERS, i32::MAX),
        "IOCLASS" => ValueType::WordsOr(IO_CLASSES, 8),
        "FACILITY" => ValueType::WordsOr(FACILITIES, 127),
        "TOS" => ValueType::WordsOr(SERVICE_CLASSES, 255),
        "CPUSCHEDPRIO" => ValueType::Integer(0, 99),
        "IOPRIORITY" => ValueType::Integer(0, 7),
        "MOUNTFLAG [...]" | "MOUNTFLAG" => ValueType::Words(MOUNT_FLAGS),
        "SOCKETBIND" => ValueType::TruthOr(BIND_MODES),
        _ => return reader_of_type(section, name).map(ValueType::Reader),
    })
}

fn reader_of_type(section: &str, name: &str) -> Option<&'static Reader> {
    Some(match name {
        "PATH" => &paths::PATH,
        "FILE" => &paths::FILE,
        "PATH [...]" => &paths::MARKED_PATHS,
        "PATH[:PATH[:OPTIONS]] [...]" => &paths::BINDS,
        "NETWORKINTERFACE" => &network::INTERFACE,
        "FAMILIES" => &network::FAMILIES,
        "SYSCALLS" => &protection::CALLS,
        "ARCHS" => &protection::ARCHITECTURES,
        "ERRNO" => &protection::ERROR,
        "BOUNDINGSET" => &protection::CAPABILITIES,
        "NAMESPACES" => &protection::NAMESPACES,
        "FILESYSTEMS" => &protection::FILE_SYSTEMS,
        "SECUREBITS" => &protection::SECURE_BITS,
        "STATUS" => &protection::STATUSES,
        "ENVIRON" => &names::ENVIRONMENT,
        "SLICE" if section != "Slice" => &names::SLICE,
        "SOCKETS" => &names::SOCKETS,
        "SERVICE" => &names::SERVICE,
        "URL" => &names::PAGES,
        "DEVICE" => &resources::DEVICE,
        "DEVICEWEIGHT" => &resources::DEVICE_WEIGHT,
        "DEVICELATENCY" => &resources::DEVICE_LATENCY,
        "CPUWEIGHT" => &resources::CPU_WEIGHT,
        "WEIGHT" => &resources::WEIGHT,
        "CPUAFFINITY" => &resources::AFFINITY,
        _ => return None,
    })
}

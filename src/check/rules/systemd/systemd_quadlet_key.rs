//! Keys and sections of Quadlets that Podman does not know, podman-systemd.unit(5).

use source_text::SourceFile;

use crate::check::rules::systemd::prelude::*;
use crate::model::{File, Quadlet};
use crate::source::error::Speller;
use crate::source::load::text;
use crate::source::unit::Section;

pub(crate) static RULE: Rule = rule!(systemd_quadlet_key, Warning, run);

/// Sections that systemd reads, and that of the generator itself.
const OTHERS: [&str; 4] = ["Unit", "Service", "Install", "Quadlet"];

/// The keys of each section: those that the generator of Podman 5.4.2 takes, asked for each, and those that
/// podman-systemd.unit(5) has in later versions.
const SECTIONS: [(&str, &str); 8] = [
    (
        "Container",
        "AddCapability AddDevice AddHost Annotation AutoUpdate CgroupsMode ContainerName \
            ContainersConfModule DNS DNSOption DNSSearch DropCapability Entrypoint Environment \
            EnvironmentFile EnvironmentHost Exec ExposeHostPort GIDMap GlobalArgs Group GroupAdd HealthCmd \
            HealthInterval HealthLogDestination HealthMaxLogCount HealthMaxLogSize HealthOnFailure \
            HealthRetries HealthStartPeriod HealthStartupCmd HealthStartupInterval HealthStartupRetries \
            HealthStartupSuccess HealthStartupTimeout HealthTimeout HostName HttpProxy IP IP6 Image Label \
            LogDriver LogOpt Mask Memory Mount Network NetworkAlias NoNewPrivileges Notify PidsLimit Pod \
            PodmanArgs PublishPort Pull ReadOnly ReadOnlyTmpfs ReloadCmd ReloadSignal RemapGid RemapUid \
            RemapUidSize RemapUsers Retry RetryDelay Rootfs RunInit SeccompProfile Secret \
            SecurityLabelDisable SecurityLabelFileType SecurityLabelLevel SecurityLabelNested \
            SecurityLabelType ServiceName ShmSize StartWithPod StopSignal StopTimeout SubGIDMap SubUIDMap \
            Sysctl Timezone Tmpfs UIDMap Ulimit Unmask User UserNS VolatileTmp Volume WorkingDir",
    ),
    (
        "Kube",
        "AutoUpdate ConfigMap ContainersConfModule ExitCodePropagation GlobalArgs KubeDownForce \
            LogDriver LogOpt Network PodmanArgs PublishPort RemapGid RemapUid RemapUidSize RemapUsers \
            ServiceName SetWorkingDirectory UserNS Yaml",
    ),
    (
        "Network",
        "ContainersConfModule DNS DisableDNS Driver Gateway GlobalArgs IPAMDriver IPRange IPv6 \
            InterfaceName Internal Label NetworkDeleteOnStop NetworkName Options PodmanArgs ServiceName \
            Subnet",
    ),
    (
        "Volume",
        "ContainersConfModule Copy Device Driver GlobalArgs Group Image Label Options PodmanArgs \
            ServiceName Type User VolumeName",
    ),
    (
        "Pod",
        "AddHost ContainersConfModule DNS DNSOption DNSSearch ExitPolicy GIDMap GlobalArgs HostName IP \
            IP6 Label Network NetworkAlias PodName PodmanArgs PublishPort RemapGid RemapUid RemapUidSize \
            RemapUsers ServiceName ShmSize StopTimeout SubGIDMap SubUIDMap UIDMap UserNS Volume",
    ),
    (
        "Image",
        "AllTags Arch AuthFile CertDir ContainersConfModule Creds DecryptionKey GlobalArgs Image \
            ImageTag OS PodmanArgs Policy Retry RetryDelay ServiceName TLSVerify Variant",
    ),
    (
        "Build",
        "AddCapability AddDevice AddHost AllTags Annotation Arch AuthFile AutoUpdate BuildArg CertDir \
            CgroupsMode ConfigMap ContainerName ContainersConfModule Copy Creds DNS DNSOption DNSSearch \
            DecryptionKey DefaultDependencies Device DisableDNS Driver DropCapability Entrypoint \
            Environment EnvironmentFile EnvironmentHost Exec ExitCodePropagation ExitPolicy ExposeHostPort \
            File ForceRM GIDMap Gateway GlobalArgs Group GroupAdd HealthCmd HealthInterval \
            HealthLogDestination HealthMaxLogCount HealthMaxLogSize HealthOnFailure HealthRetries \
            HealthStartPeriod HealthStartupCmd HealthStartupInterval HealthStartupRetries \
            HealthStartupSuccess HealthStartupTimeout HealthTimeout HostName IP IP6 IPAMDriver IPRange \
            IPv6 IgnoreFile Image ImageTag InterfaceName Internal KubeDownForce Label LogDriver LogOpt \
            Mask Memory Mount Network NetworkAlias NetworkDeleteOnStop NetworkName NoNewPrivileges Notify \
            OS Options PidsLimit Pod PodName PodmanArgs PublishPort Pull ReadOnly ReadOnlyTmpfs ReloadCmd \
            ReloadSignal RemapGid RemapUid RemapUidSize RemapUsers Retry RetryDelay Rootfs RunInit \
            SeccompProfile Secret SecurityLabelDisable SecurityLabelFileType SecurityLabelLevel \
            SecurityLabelNested SecurityLabelType ServiceName SetWorkingDirectory ShmSize StartWithPod \
            StopSignal StopTimeout SubGIDMap SubUIDMap Subnet Sysctl TLSVerify Target Timezone Tmpfs Type \
            UIDMap Ulimit Unmask User UserNS Variant VolatileTmp Volume VolumeName WorkingDir Yaml",
    ),
    ("Quadlet", "DefaultDependencies"),
];

/// Looks for them.
fn run(context: &Context, findings: &mut Findings) {
    let speller = Speller::default();
    for (name, quadlet) in &context.revision().desired.quadlets {
        if quadlet.unit.is_some() {
            findings.extend(find(name, quadlet, &speller));
        }
    }
}

fn find(name: &str, quadlet: &Quadlet, speller: &Speller) -> Vec<Finding> {
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    let own = SECTIONS
        .iter()
        .map(|(section, _)| *section)
        .find(|section| section.eq_ignore_ascii_case(extension));
    let own = own.unwrap_or_default();
    let mut findings = Vec::new();
    let dropins = quadlet.dropins.values();
    for file in std::iter::once(&quadlet.file).chain(dropins) {
        let source = Source::new(&file.source, text(file));
        let sections = source.parsed.sections.iter();
        let read = sections.filter(|section| !table::is_extension(&section.name));
        for section in read {
            findings.extend(of_section(&source, section, own, speller));
        }
    }
    let has_own = |file: &File| {
        let source = Source::new(&file.source, text(file));
        let mut sections = source.parsed.sections.iter();
        sections.any(|section| section.name == own)
    };
    if findings.is_empty() && !has_own(&quadlet.file) {
        let file = SourceFile::new(&quadlet.file.source, text(&quadlet.file));
        let message = format!("there is no section [{own}]");
        let expected = format!("expected [{own}] in a file whose name ends in .{extension}");
        findings.push(RULE.at(Diagnostic::at(&file, 0..0, message, expected)));
    }
    findings.truncate(MOST);
    findings
}

fn of_section(source: &Source, section: &Section, own: &str, speller: &Speller) -> Vec<Finding> {
    let suggest = |near: Option<&str>| near.map(|near| format!("did you mean {near}?"));
    let keys = SECTIONS.iter().find(|(name, _)| *name == section.name);
    let is_read = section.name == own || OTHERS.contains(&section.name.as_str());
    if !is_read {
        let near = speller.nearest(&section.name, OTHERS.into_iter().chain([own]));
        let message = format!(
            "Podman passes [{}] on, and systemd ignores it",
            section.name
        );
        let expected =
            format!("the sections are [{own}], [Unit], [Service], [Install] and [Quadlet]");
        let place = source.complain(section.span.clone(), message, expected);
        let help = suggest(near);
        return vec![RULE.at(Diagnostic { help, ..place })];
    }
    let Some((_, known)) = keys else {
        // [Unit], [Service] and [Install] are systemd's.
        return Vec::new();
    };
    let known = || known.split_whitespace();
    let wrong = (section.entries.iter()).filter(|entry| !known().any(|key| key == entry.key));
    let finding = |entry: &crate::source::unit::Entry| {
        let message = format!("Podman knows no {} in [{}]", entry.key, section.name);
        let expected = "its generator creates no unit from a file with such a key";
        let place = source.complain(entry.key_span.clone(), message, expected);
        let help = suggest(speller.nearest(&entry.key, known()));
        RULE.at(Diagnostic { help, ..place })
    };
    wrong.take(MOST).map(finding).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(name: &str, text: &str) -> Vec<String> {
        let quadlet = Quadlet {
            file: File::new(name, text.as_bytes().to_vec(), false),
            unit: Some("x.service".to_owned()),
            ..Quadlet::default()
        };
        let found = find(name, &quadlet, &Speller::default());
        let found = found.iter().map(|finding| match &finding.complaint {
            crate::model::Complaint::Placed(place) => {
                let help = place.help.as_deref().unwrap_or("no help");
                format!("{}; {help}", place.message)
            }
            crate::model::Complaint::Unplaced { message, .. } => message.clone(),
        });
        found.collect()
    }

    #[test]
    fn what_podman_does_not_know_is_said_with_the_nearest() {
        for (name, text, expected) in [
            (
                "a.container",
                "[Container]\nImagee=x\n",
                "Podman knows no Imagee in [Container]; did you mean Image?",
            ),
            (
                "a.network",
                "[Netwrok]\nSubnet=10.0.0.0/24\n",
                "Podman passes [Netwrok] on, and systemd ignores it; did you mean Network?",
            ),
            (
                "a.volume",
                "[Unit]\nDescription=x\n",
                "there is no section [Volume]; no help",
            ),
            (
                "a.pod",
                "[Pod]\nImage=x\n",
                "Podman knows no Image in [Pod]; no help",
            ),
        ] {
            assert_eq!(said(name, text), [expected], "{text}");
        }
        let good = "[Unit]\nAfter=x\n[Container]\nImage=a\nExec=b\n[X-Team]\na=b\n[Service]\nRestart=always\n";
        assert_eq!(said("a.container", good), [""; 0]);
    }
}

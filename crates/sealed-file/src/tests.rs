use std::str::FromStr;

use aes_gcm::aead::consts::U32;
use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{AesGcm, Key, Nonce, aes::Aes256};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha512};

use super::*;

/// Written by `age` 1.2 for both keys.
const BY_AGE: &[u8] = include_bytes!("tests/by_age.txt");
const AGE_KEY: &str = include_str!("tests/age_key.txt");
const SSH_KEY: &str = include_str!("tests/ssh_key.txt");
const SSH_PUBLIC: &str = include_str!("tests/ssh_key.pub.txt");
const PASSPHRASE_KEY: &str = include_str!("tests/passphrase_key.txt");

fn identities(key: &str) -> Identities {
    let mut identities = Identities::default();
    identities
        .add(&Zeroizing::new(key.as_bytes().to_vec()))
        .unwrap();
    identities
}

fn recipients() -> [Recipient; 2] {
    let age = identities(AGE_KEY).public()[0].clone();
    [age.parse().unwrap(), SSH_PUBLIC.parse().unwrap()]
}

fn opened(form: Form, content: &[u8], key: &str) -> Result<String, SealError> {
    let plain = form.open(content, &identities(key))?;
    Ok(String::from_utf8(plain.bytes().to_vec()).unwrap())
}

#[test]
fn what_age_wrote_is_opened_by_each_of_its_keys() {
    for key in [AGE_KEY, SSH_KEY] {
        assert_eq!(
            opened(Form::Age, BY_AGE, key).as_deref(),
            Ok("TOKEN=real-age\n")
        );
    }
    let stanzas = Form::Age.look(BY_AGE).unwrap().stanzas;
    for recipient in recipients() {
        assert!(recipient.is_among(&stanzas, &recipients()), "{recipient}");
    }
    let other = age::x25519::Identity::generate().to_public().to_string();
    let other: Recipient = other.parse().unwrap();
    let [age, _] = recipients();
    // The header has one age key; two are wanted.
    assert!(!other.is_among(&stanzas, &[age, other.clone()]));
}

#[test]
fn what_is_sealed_is_opened_and_by_nobody_else() {
    let [age, ssh] = recipients();
    let sealed = seal(&Plain::new(b"A=1\n".to_vec()), std::slice::from_ref(&ssh)).unwrap();
    assert_eq!(opened(Form::Age, &sealed, SSH_KEY).as_deref(), Ok("A=1\n"));
    assert_eq!(
        opened(Form::Age, &sealed, AGE_KEY),
        Err(SealError::NotForThisKey)
    );
    assert!(!age.is_among(
        &Form::Age.look(&sealed).unwrap().stanzas,
        std::slice::from_ref(&age)
    ));
    assert_eq!(
        seal(&Plain::new(Vec::new()), &[]).map(drop),
        Err(SealError::NoRecipient)
    );
}

#[test]
fn every_cut_and_every_changed_byte_is_an_error() {
    let [_, ssh] = recipients();
    let sealed = seal(&Plain::new(b"TOKEN=hunter2\n".to_vec()), &[ssh]).unwrap();
    for end in (0..sealed.len() - 1).step_by(7) {
        let error = opened(Form::Age, &sealed[..end], SSH_KEY).unwrap_err();
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }
    for at in (0..sealed.len() - 1).step_by(5) {
        let mut changed = sealed.clone();
        changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
        assert!(opened(Form::Age, &changed, SSH_KEY).is_err(), "byte {at}");
    }
    for plain in [&b""[..], b"TOKEN=hunter2\n", b"age-encryption"] {
        let error = Form::Age.look(plain).unwrap_err();
        assert!(matches!(error, SealError::Plain(_)), "{error}");
    }
}

#[test]
fn keys_that_cannot_be_used_are_told_apart() {
    let add = |key: &str| {
        Identities::default()
            .add(&Zeroizing::new(key.as_bytes().to_vec()))
            .unwrap_err()
    };
    assert_eq!(add("nothing"), KeyError::NoIdentity);
    assert_eq!(add(PASSPHRASE_KEY), KeyError::Passphrase);
    for text in ["", "age1x", "ssh-rsa AAAA", "ssh-ed25519 AAAA", "alice"] {
        assert!(Recipient::from_str(text).is_err(), "{text}");
    }
    assert_eq!(
        format!("{:?}", identities(SSH_KEY)),
        format!("[{:?}]", recipients()[1].as_str())
    );
}

#[test]
fn names_tell_the_form() {
    for (name, form) in [
        ("app.env.age", Some((Form::Age, "app.env"))),
        ("key.pem.age", Some((Form::Age, "key.pem"))),
        ("db.sops.env", Some((Form::Variables, "db.env"))),
        ("db.env", None),
        ("x.yaml", Some((Form::Yaml, "x.yaml"))),
        ("x.sops.yml", Some((Form::Yaml, "x.yml"))),
        ("notes.txt", None),
        (".age", None),
        (".env", None),
    ] {
        let form = form.map(|(form, inner)| (form, inner.to_owned()));
        assert_eq!(Form::of(name), form, "{name}");
    }
}

const DATA_KEY: [u8; 32] = [7; 32];
const MODIFIED: &str = "2025-08-30T10:00:00Z";

/// A value as SOPS writes it; <https://github.com/getsops/sops/blob/main/aes/cipher.go>.
fn value(text: &str, path: &str, sort: &str) -> String {
    let cipher = AesGcm::<Aes256, U32>::new(Key::<AesGcm<Aes256, U32>>::from_slice(&DATA_KEY));
    let payload = Payload {
        msg: text.as_bytes(),
        aad: path.as_bytes(),
    };
    let nonce = [3; 32];
    let data = cipher
        .encrypt(Nonce::<U32>::from_slice(&nonce), payload)
        .unwrap();
    let (data, tag) = data.split_at(data.len() - 16);
    format!(
        "ENC[AES256_GCM,data:{},iv:{},tag:{},type:{sort}]",
        STANDARD.encode(data),
        STANDARD.encode(nonce),
        STANDARD.encode(tag)
    )
}

fn mac(values: &[&str]) -> String {
    let hash = Sha512::digest(values.concat());
    let hash: String = hash.iter().map(|byte| format!("{byte:02X}")).collect();
    value(&hash, MODIFIED, "str")
}

fn data_key() -> String {
    let sealed = seal(&Plain::new(DATA_KEY.to_vec()), &recipients()).unwrap();
    String::from_utf8(sealed).unwrap()
}

fn yaml_file(mac: &str) -> String {
    let recipient = recipients()[1].to_string();
    let key = data_key().replace('\n', "\n        ");
    format!(
        "db:\n  user_unencrypted: app\n  password: {}\n  port: {}\n  hosts:\n    - {}\ndebug: {}\nratio: {}\nnone: null\nsops:\n  age:\n    - recipient: {recipient}\n      enc: |\n        {key}\n  lastmodified: '{MODIFIED}'\n  mac: {mac}\n  version: 3.9.0\n",
        value("hunter2", "db:password:", "str"),
        value("5432", "db:port:", "int"),
        value("a.example.com", "db:hosts:", "str"),
        value("True", "debug:", "bool"),
        value("0.5", "ratio:", "float"),
    )
}

#[test]
fn yaml_of_sops_is_opened_and_its_mac_is_verified() {
    let values = ["app", "hunter2", "5432", "a.example.com", "True", "0.5"];
    let file = yaml_file(&mac(&values));
    let expected = "db:\n  user_unencrypted: app\n  password: hunter2\n  port: 5432\n  hosts:\n  - a.example.com\ndebug: true\nratio: 0.5\nnone: null\n";
    assert_eq!(
        opened(Form::Yaml, file.as_bytes(), SSH_KEY).as_deref(),
        Ok(expected)
    );
    let stanzas = Form::Yaml.look(file.as_bytes()).unwrap().stanzas;
    let [age, ssh] = recipients();
    assert!(ssh.is_among(&stanzas, &recipients()) && !age.is_among(&stanzas, &recipients()));
    // What is not encrypted is in the mac, too; and a value belongs to its place.
    let user = file.replace("user_unencrypted: app", "user_unencrypted: root");
    let moved = file.replace("password:", "passwort:");
    for (changed, why) in [(user, "its mac says"), (moved, "the value of db:passwort")] {
        let error = opened(Form::Yaml, changed.as_bytes(), SSH_KEY).unwrap_err();
        assert!(error.to_string().contains(why), "{error}");
    }
    let other = file.replace("version:", "mac_only_encrypted: true\n  version:");
    let error = Form::Yaml.look(other.as_bytes()).unwrap_err();
    assert!(error.to_string().contains("mac_only_encrypted"), "{error}");
    let plain = Form::Yaml.look(b"a: 1\n").unwrap_err();
    assert_eq!(plain, SealError::Plain("it has no key sops:"));
}

#[test]
fn variables_of_sops_are_opened() {
    let key = data_key().replace('\n', "\\n");
    let file = format!(
        "#ENC[AES256_GCM,data:x,iv:x,tag:x,type:comment]\nTOKEN={}\nLINES={}\nPLAIN_unencrypted=1\nsops_age__list_0__map_enc={key}\nsops_age__list_0__map_recipient={}\nsops_lastmodified={MODIFIED}\nsops_mac={}\nsops_version=3.9.0\n",
        value("hunter2", "TOKEN:", "str"),
        value("a\nb", "LINES:", "str"),
        recipients()[0],
        mac(&["hunter2", "a\nb", "1"]),
    );
    let expected = "TOKEN=hunter2\nLINES=a\\nb\nPLAIN_unencrypted=1\n";
    assert_eq!(
        opened(Form::Variables, file.as_bytes(), AGE_KEY).as_deref(),
        Ok(expected)
    );
    let removed: String = file
        .lines()
        .filter(|line| !line.starts_with("LINES"))
        .map(|line| format!("{line}\n"))
        .collect();
    let error = opened(Form::Variables, removed.as_bytes(), AGE_KEY).unwrap_err();
    assert!(error.to_string().contains("its mac says"), "{error}");
    assert!(matches!(
        Form::Variables.look(b"TOKEN=hunter2\n"),
        Err(SealError::Plain(_))
    ));
}

/// Files as they lie in a repository.
#[test]
fn files_of_sops_are_opened_as_they_lie() {
    for (form, file, expected) in [
        (
            Form::Variables,
            &include_bytes!("tests/variables.sops.env")[..],
            "TOKEN=hunter-of-secrets-SOPS\n",
        ),
        (
            Form::Yaml,
            include_bytes!("tests/settings.sops.yaml"),
            "db:\n  password: hunter-of-secrets-SOPS\n  port: 5432\n",
        ),
    ] {
        assert_eq!(opened(form, file, AGE_KEY).as_deref(), Ok(expected));
        assert_eq!(opened(form, file, SSH_KEY), Err(SealError::NotForThisKey));
    }
}

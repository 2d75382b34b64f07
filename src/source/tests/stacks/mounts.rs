//! What the containers of stacks mount of the checkout.

use super::*;

/// A file that containers get from the store, and a folder as it is.
#[test]
fn what_is_mounted_is_an_input() {
    let lab = lab();
    let mounts = "    volumes: ['./a.conf:/a.conf:ro', './pages:/pages:ro', './data:/data', '/etc/hosts:/h', './none:/n']\n";
    lab.write("compose/shop/compose.yaml", &format!("{WEB}{mounts}"))
        .write("compose/shop/a.conf", "1\n")
        .write("compose/shop/pages/one", "1\n")
        .write("compose/shop/data/.gitkeep", "")
        .write(".gitignore", "*.db\n")
        .commit();
    let read = || lab.read(Which::Head).unwrap();
    let first = read();
    let unit = &first.desired.units["stack-shop.service"];
    let at = |name: &str| format!("/srv/c/compose/shop/{name}");
    assert_eq!(shown(&unit.mounts), [at("a.conf"), at("data"), at("pages")]);
    let laid_over = "/etc/watchme-apply/live/files/compose/shop/watchme-apply.mounts.json";
    let up = format!("docker compose --file compose.yaml --file {laid_over} up --detach");
    assert_eq!(
        lines(&first, "stack-shop.service", &["Exec"]),
        [
            format!("ExecStart={up}"),
            format!("ExecReload={up}"),
            "ExecStop=docker compose --file compose.yaml stop".to_owned()
        ]
    );
    let file = |revision: &Revision| {
        let content = &revision.desired.files[Path::new(laid_over)].content;
        serde_json::from_slice::<serde_json::Value>(content).unwrap()
    };
    let web = &file(&first)["services"]["web"];
    assert_eq!(
        web["volumes"],
        serde_json::json!(["/etc/watchme-apply/live/files/compose/shop/a.conf:/a.conf:ro"])
    );
    // What an app writes there is none.
    lab.write("compose/shop/data/x.db", "1")
        .write("compose/shop/data/new", "1");
    let same = lab.read(Which::Worktree).unwrap();
    assert_eq!(file(&same), file(&first));
    assert_eq!(read().origin.dirty, [""; 0].map(PathBuf::from));
    // What somebody changed that an app cannot write.
    lab.write("compose/shop/pages/one", "2\n");
    let dirty = read().origin.dirty;
    assert_eq!(dirty, [PathBuf::from("compose/shop/pages/one")]);
    assert_ne!(file(&lab.read(Which::Worktree).unwrap()), file(&first));
    lab.commit();
    assert_ne!(file(&read()), file(&first));
}

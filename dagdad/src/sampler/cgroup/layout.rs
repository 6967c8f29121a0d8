//! How the cgroup file systems are mounted, and where in them a pod's files are.
//!
//! - v2 ("unified"): one hierarchy at the root.
//! - v1 ("legacy"): a hierarchy for each controller, in a directory named after it.
//! - hybrid: v1 hierarchies carry the controllers, a v2 one at `unified` carries none or the
//!   few that v1 does not. CPU time and memory are looked up apart, so any mix works.
//!
//! Sources: <https://docs.kernel.org/admin-guide/cgroup-v2.html>,
//! <https://systemd.io/CGROUP_DELEGATION/#three-scenarios>

use std::fs;
use std::path::{Component, Path, PathBuf};

/// The hierarchies that tell CPU time and memory; `None` where none does.
#[derive(Debug)]
pub struct Layout {
    pub cpu: Option<Hierarchy>,
    pub memory: Option<Hierarchy>,
}

/// The two interfaces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    V1,
    V2,
}

impl Version {
    /// The file with the CPU time used.
    pub fn cpu_file(self) -> &'static str {
        match self {
            Self::V1 => "cpuacct.usage",
            Self::V2 => "cpu.stat",
        }
    }

    /// The file with all memory charged, in bytes.
    pub fn memory_file(self) -> &'static str {
        match self {
            Self::V1 => "memory.usage_in_bytes",
            Self::V2 => "memory.current",
        }
    }
}

/// One mounted hierarchy.
#[derive(Debug)]
pub struct Hierarchy {
    pub version: Version,
    root: PathBuf,
    /// Where below `root` the paths that the runtime reports may begin; what worked last
    /// stands first.
    prefixes: Vec<PathBuf>,
}

impl Layout {
    /// Looks at `root` (usually `/sys/fs/cgroup`). `own` is the text of `/proc/self/cgroup`,
    /// `user` the number of the user that this process runs as.
    pub fn detect(root: &Path, own: &str, user: u32) -> Self {
        let v1 = |controller: &str, directories: &[&str], witness: &str| {
            let dir = directories
                .iter()
                .map(|name| root.join(name))
                .find(|dir| dir.join(witness).exists())?;
            Some(Hierarchy::new(
                Version::V1,
                dir,
                own_path(own, Some(controller)),
                user,
            ))
        };
        // Without controllers a v2 hierarchy still counts CPU time, but no memory.
        let v2 = |controller: Option<&str>| {
            let dir = [root.to_owned(), root.join("unified")]
                .into_iter()
                .find(|dir| dir.join("cgroup.controllers").exists())?;
            let controllers =
                fs::read_to_string(dir.join("cgroup.controllers")).unwrap_or_default();
            let has = |wanted: &str| controllers.split_whitespace().any(|name| name == wanted);
            controller
                .is_none_or(has)
                .then(|| Hierarchy::new(Version::V2, dir, own_path(own, None), user))
        };
        Self {
            cpu: v1(
                "cpuacct",
                &["cpuacct", "cpu,cpuacct", "cpuacct,cpu"],
                Version::V1.cpu_file(),
            )
            .or_else(|| v2(None)),
            memory: v1("memory", &["memory"], Version::V1.memory_file())
                .or_else(|| v2(Some("memory"))),
        }
    }
}

impl Hierarchy {
    fn new(version: Version, root: PathBuf, own: Option<&str>, user: u32) -> Self {
        // As a user, Podman reports paths below the user's own service manager. In a container
        // or sandbox they may be below the cgroup that this process is in, or below one above.
        let manager = PathBuf::from(format!("user.slice/user-{user}.slice/user@{user}.service"));
        let own = relative(own.unwrap_or_default()).unwrap_or_default();
        let mut prefixes = vec![PathBuf::new()];
        for candidate in own.ancestors().map(Path::to_owned).chain([manager]) {
            if !prefixes.contains(&candidate) {
                prefixes.push(candidate);
            }
        }
        Self {
            version,
            root,
            prefixes,
        }
    }

    /// The path of `file` in the cgroup that the runtime calls `reported`. The root itself is
    /// no pod's cgroup.
    pub fn find(&mut self, reported: &str, file: &str) -> Option<PathBuf> {
        let below = relative(reported)
            .filter(|path| !path.as_os_str().is_empty())?
            .join(file);
        let paths = self
            .prefixes
            .iter()
            .map(|prefix| self.root.join(prefix).join(&below));
        let (index, path) = paths.enumerate().find(|(_, path)| path.exists())?;
        self.prefixes[..=index].rotate_right(1);
        Some(path)
    }
}

/// `path` without the slash before it; `None` where it leads upwards, as it does for a process
/// outside its own cgroup namespace.
fn relative(path: &str) -> Option<PathBuf> {
    let path = Path::new(path.trim_start_matches('/'));
    path.components()
        .all(|part| matches!(part, Component::Normal(_)))
        .then(|| path.to_owned())
}

/// This process's own cgroup in the v1 hierarchy of `controller`, or in v2 for `None`. Lines are
/// `id:controllers:path`, with neither id nor controllers for v2 (`0::/path`):
/// <https://man7.org/linux/man-pages/man7/cgroups.7.html>
pub fn own_path<'t>(own: &'t str, controller: Option<&str>) -> Option<&'t str> {
    own.lines().find_map(|line| {
        let mut fields = line.splitn(3, ':');
        let (id, controllers, path) = (fields.next()?, fields.next()?, fields.next()?);
        let fits = match controller {
            Some(wanted) => controllers.split(',').any(|name| name == wanted),
            None => id == "0" && controllers.is_empty(),
        };
        fits.then_some(path)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const OWN: &str = "9:name=systemd:/\n4:memory:/box/one\n2:cpu,cpuacct:/box\n0::/init:scope\n";

    #[test]
    fn finds_its_own_cgroup_in_each_hierarchy() {
        assert_eq!(own_path(OWN, Some("memory")), Some("/box/one"));
        assert_eq!(own_path(OWN, Some("cpuacct")), Some("/box"));
        assert_eq!(
            own_path(OWN, None),
            Some("/init:scope"),
            "a path may hold colons"
        );
        assert_eq!(own_path(OWN, Some("pids")), None);
    }

    fn hierarchy(root: &Path, own: &str) -> Hierarchy {
        Hierarchy::new(Version::V2, root.to_owned(), Some(own), 1000)
    }

    fn make(root: &Path, cgroup: &str) {
        fs::create_dir_all(root.join(cgroup)).unwrap();
        fs::write(root.join(cgroup).join("cpu.stat"), "").unwrap();
    }

    #[test]
    fn looks_at_the_reported_path_first_then_below_its_own_cgroup() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path();
        make(root, "pods/a");
        make(root, "box/inner/pods/b");
        make(root, "box/pods/c");
        make(
            root,
            "user.slice/user-1000.slice/user@1000.service/user.slice/user-d.slice",
        );
        let mut tree = hierarchy(root, "/box/inner");
        let mut find = |reported| {
            tree.find(reported, "cpu.stat")
                .map(|path| path.strip_prefix(root).unwrap().to_owned())
        };
        assert_eq!(find("/pods/a"), Some("pods/a/cpu.stat".into()));
        assert_eq!(find("/pods/b"), Some("box/inner/pods/b/cpu.stat".into()));
        assert_eq!(find("pods/c"), Some("box/pods/c/cpu.stat".into()));
        assert_eq!(
            find("user.slice/user-d.slice"),
            Some(
                "user.slice/user-1000.slice/user@1000.service/user.slice/user-d.slice/cpu.stat"
                    .into()
            )
        );
        assert_eq!(find("/pods/none"), None);
    }

    #[test]
    fn remembers_where_it_found_the_last_one() {
        let root = tempfile::tempdir().unwrap();
        make(root.path(), "box/pods/a");
        let mut tree = hierarchy(root.path(), "/box");
        tree.find("/pods/a", "cpu.stat").unwrap();
        assert_eq!(tree.prefixes[0], PathBuf::from("box"));
        assert_eq!(
            tree.prefixes[1],
            PathBuf::new(),
            "the others keep their order"
        );
    }

    #[test]
    fn neither_the_root_nor_what_lies_outside_it_is_a_pod() {
        let outside = tempfile::tempdir().unwrap();
        make(outside.path(), "root");
        make(outside.path(), "other");
        let mut tree = hierarchy(&outside.path().join("root"), "/");
        for reported in ["", "/", "//", "../other", "/a/../../other", "."] {
            assert_eq!(tree.find(reported, "cpu.stat"), None, "{reported:?}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(own: String, reported: String) {
            let _ = own_path(&own, Some("memory"));
            let mut tree = Hierarchy::new(Version::V1, "/nonexistent".into(), own_path(&own, None), 0);
            prop_assert_eq!(tree.find(&reported, "cpuacct.usage"), None);
        }
    }
}

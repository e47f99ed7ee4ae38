//! PostgreSQL for tests: a throw-away cluster per test process, a database per test.
//!
//! The cluster lies in a temporary folder, listens on a Unix socket in it and nowhere else, and does
//! not care for durability. A shell watches over it: when the test process ends, however it ends, the
//! shell's standard input closes, and it stops the server and removes the folder.
//!
//! PostgreSQL refuses to run as root, so root's cluster belongs to the user `postgres`.
//!
//! Not here: schema and queries; they are in `migrations` and `store`.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

/// Set to `1`, it leaves out the tests that need PostgreSQL.
pub const SKIP_VARIABLE: &str = "TANDEM_SKIP_POSTGRES";

/// The URL of a new and empty database, or `None` if [`SKIP_VARIABLE`] says to leave such tests out.
///
/// # Panics
///
/// If there is no PostgreSQL or it does not start; the text says what to do.
pub fn database_url() -> Option<String> {
    static CLUSTER: OnceLock<Result<Cluster, String>> = OnceLock::new();

    if std::env::var(SKIP_VARIABLE).is_ok_and(|value| value == "1") {
        return None;
    }
    let url = CLUSTER
        .get_or_init(Cluster::start)
        .as_ref()
        .map_err(Clone::clone)
        .and_then(Cluster::create_database);
    match url {
        Ok(url) => Some(url),
        Err(reason) => panic!(
            "PostgreSQL is needed for this test: {reason}\n\
             Run scripts/setup to install it, or set {SKIP_VARIABLE}=1 to leave such tests out."
        ),
    }
}

/// Makes the cluster, says `ready`, waits for the end of standard input, and cleans up.
const WATCHDOG: &str = r#"
bin=$1 dir=$2
"$bin/initdb" -D "$dir/data" -U postgres -A trust -E UTF8 --locale=C --no-sync >"$dir/log" 2>&1 &&
"$bin/pg_ctl" -D "$dir/data" -l "$dir/log" -w start -o "-k '$dir' -c listen_addresses='' \
  -c fsync=off -c synchronous_commit=off -c full_page_writes=off -c max_connections=300 \
  -c shared_buffers=32MB" >/dev/null 2>&1 &&
echo ready || { tail -n 3 "$dir/log"; echo; }
read -r _
"$bin/pg_ctl" -D "$dir/data" -m immediate -w stop >/dev/null 2>&1
rm -rf "$dir"
"#;

struct Cluster {
    bin: PathBuf,
    dir: PathBuf,
    /// Held, because the shell ends with its standard input.
    _watchdog: Child,
}

impl Cluster {
    fn start() -> Result<Self, String> {
        let bin = find_programs().ok_or("its programs initdb and pg_ctl were not found")?;
        let dir = new_folder().map_err(|error| format!("no folder for the cluster: {error}"))?;
        let mut watchdog = watchdog(&bin, &dir)
            .spawn()
            .map_err(|error| format!("the cluster cannot be started: {error}"))?;
        let answer = watchdog.stdout.take().ok_or("no answer from the cluster")?;
        let mut text = String::new();
        for line in BufReader::new(answer).lines() {
            match line.as_deref() {
                Ok("ready") => {
                    return Ok(Self {
                        bin,
                        dir,
                        _watchdog: watchdog,
                    });
                }
                Ok("") | Err(_) => break,
                Ok(line) => text = format!("{text}\n{line}"),
            }
        }
        Err(format!("the cluster did not start:{text}"))
    }

    fn create_database(&self) -> Result<String, String> {
        static NUMBER: AtomicU32 = AtomicU32::new(1);

        let name = format!("test_{}", NUMBER.fetch_add(1, Ordering::Relaxed));
        let created = Command::new(self.bin.join("createdb"))
            .args(["-U", "postgres", "-h"])
            .arg(&self.dir)
            .arg(&name)
            .output()
            .map_err(|error| format!("createdb: {error}"))?;
        if !created.status.success() {
            return Err(String::from_utf8_lossy(&created.stderr).into_owned());
        }
        Ok(format!(
            "postgres://postgres@localhost/{name}?host={}",
            self.dir.display()
        ))
    }
}

/// The shell in a process group of its own, so that a signal to the tests does not reach it.
fn watchdog(bin: &Path, dir: &Path) -> Command {
    let mut command = if is_root() {
        let mut command = Command::new("runuser");
        command.args(["-u", "postgres", "--", "sh"]);
        command
    } else {
        Command::new("sh")
    };
    command
        .args(["-c", WATCHDOG, "watchdog"])
        .args([bin, dir])
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    command
}

/// Where PostgreSQL's server programs are: on the path, or the newest of Debian's folders.
fn find_programs() -> Option<PathBuf> {
    let on_path = std::env::var_os("PATH");
    let mut folders: Vec<PathBuf> = on_path.iter().flat_map(std::env::split_paths).collect();
    let mut versions: Vec<PathBuf> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path()))
        .collect();
    versions.sort_by_key(|path| {
        let name = path.file_name()?.to_str()?;
        name.parse::<u32>().ok()
    });
    folders.extend(versions.iter().rev().map(|version| version.join("bin")));
    folders.into_iter().find(|folder| {
        ["initdb", "pg_ctl", "createdb"]
            .iter()
            .all(|program| folder.join(program).is_file())
    })
}

/// A folder that the server's user owns and nobody else can enter.
fn new_folder() -> std::io::Result<PathBuf> {
    let dir = tempfile::Builder::new()
        .prefix("tandem-postgres-")
        .tempdir()?
        .keep();
    if is_root() {
        let user = number_of_user("-u")?;
        let group = number_of_user("-g")?;
        std::os::unix::fs::chown(&dir, Some(user), Some(group))?;
    }
    Ok(dir)
}

fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|me| std::os::unix::fs::MetadataExt::uid(&me) == 0)
}

/// The user's (`-u`) or group's (`-g`) number of `postgres`.
fn number_of_user(which: &str) -> std::io::Result<u32> {
    let answer = Command::new("id").args([which, "postgres"]).output()?;
    let text = String::from_utf8_lossy(&answer.stdout);
    text.trim()
        .parse()
        .map_err(|_| std::io::Error::other("there is no user postgres"))
}
